/* Sums, joined arrays, padding, batch normalisation, dropout, resizing, softmax and AdamW, timed and checked; see layers_more.h. */
#include "layers_more.h"
#include <cnnblas/cnnblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CHANNELS = 4096, SAMPLES = 20000, FRAME = 1 };

/* Statistics of the last call of batch normalisation. */
static double mean[MOST_CHANNELS], inv_std[MOST_CHANNELS];

/* ---- the calls ---- */

static bool add(layer_rig *r)
{
  return !cnnblas_add_forward(r->dtype, r->threads, r->inputs, r->x, r->dx, r->y);
}

static bool concat(layer_rig *r)
{
  const int64_t half = r->layer->c / 2, sizes[] = {half, half};
  const cnnblas_concat_desc d = {.dtype = r->dtype,
                                 .threads = r->threads,
                                 .outer = r->n,
                                 .inner = r->layer->size * r->layer->size,
                                 .parts = 2,
                                 .sizes = sizes};
  const void *parts[] = {r->x, (const char *)r->x + (size_t)(r->n * half * d.inner) * r->element};
  return !cnnblas_concat_forward(&d, parts, r->y);
}

static bool pad(layer_rig *r)
{
  const int64_t size = r->layer->size;
  const cnnblas_frame_desc d = {.dtype = r->dtype,
                                .threads = r->threads,
                                .rank = 4,
                                .size = {r->n, r->layer->c, size, size},
                                .begin = {0, 0, FRAME, FRAME},
                                .end = {0, 0, FRAME, FRAME}};
  return !cnnblas_pad_forward(&d, r->x, r->y);
}

static cnnblas_batchnorm_desc norm_of(const layer_rig *r)
{
  return (cnnblas_batchnorm_desc){
      .dtype = r->dtype, .threads = r->threads, .n = r->n, .c = r->layer->c, .pixels = r->layer->size * r->layer->size};
}

static bool norm_training(layer_rig *r)
{
  const cnnblas_batchnorm_desc d = norm_of(r);
  const cnnblas_batchnorm_arrays a = {.mean = mean, .inv_std = inv_std};
  return !cnnblas_batchnorm_forward_training(&d, r->n, r->x, &a, r->y);
}

/* The running statistics are the first inputs: a variance of x^2 >= 0 is made in set_up(). */
static bool norm_inference(layer_rig *r)
{
  const cnnblas_batchnorm_desc d = norm_of(r);
  const cnnblas_batchnorm_arrays a = {.running_mean = r->dy,
                                      .running_variance = (char *)r->dy + (size_t)d.c * r->element};
  return !cnnblas_batchnorm_forward_inference(&d, r->n, r->x, &a, r->y);
}

static bool norm_backward(layer_rig *r)
{
  const cnnblas_batchnorm_desc d = norm_of(r);
  const cnnblas_batchnorm_arrays a = {.mean = mean, .inv_std = inv_std};
  return !cnnblas_batchnorm_backward(&d, r->n, r->x, &a, r->dx, r->y, NULL, NULL);
}

static bool adamw(layer_rig *r)
{
  const cnnblas_adamw_desc d = {.dtype = r->dtype, .threads = r->threads, .step = 1, .lr = 1e-6, .weight_decay = 1e-4};
  return !cnnblas_adamw_step(&d, r->inputs, r->x, r->dx, r->y, r->dy);
}

static cnnblas_dropout_desc dropout_of(const layer_rig *r)
{
  return (cnnblas_dropout_desc){.dtype = r->dtype,
                                .threads = r->threads,
                                .n = r->n,
                                .elements = r->layer->c * r->layer->size * r->layer->size,
                                .p = 0.5,
                                .seed = 1};
}

static bool dropout(layer_rig *r)
{
  const cnnblas_dropout_desc d = dropout_of(r);
  return !cnnblas_dropout_apply(&d, r->n, NULL, r->x, r->y);
}

/* To the case's size from half of it. */
static cnnblas_resize_desc resize_of(const layer_rig *r, cnnblas_resize_kind kind)
{
  const int64_t size = r->layer->size;
  return (cnnblas_resize_desc){.dtype = r->dtype,
                               .kind = kind,
                               .threads = r->threads,
                               .n = r->n,
                               .c = r->layer->c,
                               .size = {size / 2, size / 2},
                               .output = {size, size}};
}

static bool resize_nearest(layer_rig *r)
{
  const cnnblas_resize_desc d = resize_of(r, CNNBLAS_RESIZE_NEAREST);
  return !cnnblas_resize_forward(&d, r->n, r->x, r->y);
}

static bool resize_linear(layer_rig *r)
{
  const cnnblas_resize_desc d = resize_of(r, CNNBLAS_RESIZE_LINEAR);
  return !cnnblas_resize_forward(&d, r->n, r->x, r->y);
}

static bool resize_nearest_back(layer_rig *r)
{
  const cnnblas_resize_desc d = resize_of(r, CNNBLAS_RESIZE_NEAREST);
  return !cnnblas_resize_backward(&d, r->n, r->x, r->y);
}

static bool resize_linear_back(layer_rig *r)
{
  const cnnblas_resize_desc d = resize_of(r, CNNBLAS_RESIZE_LINEAR);
  return !cnnblas_resize_backward(&d, r->n, r->x, r->y);
}

static bool softmax(layer_rig *r)
{
  const cnnblas_softmax_desc d = {.dtype = r->dtype,
                                  .threads = r->threads,
                                  .outer = r->n,
                                  .axis = r->layer->c,
                                  .inner = r->layer->size * r->layer->size};
  return !cnnblas_softmax_axis_forward(&d, r->x, r->y);
}

/* ---- what element i must be ---- */

static long double dropout_wanted(const layer_rig *r, int64_t i, long double *bound)
{
  const cnnblas_dropout_desc d = dropout_of(r);
  const int64_t e = i % d.elements;
  uint32_t key[4], bits[4];
  cnnblas_random_bits(d.seed, d.layer, d.step, key);
  cnnblas_random_bits((uint64_t)key[1] << 32 | key[0], (uint64_t)(i / d.elements), (uint64_t)e / 8, bits);
  *bound = 0;
  return (bits[e % 8 / 2] >> e % 2 * 16 & 0xffff) < 1u << 15 ? 0 : 2 * (long double)layer_at(r, r->x, i);
}

/* The input of a row or column that output o lies behind, and the one after it, whose weight is returned; edges repeat. */
static long double neighbours(int64_t o, int64_t half, int64_t at[2])
{
  int64_t first = (o + 1) / 2 - 1;
  at[0] = first < 0 ? 0 : first;
  at[1] = first + 1 < half ? first + 1 : half - 1;
  return o % 2 ? 0.25L : 0.75L;
}

static long double nearest_wanted(const layer_rig *r, int64_t i, long double *bound)
{
  int64_t size = r->layer->size, half = size / 2, row = i / size % size / 2, column = i % size / 2;
  *bound = 0;
  return layer_at(r, r->x, (i / (size * size) * half + row) * half + column);
}

static long double linear_wanted(const layer_rig *r, int64_t i, long double *bound)
{
  int64_t size = r->layer->size, half = size / 2, plane = i / (size * size) * half, rows[2], columns[2];
  long double below = neighbours(i / size % size, half, rows), right = neighbours(i % size, half, columns), sum = 0;
  for (int corner = 0; corner < 4; corner++)
    sum += (corner & 1 ? right : 1 - right) * (corner & 2 ? below : 1 - below) *
           (long double)layer_at(r, r->x, (plane + rows[corner >> 1]) * half + columns[corner & 1]);
  *bound = 8 * layer_unit(r);
  return sum;
}

static long double nearest_back_wanted(const layer_rig *r, int64_t i, long double *bound)
{
  int64_t size = r->layer->size, half = size / 2, at = (i / half * 2) * size + i % half * 2;
  *bound = 8 * layer_unit(r);
  return (long double)layer_at(r, r->x, at) + layer_at(r, r->x, at + 1) + layer_at(r, r->x, at + size) +
         layer_at(r, r->x, at + size + 1);
}

static long double linear_back_wanted(const layer_rig *r, int64_t i, long double *bound)
{
  int64_t size = r->layer->size, half = size / 2, plane = i / (half * half) * size, h = i / half % half, w = i % half;
  long double sum = 0;
  for (int64_t oh = 0; oh < size; oh++)
    for (int64_t ow = 2 * w - 1 < 0 ? 0 : 2 * w - 1; ow < size && ow <= 2 * w + 2; ow++) {
      int64_t rows[2], columns[2];
      long double below = neighbours(oh, half, rows), right = neighbours(ow, half, columns);
      long double vertical = (rows[0] == h ? 1 - below : 0) + (rows[1] == h ? below : 0);
      long double level = (columns[0] == w ? 1 - right : 0) + (columns[1] == w ? right : 0);
      sum += vertical * level * (long double)layer_at(r, r->x, (plane + oh) * size + ow);
    }
  *bound = 16 * layer_unit(r);
  return sum;
}

static long double softmax_wanted(const layer_rig *r, int64_t i, long double *bound)
{
  int64_t pixels = r->layer->size * r->layer->size, row = r->layer->c * pixels, first = i / row * row + i % pixels;
  long double sum = 0, own = expl((long double)layer_at(r, r->x, i));
  for (int64_t c = 0; c < r->layer->c; c++) sum += expl((long double)layer_at(r, r->x, first + c * pixels));
  *bound = 8 * layer_unit(r) * own / sum;
  return own / sum;
}

static long double sum_wanted(const layer_rig *r, int64_t i, long double *bound)
{
  long double v = (long double)layer_at(r, r->x, i) + layer_at(r, r->dx, i);
  *bound = layer_unit(r) * fabsl(v);
  return v;
}

static long double concat_wanted(const layer_rig *r, int64_t i, long double *bound)
{
  int64_t row = r->layer->c * r->layer->size * r->layer->size, half = row / 2, image = i / row, place = i % row;
  *bound = 0;
  return layer_at(r, r->x, place < half ? image * half + place : r->n * half + image * half + place - half);
}

static long double pad_wanted(const layer_rig *r, int64_t i, long double *bound)
{
  int64_t size = r->layer->size, whole = size + 2 * FRAME;
  int64_t w = i % whole - FRAME, h = i / whole % whole - FRAME, plane = i / (whole * whole);
  *bound = 0;
  return w < 0 || h < 0 || w >= size || h >= size ? 0 : layer_at(r, r->x, (plane * size + h) * size + w);
}

/* A channel's mean and variance, kept for the next element of the same channel. */
static void statistics(const layer_rig *r, int64_t ic, long double result[2])
{
  static int64_t last = -1;
  static const layer_rig *of;
  static long double kept[2];
  int64_t pixels = r->layer->size * r->layer->size;
  if (last != ic || of != r) {
    long double sum = 0, squares = 0, count = (long double)(r->n * pixels);
    for (int pass = 0; pass < 2; pass++)
      for (int64_t in = 0; in < r->n; in++)
        for (int64_t p = 0; p < pixels; p++) {
          long double v = layer_at(r, r->x, (in * r->layer->c + ic) * pixels + p);
          if (pass)
            squares += (v - sum / count) * (v - sum / count);
          else
            sum += v;
        }
    last = ic;
    of = r;
    kept[0] = sum / count;
    kept[1] = squares / count;
  }
  memcpy(result, kept, sizeof kept);
}

static long double training_wanted(const layer_rig *r, int64_t i, long double *bound)
{
  long double s[2];
  statistics(r, i / (r->layer->size * r->layer->size) % r->layer->c, s);
  *bound = 8 * layer_unit(r) * 4;
  return (layer_at(r, r->x, i) - s[0]) / sqrtl(s[1] + 1e-5L);
}

static long double inference_wanted(const layer_rig *r, int64_t i, long double *bound)
{
  int64_t ic = i / (r->layer->size * r->layer->size) % r->layer->c;
  long double scale = 1 / sqrtl(layer_at(r, r->dy, r->layer->c + ic) + 1e-5L);
  *bound = 8 * layer_unit(r) * 2 * scale;
  return (layer_at(r, r->x, i) - layer_at(r, r->dy, ic)) * scale;
}

static long double backward_wanted(const layer_rig *r, int64_t i, long double *bound)
{
  static int64_t last = -1;
  static long double sums[2];
  int64_t pixels = r->layer->size * r->layer->size, ic = i / pixels % r->layer->c;
  long double s[2], count = (long double)(r->n * pixels);
  statistics(r, ic, s);
  long double inv = 1 / sqrtl(s[1] + 1e-5L);
  if (last != ic) {
    sums[0] = sums[1] = 0;
    for (int64_t in = 0; in < r->n; in++)
      for (int64_t p = 0; p < pixels; p++) {
        int64_t e = (in * r->layer->c + ic) * pixels + p;
        sums[0] += layer_at(r, r->dx, e);
        sums[1] += layer_at(r, r->dx, e) * (layer_at(r, r->x, e) - s[0]) * inv;
      }
    last = ic;
  }
  *bound = 16 * layer_unit(r) * inv * 4;
  return inv * (layer_at(r, r->dx, i) - sums[0] / count - (layer_at(r, r->x, i) - s[0]) * inv * (sums[1] / count));
}

/* The parameter after a first step from moments of zero: x has been changed, so the first moment tells the gradient's sign. */
static long double adamw_wanted(const layer_rig *r, int64_t i, long double *bound)
{
  long double g = layer_at(r, r->dx, i);
  *bound = 8 * layer_unit(r);
  return 0.1L * g;
}

/* Of a row: arrays of x's size that are read or written at least, whether one pass over them is enough, the call, and the
   result's check; the result is y. */
static const struct {
  const char *name;
  double passes;
  bool one_pass;
  bool (*call)(layer_rig *r);
  long double (*wanted)(const layer_rig *r, int64_t i, long double *bound);
} more[] = {{"add", 3, true, add, sum_wanted},
            {"concat of two", 2, true, concat, concat_wanted},
            {"pad by 1", 2, true, pad, pad_wanted},
            {"batch norm training", 2, false, norm_training, training_wanted},
            {"batch norm inference", 2, true, norm_inference, inference_wanted},
            {"batch norm backward", 3, false, norm_backward, backward_wanted},
            {"dropout", 2, true, dropout, dropout_wanted},
            {"nearest to", 1.25, true, resize_nearest, nearest_wanted},
            {"linear to", 1.25, true, resize_linear, linear_wanted},
            {"nearest back from", 1.25, true, resize_nearest_back, nearest_back_wanted},
            {"linear back from", 1.25, true, resize_linear_back, linear_back_wanted},
            {"softmax of channels", 2, false, softmax, softmax_wanted},
            {"adamw", 7, true, adamw, adamw_wanted}};

int bench_more_count(void)
{
  return sizeof more / sizeof *more;
}

const char *bench_more_name(int kind)
{
  return more[kind].name;
}

bool bench_more_one_pass(int kind)
{
  return more[kind].one_pass;
}

void bench_more_set(layer_rig *r)
{
  const layer_case *l = r->layer;
  int64_t whole = l->size + 2 * FRAME;
  r->inputs = r->n * l->c * l->size * l->size;
  r->outputs = r->n * l->c * whole * whole;
  r->moved_bytes = (size_t)((double)r->inputs * (double)r->element * more[l->kind].passes);
}

bool bench_more_call(layer_rig *r)
{
  return more[r->layer->kind].call(r);
}

double bench_more_check(layer_rig *r)
{
  size_t bytes = (size_t)r->outputs * r->element;
  double worst = 0;
  memset(r->y, 0, bytes);
  if (more[r->layer->kind].call == adamw) memset(r->dy, 0, bytes);
  for (int64_t i = 0; i < 2 * r->layer->c; i++) { /* running statistics */
    double v = fabs(layer_at(r, r->dy, i));
    if (r->dtype == CNNBLAS_F64)
      ((double *)r->dy)[i] = v;
    else
      ((float *)r->dy)[i] = (float)v;
  }
  if (more[r->layer->kind].call == norm_backward && !norm_training(r)) return INFINITY;
  if (!bench_more_call(r)) return INFINITY;
  int64_t count = more[r->layer->kind].call == pad ? r->outputs : r->inputs;
  if (more[r->layer->kind].call == resize_nearest_back || more[r->layer->kind].call == resize_linear_back) count /= 4;
  int64_t step = count / SAMPLES + 1;
  if (more[r->layer->kind].call == norm_training || more[r->layer->kind].call == norm_backward) {
    step = 37; /* every channel would take long: those of the first elements of each image */
    count = r->layer->size * r->layer->size * 8;
  }
  for (int64_t i = 0; i < count; i += step) {
    long double bound, wanted = more[r->layer->kind].wanted(r, i, &bound);
    double error = layer_share(layer_at(r, r->y, i), wanted, bound);
    worst = error > worst ? error : worst;
  }
  return worst;
}
