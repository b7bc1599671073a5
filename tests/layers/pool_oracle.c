#include "pool_oracle.h"
#include "support/guarded.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A pooling layer lifted to three axes, for the oracle. */
typedef struct {
  int64_t size[3], out[3], kernel[3], stride[3], pad[3], pad_end[3], dilation[3];
  bool adaptive;
} lifted;

static lifted lift(const cnnblas_pool_desc *d)
{
  cnnblas_pool_shape shape;
  int rank = d->rank ? d->rank : 2;
  lifted l = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0}, {0}, {1, 1, 1}, d->output[0] > 0};
  ASSERT_OK(cnnblas_pool_get_shape(d, &shape));
  for (int i = 0; i < rank; i++) {
    int to = 3 - rank + i;
    l.size[to] = d->size[i], l.out[to] = shape.out[i], l.kernel[to] = d->kernel[i];
    l.stride[to] = d->stride[0] || d->stride[1] || d->stride[2] ? d->stride[i] : d->kernel[i];
    l.pad[to] = d->pad_begin[i], l.pad_end[to] = d->pad_end[i];
    if (d->dilation[0]) l.dilation[to] = d->dilation[i];
    if (l.adaptive) assert_int_equal(l.out[to], d->output[i]);
  }
  return l;
}

typedef struct {
  double value;
  int64_t counted; /* what the average divides by */
  int64_t place;
} window_result;

/* One window, by its definition; when dx is given, adds the gradient g of its result to it. */
static window_result naive_window(const cnnblas_pool_desc *d, const lifted *l, const double *x, const int64_t o[3],
                                  double g, double *dx)
{
  window_result r = {-INFINITY, 1, -1};
  double sum = 0, squares = 0;
  int64_t from[3], end[3], real = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (int a = 0; a < 3; a++) {
      from[a] = o[a] * l->stride[a] - l->pad[a];
      end[a] = from[a] + l->kernel[a] * l->dilation[a];
      if (l->adaptive) {
        from[a] = o[a] * l->size[a] / l->out[a];
        for (end[a] = from[a]; end[a] * l->out[a] < (o[a] + 1) * l->size[a];) end[a]++;
      }
      int64_t counted = 0;
      for (int64_t i = from[a]; i < end[a]; i += l->dilation[a]) counted += i < l->size[a] + l->pad_end[a];
      if (pass == 0) r.counted *= counted;
    }
    for (int64_t i = from[0]; i < end[0]; i += l->dilation[0])
      for (int64_t j = from[1]; j < end[1]; j += l->dilation[1])
        for (int64_t k = from[2]; k < end[2]; k += l->dilation[2]) {
          if (i < 0 || j < 0 || k < 0 || i >= l->size[0] || j >= l->size[1] || k >= l->size[2]) continue;
          int64_t at = (i * l->size[1] + j) * l->size[2] + k;
          if (pass == 0) {
            real++;
            sum += x[at];
            squares += x[at] * x[at];
            if (r.place < 0 || (!isnan(r.value) && (isnan(x[at]) || x[at] > r.value))) r.value = x[at], r.place = at;
          } else if (dx && d->kind == CNNBLAS_POOL_AVG) {
            dx[at] += g / (double)r.counted;
          } else if (dx && d->kind == CNNBLAS_POOL_L2 && r.value != 0) {
            dx[at] += g * x[at] / r.value;
          }
        }
    if (pass) continue;
    if (!d->count_include_pad) r.counted = real;
    if (d->kind == CNNBLAS_POOL_AVG) r.value = sum / (double)r.counted;
    if (d->kind == CNNBLAS_POOL_L2) r.value = sqrt(squares);
  }
  if (dx && d->kind == CNNBLAS_POOL_MAX) dx[r.place] += g;
  return r;
}

static bool close_enough(double got, double want, double u)
{
  return isnan(want) ? isnan(got) : got == want || fabs(got - want) <= u * (1 + fabs(want));
}

static guarded arrays[6]; /* x, y, indices, dy, dx */

void pool_compare_with_naive(const cnnblas_pool_desc *d, uint64_t stream, bool coarse)
{
  lifted l = lift(d);
  int64_t plane = l.size[0] * l.size[1] * l.size[2], out = l.out[0] * l.out[1] * l.out[2], count = d->n * d->c;
  size_t e = d->dtype == CNNBLAS_F64 ? 8 : 4;
  bool max = d->kind == CNNBLAS_POOL_MAX;
  placement where = stream % 2 ? AGAINST_END : AGAINST_START;
  const int64_t elements[] = {count * plane, count * out, count * out, count * out, count * plane};
  for (int i = 0; i < 5; i++) guarded_reset(&arrays[i], (size_t)elements[i] * (i == 2 ? 4 : e), where);
  double *x = check_reals(stream, count * plane), *dy = check_reals(stream + 1, count * out);
  for (int64_t i = 0; i < count * plane; i++) {
    if (coarse) x[i] = round(2 * x[i]); /* ties */
    if (coarse && stream % 4 < 2 && i % 31 == 5) x[i] = i % 2 ? (double)NAN : -(double)INFINITY;
    array_set(d->dtype, arrays[0].data, i, x[i]);
    x[i] = array_get(d->dtype, arrays[0].data, i);
  }
  for (int64_t i = 0; i < count * out; i++) {
    array_set(d->dtype, arrays[3].data, i, dy[i]);
    array_set(d->dtype, arrays[1].data, i, NAN);
  }
  for (int64_t i = 0; i < count * plane; i++) array_set(d->dtype, arrays[4].data, i, NAN);
  guarded_protect(&arrays[0], true);
  guarded_protect(&arrays[3], true);
  int32_t *indices = max ? arrays[2].data : NULL;
  ASSERT_OK(cnnblas_pool_forward(d, d->n, arrays[0].data, arrays[1].data, indices));
  ASSERT_OK(cnnblas_pool_backward(d, d->n, arrays[0].data, arrays[1].data, arrays[3].data, indices, arrays[4].data));
  for (int i = 0; i < 5; i++) assert_true(guarded_intact(&arrays[i]));
  if (max) { /* the same without indices */
    size_t bytes = (size_t)(count * out) * e;
    void *with = memcpy(malloc(bytes + 1), arrays[1].data, bytes);
    memset(arrays[1].data, 255, bytes);
    ASSERT_OK(cnnblas_pool_forward(d, d->n, arrays[0].data, arrays[1].data, NULL));
    for (int64_t i = 0; i < count * out; i++)
      if (!close_enough(array_get(d->dtype, arrays[1].data, i), array_get(d->dtype, with, i), 0))
        FAIL("y[%lld] without indices is another", (long long)i);
    assert_true(guarded_intact(&arrays[1]));
    free(with);
  }
  guarded_protect(&arrays[0], false);
  guarded_protect(&arrays[3], false);
  double *dx = calloc((size_t)(count * plane), sizeof *dx), u = d->dtype == CNNBLAS_F64 ? 1e-14 : 4e-6;
  for (int64_t p = 0; p < count; p++)
    for (int64_t i = 0; i < out; i++) {
      int64_t o[3] = {i / (l.out[1] * l.out[2]), i / l.out[2] % l.out[1], i % l.out[2]}, at = p * out + i;
      window_result want =
          naive_window(d, &l, x + p * plane, o, array_get(d->dtype, arrays[3].data, at), dx + p * plane);
      double got = array_get(d->dtype, arrays[1].data, at);
      if (!close_enough(got, want.value, max ? 0 : u)) FAIL("y[%lld] is %g, not %g", (long long)at, got, want.value);
      if (max && indices[at] != want.place)
        FAIL("indices[%lld] is %d, not %lld", (long long)at, indices[at], (long long)want.place);
    }
  for (int64_t i = 0; i < count * plane; i++) {
    double got = array_get(d->dtype, arrays[4].data, i);
    if (!close_enough(got, dx[i], 8 * u)) FAIL("dx[%lld] is %g, not %g", (long long)i, got, dx[i]);
  }
  free(x), free(dy), free(dx);
}
