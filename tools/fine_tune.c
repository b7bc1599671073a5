/* Beginning with what another model has learnt; see fine_tune.h. */
#include "fine_tune.h"
#include "command.h"
#include <stdio.h>
#include <string.h>

static bool is_same(const cnnblas_net_tensor *t, const st_tensor *s)
{
  bool same = s && !strcmp(s->dtype, t->dtype == CNNBLAS_F64 ? "F64" : "F32") && s->rank == t->rank;
  for (int i = 0; same && i < t->rank; i++) same = s->shape[i] == t->shape[i];
  return same;
}

/* The tensors that the model lacks, or has in another shape, as a list. */
static void print_left(const char *path, const cnnblas_net *net, const st_file *file, int64_t count)
{
  int64_t left = 0;
  cnnblas_net_tensor t;
  for (int64_t i = 0; i < count; i++) {
    cnnblas_net_get_tensor(net, i, &t);
    left += !is_same(&t, st_find(file, t.name));
  }
  printf("%s: %lld of %lld tensors taken%s", path, (long long)(count - left), (long long)count,
         left ? "; begun anew: " : "\n");
  for (int64_t i = 0, shown = 0; i < count && left; i++) {
    cnnblas_net_get_tensor(net, i, &t);
    const st_tensor *s = st_find(file, t.name);
    if (is_same(&t, s)) continue;
    shown++;
    printf("%s%s%s", t.name, s ? " (another shape)" : "", shown < left ? ", " : "\n");
  }
  fflush(stdout);
}

int fine_tune_begin(const char *path, cnnblas_net *net, model_data *about, bool quiet)
{
  st_file file = {0};
  io_error error;
  model_data known = {0};
  cnnblas_net *design = NULL;
  cnnblas_net_info info;
  int64_t taken = 0;
  cnnblas_net_get_info(net, &info);
  const model_use use = {.mode = CNNBLAS_NET_DESIGN, .threads = 1};
  io_status status = st_read(path, &file, &error);
  if (!status) status = model_make(path, &file, &use, &design, &known, &error);
  for (int64_t i = 0; i < info.tensors && !status; i++) {
    cnnblas_net_tensor t;
    cnnblas_net_get_tensor(net, i, &t);
    const st_tensor *s = st_find(&file, t.name);
    if (!is_same(&t, s)) continue;
    memcpy(t.value, s->data, s->bytes);
    taken++;
  }
  if (!status && !taken)
    status = io_fail(&error, IO_BAD_INPUT, "%s: none of its tensors has the name, type and shape of one here", path);
  if (!status && known.norm.channels == about->norm.channels)
    about->norm = norm_for_white(&known.norm, about->norm.white);
  if (!status && !quiet) print_left(path, net, &file, info.tensors);
  cnnblas_net_destroy(design);
  model_data_free(&known);
  st_free(&file);
  return status ? command_fail((int)status, "%s", error.text) : COMMAND_FINE;
}
