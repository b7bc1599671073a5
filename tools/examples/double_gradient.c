/*
 * Double precision: backward_weights of a layer against finite differences, which need the digits that float lacks.
 * The loss is sum(y * dy), so that its derivative with respect to a weight is that weight's gradient.
 *
 *   cc double_gradient.c $(pkg-config --cflags --libs cnnblas) && ./a.out
 */
#include <cnnblas/cnnblas.h>
#include <stdio.h>

enum { N = 2, C = 3, K = 4, SIZE = 8, FILTER = 3, OUT = 6 };

static double x[N * C * SIZE * SIZE], w[K * C * FILTER * FILTER], dw[K * C * FILTER * FILTER];
static double y[N * K * OUT * OUT], dy[N * K * OUT * OUT];
static const cnnblas_conv_desc desc = {
    .dtype = CNNBLAS_F64, .n = N, .c = C, .k = K, .size = {SIZE, SIZE}, .kernel = {FILTER, FILTER}};

static void fill(double *array, size_t count, uint64_t stream)
{
  for (size_t i = 0; i < count; i++) array[i] = cnnblas_random_normal(7, stream, i);
}

static int loss(double *sum)
{
  if (cnnblas_conv_forward_once(&desc, x, w, NULL, y) != CNNBLAS_OK) return 1;
  *sum = 0;
  for (size_t i = 0; i < sizeof y / sizeof *y; i++) *sum += y[i] * dy[i];
  return 0;
}

int main(void)
{
  const double step = 1e-3; /* the loss is linear in w: any step will do */
  double worst = 0;
  fill(x, sizeof x / sizeof *x, 0);
  fill(w, sizeof w / sizeof *w, 1);
  fill(dy, sizeof dy / sizeof *dy, 2);
  int failures = cnnblas_conv_backward_weights_once(&desc, x, dy, dw, NULL) != CNNBLAS_OK;
  for (size_t i = 0; i < sizeof w / sizeof *w && !failures; i++) {
    double above = 0, below = 0;
    const double kept = w[i];
    w[i] = kept + step;
    failures += loss(&above);
    w[i] = kept - step;
    failures += loss(&below);
    w[i] = kept;
    const double apart = (above - below) / (2 * step) - dw[i];
    if (apart > worst) worst = apart;
    if (-apart > worst) worst = -apart;
  }
  if (failures) {
    fprintf(stderr, "double_gradient: %s\n", cnnblas_last_error());
    return 1;
  }
  printf("%zu weights: the gradient differs from finite differences by at most %.1e\n", sizeof w / sizeof *w, worst);
  return worst < 1e-9 ? 0 : 1;
}
