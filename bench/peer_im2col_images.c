/*
 * Peer im2col_images: the images of the batch in parallel (OpenMP), each lowered serially into its thread's own full
 * matrix and multiplied by a serial GEMM. backward_weights is summed in a copy per thread, the copies added at the end.
 *
 *   forward          Y[K x P]  = W[K x Q] . col(x)[Q x P]
 *   backward_data    col[Q x P] = W^T . dY, then col2im
 *   backward_weights dW[K x Q] = sum over images of dY[K x P] . col(x)^T
 */
#include "openblas.h"
#include "peer.h"
#include "peer_lowering.h"
#include "process_memory.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct images {
  const bench_task *task;
  int workers;
  char *buffers;    /* [workers] of col_bytes + sum_bytes */
  size_t col_bytes; /* one lowered matrix, 0 if the lowering is the identity */
  size_t sum_bytes; /* of one dW, 0 in the other directions */
} images;

static size_t total_bytes(const images *self)
{
  return (size_t)self->workers * (self->col_bytes + self->sum_bytes);
}

static void destroy(void *state)
{
  images *self = state;
  if (self->buffers) bench_pages_free(self->buffers, total_bytes(self));
  free(self);
}

static void *create(const bench_task *task, const void *options, char *why, size_t why_size)
{
  (void)options;
  const bench_geometry *g = &task->geometry;
  if (g->q > bench_gemm_limit() || g->out_pixels > bench_gemm_limit()) {
    snprintf(why, why_size, "the lowered matrix is too large for this OpenBLAS");
    return NULL;
  }
  images *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  self->task = task;
  self->workers = task->threads < g->n ? task->threads : (int)g->n;
  if (bench_blas_flavour() == BENCH_BLAS_SERIAL) self->workers = 1; /* it has no locks: two GEMMs at once would mix */
  if (!g->lowering_is_identity) self->col_bytes = (size_t)g->q * (size_t)g->out_pixels * task->element;
  if (task->direction == CNNBLAS_BACKWARD_WEIGHTS) self->sum_bytes = (size_t)task->shape.w_elements * task->element;
  if (total_bytes(self) == 0) return self;
  self->buffers = bench_pages(total_bytes(self));
  if (self->buffers) return self;
  snprintf(why, why_size, "no memory for lowered matrices of %zu bytes", total_bytes(self));
  free(self);
  return NULL;
}

static const void *lower(const bench_task *t, const char *planes, char *col)
{
  if (!col) return planes;
  size_t row_bytes = (size_t)t->geometry.out_pixels * t->element;
  for (int64_t q = 0; q < t->geometry.q; q++)
    bench_lower_row(&t->geometry, t->element, planes, q, col + (size_t)q * row_bytes);
  return col;
}

/* One image and group; sum is the thread's own dW. */
static void run_group(const images *self, int64_t image, int64_t group, char *col, char *sum, bool add)
{
  const bench_task *t = self->task;
  const bench_geometry *g = &t->geometry;
  size_t plane = (size_t)g->in_pixels * t->element;
  size_t in = (size_t)(image * g->c + group * g->cg) * plane;
  size_t out = (size_t)((image * g->k + group * g->kg) * g->out_pixels) * t->element;
  size_t weights = (size_t)(group * g->kg * g->q) * t->element;
  bench_gemm_args gemm = {.dtype = t->desc.dtype};
  if (t->direction == CNNBLAS_BACKWARD_DATA) {
    gemm.m = g->q, gemm.n = g->out_pixels, gemm.k = g->kg;
    gemm.transpose_a = true;
    gemm.a = (const char *)t->w + weights;
    gemm.b = (const char *)t->dy + out;
    gemm.c = col ? col : (char *)t->out + in;
    bench_gemm(&gemm);
    for (int64_t c = 0; col && c < g->cg; c++)
      bench_unlower_plane(g, t->element, col, c, (char *)t->out + in + (size_t)c * plane);
    return;
  }
  gemm.b = lower(t, (const char *)t->x + in, col);
  if (t->direction == CNNBLAS_FORWARD) {
    gemm.m = g->kg, gemm.n = g->out_pixels, gemm.k = g->q;
    gemm.a = (const char *)t->w + weights;
    gemm.c = (char *)t->out + out;
  } else {
    gemm.m = g->kg, gemm.n = g->q, gemm.k = g->out_pixels;
    gemm.transpose_b = true;
    gemm.add = add;
    gemm.a = (const char *)t->dy + out;
    gemm.c = sum + weights;
  }
  bench_gemm(&gemm);
}

/* task->out = sum of the first team's copies. */
static void add_copies(const images *self, int team)
{
  const bench_task *t = self->task;
  int64_t count = t->shape.w_elements;
  size_t pitch = self->col_bytes + self->sum_bytes;
  const char *first = self->buffers + self->col_bytes;
#pragma omp parallel for num_threads(team)
  for (int64_t i = 0; i < count; i++) {
    double value = 0;
    for (int worker = 0; worker < team; worker++) {
      const char *copy = first + (size_t)worker * pitch;
      value += t->element == sizeof(double) ? ((const double *)copy)[i] : (double)((const float *)copy)[i];
    }
    if (t->element == sizeof(double))
      ((double *)t->out)[i] = value;
    else
      ((float *)t->out)[i] = (float)value;
  }
}

static bool run(void *state)
{
  const images *self = state;
  const bench_task *t = self->task;
  const bench_geometry *g = &t->geometry;
  int team = 1;
  bench_serial_gemm_begin();
#pragma omp parallel num_threads(self->workers)
  {
    bench_serial_gemm_in_team();
    int worker = omp_get_thread_num();
#pragma omp single
    team = omp_get_num_threads();
    char *mine = self->buffers ? self->buffers + (size_t)worker * (self->col_bytes + self->sum_bytes) : NULL;
    char *col = self->col_bytes ? mine : NULL, *sum = mine ? mine + self->col_bytes : NULL;
    bool add = false;
#pragma omp for schedule(static)
    for (int64_t image = 0; image < g->n; image++) {
      for (int64_t group = 0; group < g->groups; group++) run_group(self, image, group, col, sum, add);
      add = true;
    }
    if (self->sum_bytes && !add) memset(sum, 0, self->sum_bytes);
  }
  bench_set_threads(t->threads); /* a team of one wrote the caller's own setting */
  bench_serial_gemm_end(t->threads);
  if (self->sum_bytes) add_copies(self, team);
  return true;
}

static size_t workspace(const void *state)
{
  return total_bytes(state);
}

const bench_peer bench_im2col_images = {.name = "im2col_images",
                                        .summary = "serial im2col and serial GEMM an image, OpenMP over the batch",
                                        .create = create,
                                        .run = run,
                                        .workspace = workspace,
                                        .destroy = destroy};
