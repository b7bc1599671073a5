/*
 * Peer loops: what a C programmer writes without a library. One thread, a row of the output at a time, compiled with -O3 for the
 * machine that builds; filters of 3x3 and 5x5 taps at stride 1 are constants for the compiler, which unrolls and vectorises them.
 *
 *   forward          each output row sums the rows of x that its taps meet
 *   input gradient   at stride 1 and without dilation a forward of dy with the filters turned by 180 degrees; else each row of
 *                    dy is added to the rows that it came from
 *   weight gradient  each tap is a sum of products of rows
 */
#include "peer.h"
#include "process_memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A forward convolution. */
typedef struct loops_shape {
  int64_t n, groups, inputs, outputs; /* inputs and outputs of a group */
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], pad[3];
} loops_shape;

typedef struct loops {
  const bench_task *task;
  loops_shape shape;
  bool scatters; /* an input gradient that is no forward */
  char *zeros;   /* a row of the input, then the turned weights */
  size_t row_bytes, bytes;
} loops;

/* The outputs in [0, outs) whose input at + o * step lies within [0, in). */
static inline void inside(int64_t at, int64_t step, int64_t in, int64_t outs, int64_t *begin, int64_t *end)
{
  *begin = at < 0 ? (-at + step - 1) / step : 0;
  *end = at < in ? (in - 1 - at) / step + 1 : 0;
  if (*end > outs) *end = outs;
  if (*begin > *end) *begin = *end;
}

#define REAL       float
#define NAME(NAME) NAME##_f32
#include "peer_loops_rows.h"
#undef REAL
#undef NAME
#define REAL       double
#define NAME(NAME) NAME##_f64
#include "peer_loops_rows.h"
#undef REAL
#undef NAME

/* NULL, or what this file was compiled for and the machine that runs it lacks. */
static const char *missing(void)
{
#if defined(__x86_64__) && defined(__AVX512F__)
  if (!__builtin_cpu_supports("avx512f")) return "AVX-512";
#endif
#if defined(__x86_64__) && defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return "AVX2";
#endif
  return NULL;
}

static loops_shape shape_of(const bench_task *t)
{
  const bench_geometry *g = &t->geometry;
  bool data = t->direction == CNNBLAS_BACKWARD_DATA;
  loops_shape s = {.n = g->n, .groups = g->groups, .inputs = data ? g->kg : g->cg, .outputs = data ? g->cg : g->kg};
  for (int i = 0; i < 3; i++) {
    s.in[i] = data ? g->out[i] : g->in[i];
    s.out[i] = data ? g->in[i] : g->out[i];
    s.kernel[i] = g->kernel[i];
    s.stride[i] = data ? 1 : g->stride[i];
    s.dilation[i] = data ? 1 : g->dilation[i];
    s.pad[i] = data ? g->kernel[i] - 1 - g->pad[i] : g->pad[i];
  }
  return s;
}

/* True if the input gradient is a forward of dy: no stride, no dilation, no padding wider than the filter. */
static bool is_forward(const bench_geometry *g)
{
  bool is = true;
  for (int i = 0; i < 3; i++) is &= g->stride[i] == 1 && g->dilation[i] == 1 && g->pad[i] < g->kernel[i];
  return is;
}

static void destroy(void *state)
{
  loops *self = state;
  if (self->zeros) bench_pages_free(self->zeros, self->bytes);
  free(self);
}

static void *create(const bench_task *task, const void *options, char *why, size_t why_size)
{
  (void)options;
  const char *lacks = missing();
  if (lacks) {
    snprintf(why, why_size, "it was compiled for a machine with %s", lacks);
    return NULL;
  }
  loops *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  self->task = task;
  self->shape = shape_of(task);
  self->scatters = task->direction == CNNBLAS_BACKWARD_DATA && !is_forward(&task->geometry);
  self->row_bytes = ((size_t)self->shape.in[2] * task->element + 63) / 64 * 64;
  self->bytes = self->row_bytes;
  if (task->direction == CNNBLAS_BACKWARD_DATA) self->bytes += (size_t)task->shape.w_elements * task->element;
  if ((self->zeros = bench_pages(self->bytes))) return self;
  snprintf(why, why_size, "no memory for %zu bytes", self->bytes);
  free(self);
  return NULL;
}

static bool run(void *state)
{
  const loops *self = state;
  const bench_task *t = self->task;
  const bench_geometry *g = &t->geometry;
  bool wide = t->element == sizeof(double), data = t->direction == CNNBLAS_BACKWARD_DATA;
  void *turned = self->zeros + self->row_bytes;
  if (t->direction == CNNBLAS_BACKWARD_WEIGHTS) {
    (wide ? weights_f64 : weights_f32)(g, t->x, t->dy, t->out);
  } else if (self->scatters) {
    (wide ? scatter_f64 : scatter_f32)(g, t->dy, t->w, t->out);
  } else {
    if (data) (wide ? turn_f64 : turn_f32)(g, t->w, turned);
    (wide ? convolve_f64 : convolve_f32)(&self->shape, data ? t->dy : t->x, data ? turned : t->w, t->out, self->zeros);
  }
  return true;
}

static size_t workspace(const void *state)
{
  return ((const loops *)state)->bytes;
}

const bench_peer bench_loops = {.name = "loops",
                                .summary = "plain C loops for this machine's compiler, one thread",
                                .create = create,
                                .run = run,
                                .workspace = workspace,
                                .destroy = destroy,
                                .by_name_only = true};
