/* The layers against plain loops; see layers_check.h. */
#include "layers_check.h"
#include "layers_more.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 100000, PLANES = 48 };

static double larger(double a, double b)
{
  return b > a ? b : a;
}

static double check_activation(const layer_rig *r)
{
  const double slope = 0.01;
  int64_t step = r->inputs / SAMPLES + 1;
  double worst = 0;
  for (int64_t i = 0; i < r->inputs; i += step) {
    long double x = layer_at(r, r->x, i), y = layer_at(r, r->y, i), wanted = 0, derivative = 0;
    switch (r->activation.function.kind) {
    case CNNBLAS_RELU:
      wanted = x > 0 ? x : 0;
      derivative = y > 0;
      break;
    case CNNBLAS_LEAKY_RELU:
      wanted = x > 0 ? x : x * slope;
      derivative = y > 0 ? 1 : slope;
      break;
    case CNNBLAS_SIGMOID:
      wanted = 1 / (1 + expl(-x));
      derivative = y * (1 - y);
      break;
    case CNNBLAS_TANH:
      wanted = tanhl(x);
      derivative = 1 - y * y;
      break;
    case CNNBLAS_ELU:
      wanted = x > 0 ? x : expm1l(x);
      derivative = y > 0 ? 1 : y + 1;
      break;
    case CNNBLAS_SOFTPLUS:
      wanted = log1pl(expl(x));
      derivative = -expm1l(-y);
      break;
    case CNNBLAS_SWISH:
      wanted = x / (1 + expl(-x));
      derivative = (1 + x / (1 + expl(x))) / (1 + expl(-x));
      break;
    case CNNBLAS_HSWISH: /* inputs lie between -1 and 1 */
      wanted = x * (x + 3) / 6;
      derivative = x / 3 + 0.5L;
      break;
    case CNNBLAS_GELU:
      wanted = x * erfcl(-x / sqrtl(2)) / 2;
      derivative = erfcl(-x / sqrtl(2)) / 2 + x * expl(-x * x / 2) / sqrtl(2 * 3.14159265358979323846L);
      break;
    default: /* not timed */
      return INFINITY;
    }
    if (r->layer->direction == LAYER_FORWARD) {
      worst = larger(worst, layer_share(layer_at(r, r->y, i), wanted, 8 * layer_unit(r) * fabsl(wanted)));
    } else {
      long double dy = layer_at(r, r->dy, i);
      worst = larger(worst, layer_share(layer_at(r, r->dx, i), dy * derivative, 8 * layer_unit(r) * fabsl(dy)));
    }
  }
  return worst;
}

/* The window of output (i, j): rows and columns inside the image. */
typedef struct {
  int64_t row, row_end, column, column_end;
} window;

static window window_at(const layer_rig *r, int64_t i, int64_t j)
{
  const layer_case *l = r->layer;
  int64_t row = i * l->stride - l->pad, column = j * l->stride - l->pad;
  return (window){row > 0 ? row : 0, row + l->kernel < l->size ? row + l->kernel : l->size, column > 0 ? column : 0,
                  column + l->kernel < l->size ? column + l->kernel : l->size};
}

/* One output of pooling from channel x: its value, and for max its place. */
static long double pool_output(const layer_rig *r, int64_t x, window w, int64_t *place)
{
  long double largest = -INFINITY, sum = 0, squares = 0;
  int64_t count = 0;
  for (int64_t u = w.row; u < w.row_end; u++)
    for (int64_t v = w.column; v < w.column_end; v++, count++) {
      long double value = layer_at(r, r->x, x + u * r->layer->size + v);
      if (value > largest) largest = value, *place = u * r->layer->size + v;
      sum += value;
      squares += value * value;
    }
  return r->layer->kind == CNNBLAS_POOL_MAX   ? largest
         : r->layer->kind == CNNBLAS_POOL_AVG ? sum / count
                                              : sqrtl(squares);
}

/* Adds what output `o` gives to the channel's gradient, and its magnitude. */
static void pool_spread(const layer_rig *r, int64_t x, int64_t o, window w, int64_t place, long double *dx,
                        long double *magnitude)
{
  int64_t size = r->layer->size, count = (w.row_end - w.row) * (w.column_end - w.column);
  long double dy = layer_at(r, r->dy, o), y = layer_at(r, r->y, o);
  for (int64_t u = w.row; u < w.row_end; u++)
    for (int64_t v = w.column; v < w.column_end; v++) {
      int64_t p = u * size + v;
      long double part = 0;
      if (r->layer->kind == CNNBLAS_POOL_MAX) part = p == place ? dy : 0;
      if (r->layer->kind == CNNBLAS_POOL_AVG) part = dy / count;
      if (r->layer->kind == CNNBLAS_POOL_L2) part = y == 0 ? 0 : dy * layer_at(r, r->x, x + p) / y;
      dx[p] += part;
      magnitude[p] += fabsl(part);
    }
}

static double check_pool_plane(const layer_rig *r, int64_t plane, long double *dx, long double *magnitude)
{
  const layer_case *l = r->layer;
  int64_t x = plane * l->size * l->size, o = plane * r->out * r->out;
  long double terms = (long double)(l->kernel * l->kernel) + 2;
  double worst = 0;
  memset(dx, 0, (size_t)(l->size * l->size) * sizeof *dx);
  memset(magnitude, 0, (size_t)(l->size * l->size) * sizeof *magnitude);
  for (int64_t i = 0; i < r->out; i++)
    for (int64_t j = 0; j < r->out; j++, o++) {
      window w = window_at(r, i, j);
      int64_t place = 0;
      long double y = pool_output(r, x, w, &place);
      long double bound =
          l->kind == CNNBLAS_POOL_MAX ? 0 : terms * layer_unit(r) * (l->kind == CNNBLAS_POOL_L2 ? y : 1);
      worst = larger(worst, layer_share(layer_at(r, r->y, o), y, bound));
      if (l->kind == CNNBLAS_POOL_MAX && r->indices[o] != place) worst = INFINITY;
      if (l->direction == LAYER_BACKWARD) pool_spread(r, x, o, w, place, dx, magnitude);
    }
  for (int64_t p = 0; l->direction == LAYER_BACKWARD && p < l->size * l->size; p++)
    worst = larger(worst, layer_share(layer_at(r, r->dx, x + p), dx[p], terms * layer_unit(r) * magnitude[p]));
  return worst;
}

static double check_pool(const layer_rig *r)
{
  int64_t planes = r->n * r->layer->c, step = planes / PLANES + 1;
  size_t pixels = (size_t)(r->layer->size * r->layer->size);
  long double *dx = malloc(2 * pixels * sizeof *dx);
  double worst = dx ? 0 : INFINITY;
  for (int64_t plane = 0; dx && plane < planes; plane += step)
    worst = larger(worst, check_pool_plane(r, plane, dx, dx + pixels));
  free(dx);
  return worst;
}

/* Elements of y = x w^T, dx = dy w or dw = dy^T x as sums of products. */
static double check_fc(const layer_rig *r)
{
  int64_t in = r->layer->c, out = r->layer->size;
  const void *result = r->layer->direction == LAYER_FORWARD    ? r->y
                       : r->layer->direction == LAYER_BACKWARD ? r->dx
                                                               : r->dw;
  int64_t rows = r->layer->direction == LAYER_WEIGHTS ? out : r->n;
  int64_t columns = r->layer->direction == LAYER_FORWARD ? out : in;
  int64_t terms = r->layer->direction == LAYER_FORWARD ? in : r->layer->direction == LAYER_BACKWARD ? out : r->n;
  int64_t step = rows * columns / 2000 + 1;
  double worst = 0;
  for (int64_t e = 0; e < rows * columns; e += step) {
    int64_t row = e / columns, column = e % columns;
    long double sum = 0, magnitude = 0;
    for (int64_t t = 0; t < terms; t++) {
      long double product = 0;
      if (r->layer->direction == LAYER_FORWARD)
        product = (long double)layer_at(r, r->x, row * in + t) * layer_at(r, r->w, column * in + t);
      if (r->layer->direction == LAYER_BACKWARD)
        product = (long double)layer_at(r, r->dy, row * out + t) * layer_at(r, r->w, t * in + column);
      if (r->layer->direction == LAYER_WEIGHTS)
        product = (long double)layer_at(r, r->dy, t * out + row) * layer_at(r, r->x, t * in + column);
      sum += product;
      magnitude += fabsl(product);
    }
    worst = larger(worst, layer_share(layer_at(r, result, e), sum, (long double)terms * layer_unit(r) * magnitude));
  }
  return worst;
}

/* The step that the call is about to make, element by element; x holds the parameters, w the velocity, dx the gradient. */
static double check_sgd(layer_rig *r)
{
  enum { COUNT = 4096 };
  static long double p[COUNT], v[COUNT];
  int64_t step = r->inputs / COUNT;
  for (int64_t i = 0; i < COUNT; i++) {
    p[i] = layer_at(r, r->x, i * step);
    v[i] = (long double)r->sgd.momentum * layer_at(r, r->w, i * step) + layer_at(r, r->dx, i * step) +
           r->sgd.weight_decay * p[i];
    p[i] -= r->sgd.lr * v[i];
  }
  double worst = bench_layer_call(r) ? 0 : INFINITY;
  for (int64_t i = 0; i < COUNT; i++) {
    worst = larger(worst, layer_share(layer_at(r, r->x, i * step), p[i],
                                      4 * layer_unit(r) * (fabsl(p[i]) + fabsl(r->sgd.lr * v[i]))));
    worst = larger(worst, layer_share(layer_at(r, r->w, i * step), v[i], 6 * layer_unit(r) * 3));
  }
  return worst;
}

double bench_layer_check(layer_rig *rig)
{
  if (rig->layer->family == LAYER_SGD) return check_sgd(rig);
  if (rig->layer->family == LAYER_MORE) return bench_more_check(rig);
  if (rig->layer->family == LAYER_ACTIVATION || rig->layer->family == LAYER_POOL) {
    /* the backward call needs what the forward call leaves */
    layer_case forward = *rig->layer;
    const layer_case *own = rig->layer;
    forward.direction = LAYER_FORWARD;
    rig->layer = &forward;
    bool done = bench_layer_call(rig);
    rig->layer = own;
    if (!done) return INFINITY;
  }
  if (!bench_layer_call(rig)) return INFINITY;
  return rig->layer->family == LAYER_ACTIVATION ? check_activation(rig)
         : rig->layer->family == LAYER_POOL     ? check_pool(rig)
                                                : check_fc(rig);
}
