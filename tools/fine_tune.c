/* Beginning with what another model has learnt; see fine_tune.h. */
#include "fine_tune.h"
#include "command.h"
#include "io/system.h"
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

/* Cuts the size off the FC that ends a text: "... -> FC 10" becomes "... -> FC". */
static void cut_last_size(char *text)
{
  char *end = text + strlen(text);
  while (end > text && end[-1] >= '0' && end[-1] <= '9') end--;
  if (end - text > 3 && !strncmp(end - 3, "FC ", 3)) end[-1] = 0;
}

int fine_tune_network(const char *path, char **text)
{
  st_file file = {0};
  io_error error;
  io_status status = st_read(path, &file, &error);
  const char *found = status ? NULL : st_metadata(&file, "network");
  char *copy = found ? io_alloc(strlen(found) + 1) : NULL;
  if (!status && !found)
    status = io_fail(&error, IO_BAD_INPUT, "%s: its metadata lack network: not a file of this program", path);
  if (!status && !copy) status = io_fail_memory(&error, path, strlen(found) + 1, "its network's text");
  if (!status) {
    strcpy(copy, found);
    cut_last_size(copy);
    *text = copy;
  }
  st_free(&file);
  return status ? command_fail((int)status, "%s", error.text) : COMMAND_FINE;
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
    if (t.average) memcpy(t.average, s->data, s->bytes);
    taken++;
  }
  if (!status && !taken)
    status = io_fail(&error, IO_BAD_INPUT,
                     "%s: none of its tensors, of dtype %s, has the name, type and shape of one here, of dtype %s",
                     path, file.tensors[0].dtype, info.dtype == CNNBLAS_F64 ? "F64" : "F32");
  if (!status && known.norm.channels == about->norm.channels)
    about->norm = norm_for_white(&known.norm, about->norm.white);
  if (!status && !quiet) print_left(path, net, &file, info.tensors);
  cnnblas_net_destroy(design);
  model_data_free(&known);
  st_free(&file);
  return status ? command_fail((int)status, "%s", error.text) : COMMAND_FINE;
}
