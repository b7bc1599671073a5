/* The expected result of a call and the comparison with it; see oracle.h. */
#include "support/oracle.h"
#include "support/kept.h"
#include "support/norms.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where an output pixel and a tap meet: indices within one channel of x and y and one channel of a filter. */
typedef struct {
  int64_t x, w, y;
} meeting;

/* Position on one axis: o * stride - pad + r * dilation, with tap t = r, or R - 1 - r for true convolution. */
static int64_t position(const problem *p, int axis, int64_t o, int64_t t)
{
  int64_t r = p->desc.mode == CNNBLAS_TRUE_CONVOLUTION ? p->taps[axis] - 1 - t : t;
  return o * p->stride[axis] - p->begin[axis] + r * p->dilation[axis];
}

static void split(const int64_t extent[3], int64_t index, int64_t at[3])
{
  for (int i = 2; i >= 0; i--) {
    at[i] = index % extent[i];
    index /= extent[i];
  }
}

static bool meet(const problem *p, int64_t pixel, int64_t tap, meeting *m)
{
  int64_t o[3], t[3];
  split(p->out, pixel, o);
  split(p->taps, tap, t);
  m->x = 0;
  for (int i = 0; i < 3; i++) {
    int64_t at = position(p, i, o[i], t[i]);
    if (at < 0 || at >= p->in[i]) return false;
    m->x = m->x * p->in[i] + at;
  }
  m->w = tap;
  m->y = pixel;
  return true;
}

#define REAL    float
#define WIDE    double
#define NAME(x) x##_f32
#include "support/oracle_loops.h"

#define REAL    double
#define WIDE    long double
#define NAME(x) x##_f64
#include "support/oracle_loops.h"

static void prepare(oracle *o, cnnblas_dtype dtype, int64_t count)
{
  if (count > o->capacity) {
    oracle_free(o);
    o->value = malloc((size_t)count * sizeof *o->value);
    o->magnitude = malloc((size_t)count * sizeof *o->magnitude);
    o->norm = malloc((size_t)count * sizeof *o->norm);
    o->far_norm = malloc((size_t)count * sizeof *o->far_norm);
    o->either = malloc((size_t)count * sizeof *o->either);
    assert_true(o->value && o->magnitude && o->norm && o->far_norm && o->either);
    o->capacity = count;
  }
  o->dtype = dtype;
  o->count = count;
  for (int64_t i = 0; i < count; i++) {
    o->value[i] = 0;
    o->magnitude[i] = o->norm[i] = o->far_norm[i] = 0;
    o->either[i] = false;
  }
}

/* True if output pixel o would meet input position i at tap t on each axis were there no borders: then what is missing at
   one of them is padding. */
static bool aligned(const problem *p, const int64_t i[3], const int64_t t[3])
{
  for (int a = 0; a < 3; a++)
    if ((i[a] - position(p, a, 0, t[a])) % p->stride[a] != 0) return false;
  return true;
}

/* Marks every element of dx that an infinite or NaN weight would reach from an output pixel outside dy. */
static void mark_data(oracle *o, const problem *p, int64_t n, const void *w)
{
  for (int64_t at_w = 0; at_w < p->w_elements; at_w++) {
    if (isfinite(array_get(o->dtype, w, at_w))) continue;
    int64_t ik = at_w / p->filter / p->cg, ic = ik / p->kg * p->cg + at_w / p->filter % p->cg, t[3], i[3];
    split(p->taps, at_w % p->filter, t);
    for (int64_t pixel = 0; pixel < p->image; pixel++) {
      split(p->in, pixel, i);
      if (!aligned(p, i, t)) continue;
      bool inside = true;
      for (int a = 0; a < 3; a++) {
        int64_t reach = i[a] - position(p, a, 0, t[a]);
        inside &= reach >= 0 && reach / p->stride[a] < p->out[a];
      }
      for (int64_t in = 0; in < n && !inside; in++) o->either[(in * p->c + ic) * p->image + pixel] = true;
    }
  }
}

/* Marks every output where padding of x meets an infinite or NaN element of w (forward) or dy (weight gradient). */
static void mark_padding(oracle *o, const problem *p, cnnblas_conv_direction direction, int64_t n, const void *w,
                         const void *y)
{
  meeting m;
  for (int64_t in = 0; in < n; in++)
    for (int64_t pixel = 0; pixel < p->pixels; pixel++)
      for (int64_t tap = 0; tap < p->filter; tap++) {
        if (meet(p, pixel, tap, &m)) continue;
        for (int64_t ik = 0; ik < p->k; ik++)
          for (int64_t cc = 0; cc < p->cg; cc++) {
            int64_t at_y = (in * p->k + ik) * p->pixels + pixel, at_w = (ik * p->cg + cc) * p->filter + tap;
            bool forward = direction == CNNBLAS_FORWARD;
            if (!isfinite(forward ? array_get(o->dtype, w, at_w) : array_get(o->dtype, y, at_y)))
              o->either[forward ? at_y : at_w] = true;
          }
      }
}

static bool all_finite(cnnblas_dtype dtype, const void *array, int64_t count)
{
  for (int64_t i = 0; i < count; i++)
    if (!isfinite(array_get(dtype, array, i))) return false;
  return true;
}

static void compute(oracle *o, const problem *p, cnnblas_conv_direction direction, int64_t n, const void *x,
                    const void *w, const void *y)
{
  o->terms = problem_terms(p, direction, n);
  if (o->dtype == CNNBLAS_F64) {
    run_f64(o, o->value, p, direction, n, x, w, y);
  } else {
    double *sum = calloc((size_t)o->count + 1, sizeof *sum);
    assert_non_null(sum);
    run_f32(o, sum, p, direction, n, x, w, y);
    for (int64_t i = 0; i < o->count; i++) o->value[i] = sum[i];
    free(sum);
  }
  norms_fill(p, direction, n, x, w, y, 0, o->norm);
  norms_fill(p, direction, n, x, w, y, 3, o->far_norm);
  bool weights = direction == CNNBLAS_BACKWARD_WEIGHTS;
  const void *second = weights ? y : w; /* what padding may meet */
  if (all_finite(o->dtype, second, weights ? n * p->k * p->pixels : p->w_elements)) return;
  if (direction == CNNBLAS_BACKWARD_DATA)
    mark_data(o, p, n, w);
  else
    mark_padding(o, p, direction, n, w, y);
}

void oracle_run(oracle *o, const problem *p, cnnblas_conv_direction direction, int64_t n, const void *x, const void *w,
                const void *y)
{
  const size_t image_x = (size_t)(p->c * p->image) * p->element, image_y = (size_t)(p->k * p->pixels) * p->element;
  const bool data = direction == CNNBLAS_BACKWARD_DATA, weights = direction == CNNBLAS_BACKWARD_WEIGHTS;
  const kept_inputs inputs = {.first = data ? y : x,
                              .second = weights ? y : w,
                              .first_bytes = (size_t)n * (data ? image_y : image_x),
                              .second_bytes = weights ? (size_t)n * image_y : (size_t)p->w_elements * p->element};
  prepare(o, p->desc.dtype, problem_outputs(p, direction, n));
  if (kept_find(o, p, direction, n, &inputs)) return;
  compute(o, p, direction, n, x, w, y);
  kept_add(o, p, direction, n, &inputs);
}

void oracle_bias_gradient(oracle *o, const problem *p, int64_t n, const void *dy)
{
  prepare(o, p->desc.dtype, p->k);
  o->terms = n * p->pixels;
  for (int64_t i = 0; i < n * p->k * p->pixels; i++) {
    double value = array_get(o->dtype, dy, i);
    o->value[i / p->pixels % p->k] += value;
    o->magnitude[i / p->pixels % p->k] += fabs(value);
  }
}

static void add(oracle *o, int64_t i, double value)
{
  o->value[i] += value;
  o->magnitude[i] += fabs(value);
  o->norm[i] += fabs(value);
  o->far_norm[i] += fabs(value);
}

void oracle_add(oracle *o, const void *array)
{
  o->terms++;
  for (int64_t i = 0; i < o->count; i++) add(o, i, array_get(o->dtype, array, i));
}

void oracle_add_bias(oracle *o, const problem *p, const void *bias)
{
  o->terms++;
  for (int64_t i = 0; i < o->count; i++) add(o, i, array_get(o->dtype, bias, i / p->pixels % p->k));
}

void oracle_relu(oracle *o)
{
  for (int64_t i = 0; i < o->count; i++)
    if (o->value[i] < 0) o->value[i] = 0;
}

static bool agrees(const oracle *o, int64_t i, double got, double bound)
{
  long double want = o->value[i];
  if (isfinite(want) && isfinite(got)) return fabsl(want - got) <= bound;
  if (o->either[i]) return true;
  return isnan(want) ? isnan(got) : got == want;
}

oracle_bound oracle_bound_of(const cnnblas_algorithm_info *row, bool integers)
{
  const bool far = row->accuracy == CNNBLAS_ACCURACY_NORM_RELAXED;
  if (integers && !far) return ORACLE_EXACT;
  return far ? ORACLE_FAR_NORM : row->accuracy == CNNBLAS_ACCURACY_NORM ? ORACLE_NORM : ORACLE_ELEMENT;
}

/* What an element may be off is the share returned times its element of *of; NULL: nothing. */
static double share_of(const oracle *o, const cnnblas_algorithm_info *row, bool integers, const double **of)
{
  const double u = o->dtype == CNNBLAS_F64 ? 0x1p-53 : 0x1p-24;
  *of = NULL;
  switch (oracle_bound_of(row, integers)) {
  case ORACLE_NORM:
    *of = o->norm;
    return norms_factor(row->norm_factor, o->terms) * u;
  case ORACLE_FAR_NORM:
    *of = o->far_norm;
    return norms_factor(row->norm_factor, o->terms) * u;
  case ORACLE_ELEMENT:
    *of = o->magnitude;
    return (double)o->terms * u;
  case ORACLE_EXACT:
    break;
  }
  return 0;
}

double oracle_allowed(const oracle *o, int64_t i, const cnnblas_algorithm_info *row, bool integers)
{
  const double *of, share = share_of(o, row, integers, &of);
  return of ? share * of[i] : 0;
}

void oracle_check_sum(const oracle *o, const void *got, bool integers, const char *what)
{
  static const cnnblas_algorithm_info plain = {.accuracy = CNNBLAS_ACCURACY_ELEMENT};
  oracle_check(o, got, &plain, integers, what);
}

void oracle_check(const oracle *o, const void *got, const cnnblas_algorithm_info *row, bool integers, const char *what)
{
  int64_t wrong = 0, first = -1;
  const double *of, share = share_of(o, row, integers, &of);
  for (int64_t i = 0; i < o->count; i++) {
    if (agrees(o, i, array_get(o->dtype, got, i), of ? share * of[i] : 0)) continue;
    if (wrong++ == 0) first = i;
  }
  if (wrong == 0) return;
  FAIL("%s: %" PRId64 " of %" PRId64 " elements are wrong; the first, %" PRId64
       ", is %.17g, expected %.17g, off by %.3g "
       "(allowed %.3g, %" PRId64 " terms)",
       what, wrong, o->count, first, array_get(o->dtype, got, first), (double)o->value[first],
       (double)fabsl(o->value[first] - (long double)array_get(o->dtype, got, first)),
       oracle_allowed(o, first, row, integers), o->terms);
}

double oracle_rms(const oracle *o, const void *got)
{
  long double error = 0, norm = 0;
  for (int64_t i = 0; i < o->count; i++) {
    long double e = o->value[i] - (long double)array_get(o->dtype, got, i);
    error += e * e;
    norm += o->value[i] * o->value[i];
  }
  return norm > 0 ? (double)sqrtl(error / norm) : 0;
}

void oracle_free(oracle *o)
{
  free(o->value);
  free(o->magnitude);
  free(o->norm);
  free(o->far_norm);
  free(o->either);
  memset(o, 0, sizeof *o);
}
