/*
 * The three directions on a 3 x 3 input and a 2 x 2 filter, small enough to check by hand: y = x correlated with w, then
 * from a gradient dy those of w and x. At the end the textbooks' formula delta * rot180(a), which is the gradient of a
 * true convolution's filter, and rot180 of a cross-correlation's.
 *
 *   cc three_directions.c $(pkg-config --cflags --libs cnnblas) && ./a.out
 */
#include <cnnblas/cnnblas.h>
#include <stdio.h>
#include <stdlib.h>

static void print(const char *name, int side, const float *a)
{
  for (int i = 0; i < side; i++) {
    printf("%-9s", i ? "" : name);
    for (int j = 0; j < side; j++) printf(" %3g", a[i * side + j]);
    putchar('\n');
  }
}

static void check(cnnblas_status status)
{
  if (status == CNNBLAS_OK) return;
  fprintf(stderr, "three_directions: %s\n", cnnblas_last_error());
  exit(1);
}

/* One call in one direction: a plan made, executed and destroyed. */
static void run(const cnnblas_conv_desc *desc, cnnblas_conv_direction direction, const float *a, const float *b,
                float *out)
{
  cnnblas_conv_plan *plan;
  check(cnnblas_conv_plan_create(desc, direction, NULL, &plan));
  if (direction == CNNBLAS_FORWARD) check(cnnblas_conv_forward(plan, 1, a, b, NULL, out, NULL, 0));
  if (direction == CNNBLAS_BACKWARD_DATA) check(cnnblas_conv_backward_data(plan, 1, a, b, out, NULL, 0));
  if (direction == CNNBLAS_BACKWARD_WEIGHTS) check(cnnblas_conv_backward_weights(plan, 1, a, b, out, NULL, NULL, 0));
  cnnblas_conv_plan_destroy(plan);
}

int main(void)
{
  const float x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, w[4] = {1, 0, 2, -1}, dy[4] = {1, -1, 2, 0};
  float y[4], dw[4], dx[9];
  cnnblas_conv_desc desc = {.n = 1, .c = 1, .k = 1, .size = {3, 3}, .kernel = {2, 2}};
  run(&desc, CNNBLAS_FORWARD, x, w, y);
  run(&desc, CNNBLAS_BACKWARD_WEIGHTS, x, dy, dw);
  run(&desc, CNNBLAS_BACKWARD_DATA, dy, w, dx);
  print("x", 3, x);
  print("w", 2, w);
  print("y", 2, y);
  print("dy", 2, dy);
  print("dw", 2, dw);
  print("dx", 3, dx);
  desc.mode = CNNBLAS_TRUE_CONVOLUTION;
  run(&desc, CNNBLAS_BACKWARD_WEIGHTS, x, dy, dw);
  print("true dw", 2, dw);
}
