/* Model files; see model.h. */
#include "model.h"
#include "checkpoint.h"
#include "command.h"
#include "io/system.h"
#include "model_metadata.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_FORMAT = 1, TENSOR_NAME = 48 };

/* The sets of tensors that a file may have, by what comes before their names. */
enum { SET_VALUE, SET_MOMENTUM, SET_BEST, SET_SECOND, SET_AVERAGE, SETS };
static const char *const set_prefixes[SETS] = {"", "momentum.", "best.", "second.", "average."};

/* ---- writing ---- */

static json_t *make_metadata(const cnnblas_net *net, const model_data *about, const model_training *run)
{
  cnnblas_net_info info;
  char input[96];
  cnnblas_net_get_info(net, &info);
  json_t *m = json_object();
  int failed = !m || metadata_set(m, "cnnblas_model", "%d", MODEL_FORMAT) ||
               metadata_set(m, "network", "%s", cnnblas_net_text(net)) ||
               metadata_set(m, "input", "%s", command_shape(input, sizeof input, info.c, info.size)) ||
               metadata_set(m, "classes", "%lld", (long long)info.classes) ||
               metadata_set(m, "loss", "%s", settings_loss_names[info.loss]) || model_data_set(m, about) ||
               (run && (metadata_set(m, "steps", "%lld", (long long)info.steps) ||
                        metadata_set_run(m, run->settings, run->state)));
  if (!failed) return m;
  json_decref(m);
  return NULL;
}

static void describe(const cnnblas_net_tensor *from, const char *name, const void *data, st_tensor *to)
{
  bool wide = from->dtype == CNNBLAS_F64;
  to->name = name;
  to->dtype = wide ? "F64" : "F32";
  to->rank = from->rank;
  memcpy(to->shape, from->shape, sizeof from->shape);
  to->bytes = (size_t)from->elements * (wide ? 8 : 4);
  to->data = data;
}

/* Where a tensor of a set of the network's own lies; NULL if it has none. */
static void *find_array(const cnnblas_net_tensor *t, int set)
{
  void *const arrays[SETS] = {t->value, t->momentum, NULL, t->second, t->average};
  return arrays[set];
}

/* Where tensor i of a set lies that is to be written; NULL if the file is to have none. */
static const void *find_written(const cnnblas_net_tensor *t, int set, int64_t i, const model_training *run)
{
  if (set != SET_VALUE && !run) return NULL;
  if (set == SET_BEST) return run->best ? run->best->values[i] : NULL;
  return find_array(t, set);
}

io_status model_write(const char *path, const cnnblas_net *net, const model_data *about, const model_training *run,
                      io_error *error)
{
  cnnblas_net_info info;
  cnnblas_net_get_info(net, &info);
  size_t own = (size_t)info.tensors, count = 0;
  st_tensor *to = io_alloc_zeroed(own * SETS, sizeof *to);
  char(*names)[TENSOR_NAME] = io_alloc_zeroed(own * SETS, sizeof *names);
  io_json_begin();
  json_t *metadata = make_metadata(net, about, run);
  io_status status = IO_OK;
  if (!to || !names || !metadata) status = io_fail(error, IO_NO_ROOM, "%s: out of memory for the header", path);
  for (int set = 0; set < SETS && !status; set++)
    for (size_t i = 0; i < own; i++) {
      cnnblas_net_tensor t;
      cnnblas_net_get_tensor(net, (int64_t)i, &t);
      const void *data = find_written(&t, set, (int64_t)i, run);
      if (!data) continue;
      snprintf(names[count], sizeof *names, "%s%s", set_prefixes[set], t.name);
      describe(&t, names[count], data, &to[count]);
      count++;
    }
  if (!status) status = st_write(path, to, count, metadata, error);
  json_decref(metadata);
  io_free(names);
  io_free(to);
  return status;
}

/* ---- reading ---- */

static io_status failed_library(const char *name, cnnblas_status why, io_error *error)
{
  bool room = why == CNNBLAS_OUT_OF_MEMORY || why == CNNBLAS_SIZE_OVERFLOW;
  return io_fail(error, room ? IO_NO_ROOM : IO_BAD_INPUT, "%s: its network: %s", name, cnnblas_last_error());
}

/* "1x28x28" */
static io_status read_input(const char *name, const st_file *file, cnnblas_net_options *o, io_error *error)
{
  const char *text = st_metadata(file, "input");
  int64_t values[4] = {0};
  char *end = NULL;
  for (int i = 0; text && i < 4; i++, text = end + 1) {
    long long value = strtoll(text, &end, 10);
    if (end == text || value < 1 || value > INT32_MAX || (*end && *end != 'x')) break;
    values[i] = value;
    if (*end) continue;
    o->c = values[0];
    memcpy(o->size, values + 1, sizeof o->size);
    return IO_OK;
  }
  return metadata_bad(name, file, "input", "channels and sizes, as 1x28x28", error);
}

/* "8x3x3x3". Returns text. */
static const char *shape_text(char *text, size_t size, int rank, const int64_t *shape)
{
  int used = snprintf(text, size, rank ? "" : "no sizes");
  for (int i = 0; i < rank && used < (int)size; i++)
    used += snprintf(text + used, size - (size_t)used, "%s%lld", i ? "x" : "", (long long)shape[i]);
  return text;
}

/* The file has this tensor, with this type and shape. */
static io_status match(const char *name, const st_file *file, const cnnblas_net_tensor *t, const char *prefix,
                       const st_tensor **found, io_error *error)
{
  char full[TENSOR_NAME];
  const char *dtype = t->dtype == CNNBLAS_F64 ? "F64" : "F32";
  snprintf(full, sizeof full, "%s%s", prefix, t->name);
  const st_tensor *s = *found = st_find(file, full);
  if (!s) return io_fail(error, IO_BAD_INPUT, "%s: its network has a tensor %s, which the file lacks", name, full);
  if (strcmp(s->dtype, dtype))
    return io_fail(error, IO_BAD_INPUT, "%s: %s has dtype %s; the first tensor has %s", name, full, s->dtype, dtype);
  bool same = s->rank == t->rank;
  for (int i = 0; same && i < t->rank; i++) same = s->shape[i] == t->shape[i];
  if (same) return IO_OK;
  char is[80], wanted[80];
  return io_fail(error, IO_BAD_INPUT, "%s: %s has not the shape that its network gives it: %s, not %s", name, full,
                 shape_text(is, sizeof is, s->rank, s->shape), shape_text(wanted, sizeof wanted, t->rank, t->shape));
}

/* Whether the file has a set: its first tensor. */
static bool has_set(const st_file *file, const cnnblas_net *net, int set)
{
  cnnblas_net_tensor t;
  char name[TENSOR_NAME];
  if (cnnblas_net_get_tensor(net, 0, &t)) return false;
  snprintf(name, sizeof name, "%s%s", set_prefixes[set], t.name);
  return st_find(file, name);
}

/* Copies tensor i of a set from the file to data, if that is not NULL. */
static io_status take_tensor(const char *name, const st_file *file, const cnnblas_net_tensor *t, int set, void *data,
                             io_error *error)
{
  const st_tensor *found;
  io_status status = match(name, file, t, set_prefixes[set], &found, error);
  if (!status && data) memcpy(data, found->data, found->bytes);
  return status;
}

/* Whether a set has this tensor: what is not trained has no moments. */
static bool is_in_set(const cnnblas_net_tensor *t, int set)
{
  return t->trained || set == SET_VALUE || set == SET_BEST;
}

/* Which sets the file must have, and how many tensors that makes. */
static int64_t expect_sets(const st_file *file, const cnnblas_net *net, bool expected[SETS])
{
  cnnblas_net_info info;
  const bool run = model_is_checkpoint(file);
  int64_t count = 0;
  cnnblas_net_get_info(net, &info);
  for (int set = 0; set < SETS; set++) {
    expected[set] = set == SET_VALUE || (run && (set == SET_MOMENTUM || has_set(file, net, set)));
    for (int64_t i = 0; i < info.tensors && expected[set]; i++) {
      cnnblas_net_tensor t;
      cnnblas_net_get_tensor(net, i, &t);
      count += is_in_set(&t, set);
    }
  }
  return count;
}

/* Every tensor of the network is in the file; with arrays to fill, they are. */
static io_status take_tensors(const char *name, const st_file *file, const cnnblas_net *net, io_error *error)
{
  cnnblas_net_info info;
  bool expected[SETS];
  cnnblas_net_get_info(net, &info);
  int64_t count = expect_sets(file, net, expected);
  if (file->count != (size_t)count)
    return io_fail(error, IO_BAD_INPUT, "%s: %zu tensors; its network has %lld%s%s", name, file->count,
                   (long long)info.tensors, expected[SET_MOMENTUM] ? ", each with its momentum" : "",
                   expected[SET_BEST] ? " and its value in the best epoch" : "");
  for (int64_t i = 0; i < info.tensors; i++) {
    cnnblas_net_tensor t;
    io_status status = IO_OK;
    cnnblas_net_get_tensor(net, i, &t);
    for (int set = 0; set < SETS && !status; set++)
      if (expected[set] && is_in_set(&t, set)) status = take_tensor(name, file, &t, set, find_array(&t, set), error);
    if (status) return status;
  }
  return IO_OK;
}

/* The values that a checkpoint's model would have: those of the best epoch, or the averages, where it keeps such. */
static io_status take_kept(const char *name, const st_file *file, const cnnblas_net *net, io_error *error)
{
  const int set = has_set(file, net, SET_BEST) ? SET_BEST : SET_AVERAGE;
  cnnblas_net_info info;
  io_status status = IO_OK;
  cnnblas_net_get_info(net, &info);
  for (int64_t i = 0; i < info.tensors && !status && has_set(file, net, set); i++) {
    cnnblas_net_tensor t;
    cnnblas_net_get_tensor(net, i, &t);
    if (is_in_set(&t, set)) status = take_tensor(name, file, &t, set, t.value, error);
  }
  return status;
}

io_status model_read_best(const char *name, const st_file *file, const cnnblas_net *net, weights *best, io_error *error)
{
  io_status status = IO_OK;
  weights_take(best, net);
  for (int64_t i = 0; i < best->count && !status && has_set(file, net, SET_BEST); i++) {
    cnnblas_net_tensor t;
    cnnblas_net_get_tensor(net, i, &t);
    status = take_tensor(name, file, &t, SET_BEST, best->values[i], error);
  }
  return status;
}

static io_status read_options(const char *name, const st_file *file, const model_use *use, cnnblas_net_options *o,
                              io_error *error)
{
  int64_t format;
  int loss = 0;
  if (!st_metadata(file, "network"))
    return io_fail(error, IO_BAD_INPUT, "%s: its metadata lack network: not a file of this program", name);
  io_status status = metadata_integer(name, file, "cnnblas_model", MODEL_FORMAT, MODEL_FORMAT, &format, error);
  if (!status) status = read_input(name, file, o, error);
  if (!status) status = metadata_integer(name, file, "classes", 1, INT32_MAX, &o->classes, error);
  if (!status) status = metadata_choice(name, file, "loss", settings_loss_names, &loss, error);
  if (status) return status;
  o->loss = (cnnblas_net_loss)loss;
  o->batch = use->batch ? use->batch : 64;
  if (!use->batch && model_is_checkpoint(file))
    status = metadata_integer(name, file, "batch", 1, INT32_MAX, &o->batch, error);
  o->init = CNNBLAS_INIT_ZERO;
  o->threads = use->threads;
  o->accuracy = use->accuracy;
  if (!status && !file->count) status = io_fail(error, IO_BAD_INPUT, "%s: no tensors", name);
  if (status) return status;
  const char *dtype = file->tensors[0].dtype;
  o->dtype = !strcmp(dtype, "F64") ? CNNBLAS_F64 : CNNBLAS_F32;
  if (!strcmp(dtype, "F32") || !strcmp(dtype, "F64")) return IO_OK;
  return io_fail(error, IO_BAD_INPUT, "%s: %.64s has dtype %s; models are F32 or F64", name, file->tensors[0].name,
                 dtype);
}

/* What a network that goes on with training needs room for. */
static io_status read_training(const char *name, const st_file *file, cnnblas_net_options *o, io_error *error)
{
  int kind = 0;
  double average = 0;
  const char *seed = st_metadata(file, "seed"); /* DROPOUT goes on drawing by it */
  if (seed) o->seed = strtoull(seed, NULL, 10);
  int64_t segments = 1;
  if (st_metadata(file, "segments") && metadata_integer(name, file, "segments", 1, 1024, &segments, error))
    return IO_BAD_INPUT;
  o->segments = (int32_t)segments;
  if (!st_metadata(file, "optimiser")) return IO_OK; /* version 0.1: SGD */
  io_status status = metadata_choice(name, file, "optimiser", settings_optimiser_names, &kind, error);
  if (!status) status = metadata_number(name, file, "ema", 0, 1, &average, error);
  o->optimiser = (cnnblas_net_optimiser_kind)kind;
  o->average = average > 0;
  return status;
}

/* A design first: its tensors must be those of the file before memory is taken for them. */
static io_status make_net(const char *name, const st_file *file, cnnblas_net_mode mode, cnnblas_net_options *o,
                          cnnblas_net **net, io_error *error)
{
  const char *text = st_metadata(file, "network");
  int64_t steps = 0;
  io_status status = IO_OK;
  if (model_is_checkpoint(file)) status = metadata_integer(name, file, "steps", 0, INT64_MAX, &steps, error);
  if (status) return status;
  cnnblas_status why = cnnblas_net_create(text, o, net);
  if (why) return failed_library(name, why, error);
  status = take_tensors(name, file, *net, error);
  if (status || mode == CNNBLAS_NET_DESIGN) return status;
  cnnblas_net_destroy(*net);
  *net = NULL;
  o->mode = mode;
  o->packed_weights = mode == CNNBLAS_NET_INFERENCE;
  if (mode == CNNBLAS_NET_TRAINING) status = read_training(name, file, o, error);
  if (status) return status;
  why = cnnblas_net_create(text, o, net);
  if (!why) why = cnnblas_net_set_steps(*net, steps);
  if (why) return failed_library(name, why, error);
  status = take_tensors(name, file, *net, error);
  if (!status && mode == CNNBLAS_NET_INFERENCE && model_is_checkpoint(file))
    status = take_kept(name, file, *net, error);
  if (!status && o->packed_weights && (why = cnnblas_net_pack_weights(*net))) status = failed_library(name, why, error);
  return status;
}

io_status model_make(const char *name, const st_file *file, const model_use *use, cnnblas_net **net, model_data *about,
                     io_error *error)
{
  cnnblas_net_options o = {.mode = CNNBLAS_NET_DESIGN};
  cnnblas_net *made = NULL;
  model_data known = {0};
  io_status status = read_options(name, file, use, &o, error);
  if (!status) status = model_data_read(name, file, o.c, o.classes, &known, error);
  if (!status) status = make_net(name, file, use->mode, &o, &made, error);
  if (status) {
    cnnblas_net_destroy(made);
    model_data_free(&known);
    return status;
  }
  *net = made;
  if (about)
    *about = known;
  else
    model_data_free(&known);
  return IO_OK;
}

io_status model_read(const char *path, const model_use *use, cnnblas_net **net, model_data *about, io_error *error)
{
  st_file file = {0};
  io_status status = st_read(path, &file, error);
  if (!status) status = model_make(path, &file, use, net, about, error);
  st_free(&file);
  return status;
}
