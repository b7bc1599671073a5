/*
 * Peers onednn_nchw and onednn_best: oneDNN 2's convolution primitive, direct algorithm, f32.
 *
 * onednn_nchw keeps every array as a C user holds it: activations NCHW, weights OIHW (with groups GOIHW).
 * onednn_best lets oneDNN choose each array's layout; inputs are brought there before, the result back after the timing,
 * so it is the fastest that oneDNN can be, in a program that keeps its arrays in oneDNN's layouts throughout.
 *
 * The primitive is made once and executed many times, with a scratchpad that we allocate (and count as workspace), so
 * that nothing is allocated or compiled inside the timing.
 */
#include "peer.h"
#include "process_memory.h"
#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { X, W, Y, ARRAYS }; /* the three arrays of a convolution, whichever of them is the output */

typedef struct onednn {
  const bench_task *task;
  int output; /* X, W or Y */
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  dnnl_primitive_attr_t attributes;
  dnnl_primitive_desc_t hint, primitive_desc;
  dnnl_primitive_t primitive, unpack; /* unpack: the result back into the plain array, NULL if it is plain */
  dnnl_memory_t plain[ARRAYS], best[ARRAYS], scratch;
  void *pages[ARRAYS], *scratch_pages;
  size_t bytes[ARRAYS], scratch_bytes;
  dnnl_exec_arg_t arguments[4];
} onednn;

static void destroy(void *state)
{
  onednn *self = state;
  dnnl_primitive_destroy(self->primitive);
  dnnl_primitive_destroy(self->unpack);
  dnnl_primitive_desc_destroy(self->primitive_desc);
  dnnl_primitive_desc_destroy(self->hint);
  dnnl_primitive_attr_destroy(self->attributes);
  for (int a = 0; a < ARRAYS; a++) {
    dnnl_memory_destroy(self->plain[a]);
    if (self->pages[a]) {
      dnnl_memory_destroy(self->best[a]);
      bench_pages_free(self->pages[a], self->bytes[a]);
    }
  }
  dnnl_memory_destroy(self->scratch);
  if (self->scratch_pages) bench_pages_free(self->scratch_pages, self->scratch_bytes);
  dnnl_stream_destroy(self->stream);
  dnnl_engine_destroy(self->engine);
  free(self);
}

typedef struct shapes {
  int rank;
  dnnl_dims_t dims[ARRAYS], strides, dilates, pad_begin, pad_end;
  int count[ARRAYS]; /* dimensions of each array */
} shapes;

static void fill_shapes(const bench_task *task, shapes *s)
{
  const cnnblas_conv_desc *d = &task->desc;
  const bench_geometry *g = &task->geometry;
  int rank = s->rank = d->rank ? d->rank : 2;
  int w = 0;
  if (g->groups > 1) s->dims[W][w++] = g->groups;
  s->dims[W][w++] = g->kg;
  s->dims[W][w++] = g->cg;
  s->dims[X][0] = s->dims[Y][0] = g->n;
  s->dims[X][1] = g->c;
  s->dims[Y][1] = g->k;
  for (int a = 0; a < rank; a++) {
    int axis = 3 - rank + a;
    s->dims[X][2 + a] = g->in[axis];
    s->dims[Y][2 + a] = g->out[axis];
    s->dims[W][w + a] = g->kernel[axis];
    s->strides[a] = g->stride[axis];
    s->dilates[a] = g->dilation[axis] - 1;
    s->pad_begin[a] = g->pad[axis];
    /* the zeros that the output size takes: oneDNN insists on the exact number, which may be negative */
    s->pad_end[a] = (g->out[axis] - 1) * g->stride[axis] + (g->kernel[axis] - 1) * g->dilation[axis] + 1 - g->in[axis] -
                    g->pad[axis];
  }
  s->count[X] = s->count[Y] = 2 + rank;
  s->count[W] = w + rank;
}

static dnnl_format_tag_t plain_tag(int array, const shapes *s)
{
  static const dnnl_format_tag_t tags[] = {dnnl_abc, dnnl_abcd, dnnl_abcde,
                                           dnnl_abcdef}; /* row-major, 3 to 6 dimensions */
  return tags[s->count[array] - 3];
}

static bool make_primitive(onednn *self, const shapes *s, bool best)
{
  dnnl_memory_desc_t md[ARRAYS];
  for (int a = 0; a < ARRAYS; a++)
    if (dnnl_memory_desc_init_by_tag(&md[a], s->count[a], s->dims[a], dnnl_f32,
                                     best ? dnnl_format_tag_any : plain_tag(a, s)))
      return false;
  dnnl_convolution_desc_t forward, backward;
  bool ok = !dnnl_dilated_convolution_forward_desc_init(&forward, dnnl_forward_training, dnnl_convolution_direct,
                                                        &md[X], &md[W], NULL, &md[Y], s->strides, s->dilates,
                                                        s->pad_begin, s->pad_end) &&
            !dnnl_primitive_attr_create(&self->attributes) &&
            !dnnl_primitive_attr_set_scratchpad_mode(self->attributes, dnnl_scratchpad_mode_user);
  if (!ok) return false;
  if (self->task->direction == CNNBLAS_FORWARD) {
    ok = !dnnl_primitive_desc_create(&self->primitive_desc, &forward, self->attributes, self->engine, NULL);
  } else {
    if (self->task->direction == CNNBLAS_BACKWARD_DATA)
      ok = !dnnl_dilated_convolution_backward_data_desc_init(&backward, dnnl_convolution_direct, &md[X], &md[W], &md[Y],
                                                             s->strides, s->dilates, s->pad_begin, s->pad_end);
    else
      ok = !dnnl_dilated_convolution_backward_weights_desc_init(&backward, dnnl_convolution_direct, &md[X], &md[W],
                                                                NULL, &md[Y], s->strides, s->dilates, s->pad_begin,
                                                                s->pad_end);
    ok = ok && !dnnl_primitive_desc_create(&self->hint, &forward, self->attributes, self->engine, NULL) &&
         !dnnl_primitive_desc_create(&self->primitive_desc, &backward, self->attributes, self->engine, self->hint);
  }
  return ok && !dnnl_primitive_create(&self->primitive, self->primitive_desc);
}

/* Executes a reorder between two memories, made by the caller or here. */
static bool reorder(onednn *self, dnnl_primitive_t primitive, dnnl_memory_t from, dnnl_memory_t to)
{
  dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
  return !dnnl_primitive_execute(primitive, self->stream, 2, arguments) && !dnnl_stream_wait(self->stream);
}

static bool make_reorder(onednn *self, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to,
                         dnnl_primitive_t *primitive)
{
  dnnl_primitive_desc_t desc;
  if (dnnl_reorder_primitive_desc_create(&desc, from, self->engine, to, self->engine, NULL)) return false;
  bool ok = !dnnl_primitive_create(primitive, desc);
  dnnl_primitive_desc_destroy(desc);
  return ok;
}

/* One array: the plain memory over the task's own, and where the primitive wants another layout a second one. */
static bool make_array(onednn *self, const shapes *s, int array, void *data, dnnl_query_t query)
{
  const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(self->primitive_desc, query, 0);
  dnnl_memory_desc_t plain;
  if (!wanted || dnnl_memory_desc_init_by_tag(&plain, s->count[array], s->dims[array], dnnl_f32, plain_tag(array, s)) ||
      dnnl_memory_create(&self->plain[array], &plain, self->engine, data))
    return false;
  if (dnnl_memory_desc_equal(wanted, &plain)) {
    self->best[array] = self->plain[array];
    return true;
  }
  self->bytes[array] = dnnl_memory_desc_get_size(wanted);
  self->pages[array] = bench_pages(self->bytes[array]);
  if (!self->pages[array] || dnnl_memory_create(&self->best[array], wanted, self->engine, self->pages[array]))
    return false;
  if (array == self->output) {
    memset(self->pages[array], 0xff, self->bytes[array]); /* NaN, and touched */
    return make_reorder(self, wanted, &plain, &self->unpack);
  }
  dnnl_primitive_t pack = NULL;
  bool ok = make_reorder(self, &plain, wanted, &pack) && reorder(self, pack, self->plain[array], self->best[array]);
  dnnl_primitive_destroy(pack);
  return ok;
}

static bool make_scratchpad(onednn *self)
{
  const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(self->primitive_desc, dnnl_query_scratchpad_md, 0);
  self->scratch_bytes = dnnl_memory_desc_get_size(wanted);
  self->scratch_pages = bench_pages(self->scratch_bytes);
  return self->scratch_pages && !dnnl_memory_create(&self->scratch, wanted, self->engine, self->scratch_pages);
}

/* The casts drop const from the inputs: dnnl_memory_create knows only void *, and the primitive does not write them. */
static bool make_arrays(onednn *self, const shapes *s)
{
  const bench_task *t = self->task;
  void *x = (void *)(uintptr_t)t->x, *w = (void *)(uintptr_t)t->w, *dy = (void *)(uintptr_t)t->dy;
  const int forward = t->direction == CNNBLAS_FORWARD, data = t->direction == CNNBLAS_BACKWARD_DATA;
  bool ok = make_array(self, s, X, data ? t->out : x, data ? dnnl_query_diff_src_md : dnnl_query_src_md) &&
            make_array(self, s, W, forward || data ? w : t->out,
                       forward || data ? dnnl_query_weights_md : dnnl_query_diff_weights_md) &&
            make_array(self, s, Y, forward ? t->out : dy, forward ? dnnl_query_dst_md : dnnl_query_diff_dst_md) &&
            make_scratchpad(self);
  if (!ok) return false;
  const int arg[ARRAYS] = {data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC,
                           forward || data ? DNNL_ARG_WEIGHTS : DNNL_ARG_DIFF_WEIGHTS,
                           forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST};
  for (int a = 0; a < ARRAYS; a++) self->arguments[a] = (dnnl_exec_arg_t){arg[a], self->best[a]};
  self->arguments[ARRAYS] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, self->scratch};
  return true;
}

static void *create(const bench_task *task, char *why, size_t why_size, bool best)
{
  if (task->desc.dtype != CNNBLAS_F32) {
    snprintf(why, why_size, "oneDNN's convolution knows no f64");
    return NULL;
  }
  if (task->desc.mode != CNNBLAS_CROSS_CORRELATION) {
    snprintf(why, why_size, "oneDNN's convolution is a cross-correlation");
    return NULL;
  }
  onednn *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  self->task = task;
  self->output = task->direction == CNNBLAS_FORWARD ? Y : task->direction == CNNBLAS_BACKWARD_DATA ? X : W;
  shapes s = {0};
  fill_shapes(task, &s);
  if (!dnnl_engine_create(&self->engine, dnnl_cpu, 0) &&
      !dnnl_stream_create(&self->stream, self->engine, dnnl_stream_default_flags) && make_primitive(self, &s, best)) {
    if (make_arrays(self, &s)) return self;
    snprintf(why, why_size, "no memory for oneDNN's arrays");
  } else {
    snprintf(why, why_size, "oneDNN has no such convolution");
  }
  destroy(self);
  return NULL;
}

static void *create_nchw(const bench_task *task, const void *options, char *why, size_t why_size)
{
  (void)options;
  return create(task, why, why_size, false);
}

static void *create_best(const bench_task *task, const void *options, char *why, size_t why_size)
{
  (void)options;
  return create(task, why, why_size, true);
}

static bool run(void *state)
{
  onednn *self = state;
  return !dnnl_primitive_execute(self->primitive, self->stream, ARRAYS + 1, self->arguments) &&
         !dnnl_stream_wait(self->stream);
}

static bool fetch(void *state)
{
  onednn *self = state;
  return !self->unpack || reorder(self, self->unpack, self->best[self->output], self->plain[self->output]);
}

static const char *describe(const void *state)
{
  const char *name = NULL;
  dnnl_primitive_desc_query(((const onednn *)state)->primitive_desc, dnnl_query_impl_info_str, 0, &name);
  return name;
}

static size_t workspace(const void *state)
{
  return ((const onednn *)state)->scratch_bytes;
}

const bench_peer bench_onednn_nchw = {.name = "onednn_nchw",
                                      .summary = "oneDNN, all arrays plain (NCHW, OIHW)",
                                      .create = create_nchw,
                                      .run = run,
                                      .fetch = fetch,
                                      .describe = describe,
                                      .workspace = workspace,
                                      .destroy = destroy};

const bench_peer bench_onednn_best = {.name = "onednn_best",
                                      .summary = "oneDNN in the layouts it likes best, reorders not timed",
                                      .create = create_best,
                                      .run = run,
                                      .fetch = fetch,
                                      .describe = describe,
                                      .workspace = workspace,
                                      .destroy = destroy};

const char *bench_onednn_version(void)
{
  static char text[32];
  const dnnl_version_t *version = dnnl_version();
  snprintf(text, sizeof text, "%d.%d.%d", version->major, version->minor, version->patch);
  return text;
}
