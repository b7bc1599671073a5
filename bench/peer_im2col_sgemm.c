/*
 * Peer im2col_sgemm: what people write by hand. Image by image and group by group, the full lowered matrix, its rows
 * copied in parallel, then one GEMM on all of OpenBLAS's threads:
 *
 *   forward          Y[K x P]  = W[K x Q] . col(x)[Q x P]
 *   backward_data    col[Q x P] = W^T . dY, then col2im in parallel over the channels
 *   backward_weights dW[K x Q] += dY[K x P] . col(x)^T
 *
 * A 1x1 convolution of stride 1 without padding needs no lowering and gets none, as in Caffe and Darknet.
 */
#include "openblas.h"
#include "peer.h"
#include "peer_lowering.h"
#include "process_memory.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct lowered {
  const bench_task *task;
  void *col; /* [q][out_pixels], NULL if the lowering is the identity */
  size_t bytes;
} lowered;

static void destroy(void *state)
{
  lowered *self = state;
  if (self->col) bench_pages_free(self->col, self->bytes);
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
  lowered *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  self->task = task;
  if (g->lowering_is_identity) return self;
  self->bytes = (size_t)g->q * (size_t)g->out_pixels * task->element;
  self->col = bench_pages(self->bytes);
  if (self->col) return self;
  snprintf(why, why_size, "no memory for a lowered matrix of %zu bytes", self->bytes);
  free(self);
  return NULL;
}

/* The lowered matrix of one image and group. */
static const void *lower(const lowered *self, const char *planes)
{
  const bench_task *t = self->task;
  if (!self->col) return planes;
  int64_t rows = t->geometry.q;
  size_t row_bytes = (size_t)t->geometry.out_pixels * t->element;
#pragma omp parallel for num_threads(t->threads)
  for (int64_t q = 0; q < rows; q++)
    bench_lower_row(&t->geometry, t->element, planes, q, (char *)self->col + (size_t)q * row_bytes);
  return self->col;
}

static void unlower(const lowered *self, char *planes)
{
  const bench_task *t = self->task;
  int64_t channels = t->geometry.cg;
  size_t plane_bytes = (size_t)t->geometry.in_pixels * t->element;
#pragma omp parallel for num_threads(t->threads)
  for (int64_t c = 0; c < channels; c++)
    bench_unlower_plane(&t->geometry, t->element, self->col, c, planes + (size_t)c * plane_bytes);
}

static void run_group(const lowered *self, int64_t image, int64_t group)
{
  const bench_task *t = self->task;
  const bench_geometry *g = &t->geometry;
  size_t in = (size_t)((image * g->c + group * g->cg) * g->in_pixels) * t->element;
  size_t out = (size_t)((image * g->k + group * g->kg) * g->out_pixels) * t->element;
  size_t weights = (size_t)(group * g->kg * g->q) * t->element;
  bench_gemm_args gemm = {.dtype = t->desc.dtype};
  switch (t->direction) {
  case CNNBLAS_FORWARD:
    gemm.m = g->kg, gemm.n = g->out_pixels, gemm.k = g->q;
    gemm.a = (const char *)t->w + weights;
    gemm.b = lower(self, (const char *)t->x + in);
    gemm.c = (char *)t->out + out;
    bench_gemm(&gemm);
    break;
  case CNNBLAS_BACKWARD_DATA:
    gemm.m = g->q, gemm.n = g->out_pixels, gemm.k = g->kg;
    gemm.transpose_a = true;
    gemm.a = (const char *)t->w + weights;
    gemm.b = (const char *)t->dy + out;
    gemm.c = self->col ? self->col : (char *)t->out + in;
    bench_gemm(&gemm);
    if (self->col) unlower(self, (char *)t->out + in);
    break;
  case CNNBLAS_BACKWARD_WEIGHTS:
    gemm.m = g->kg, gemm.n = g->q, gemm.k = g->out_pixels;
    gemm.transpose_b = true;
    gemm.add = image > 0;
    gemm.a = (const char *)t->dy + out;
    gemm.b = lower(self, (const char *)t->x + in);
    gemm.c = (char *)t->out + weights;
    bench_gemm(&gemm);
    break;
  }
}

static bool run(void *state)
{
  const lowered *self = state;
  for (int64_t image = 0; image < self->task->geometry.n; image++)
    for (int64_t group = 0; group < self->task->geometry.groups; group++) run_group(self, image, group);
  return true;
}

static size_t workspace(const void *state)
{
  return ((const lowered *)state)->bytes;
}

const bench_peer bench_im2col_sgemm = {
    .name = "im2col_sgemm",
    .summary = "full im2col of an image, one multi-threaded GEMM: the usual hand-written way",
    .create = create,
    .run = run,
    .workspace = workspace,
    .destroy = destroy,
    .leaves_threads_spinning = true};
