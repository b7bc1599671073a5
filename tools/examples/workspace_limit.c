/*
 * A limit on memory: the same layer with the default workspace, with at most 64 KiB a thread, and with none at all. The
 * workspace is the caller's, and no_alloc makes sure that the library allocates nothing while it computes.
 *
 *   cc workspace_limit.c $(pkg-config --cflags --libs cnnblas) && ./a.out
 */
#include <cnnblas/cnnblas.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIMIT = 64 * 1024 };

static int failed(void)
{
  fprintf(stderr, "workspace_limit: %s\n", cnnblas_last_error());
  return 1;
}

/* Makes a plan, checks its workspace against what was asked, executes it. 0 if all was well. */
static int run(const cnnblas_conv_desc *desc, const cnnblas_conv_options *options, const char *name, const float *x,
               const float *w, float *y)
{
  cnnblas_conv_plan *plan;
  if (cnnblas_conv_plan_create(desc, CNNBLAS_FORWARD, options, &plan) != CNNBLAS_OK) return failed();
  const size_t bytes = cnnblas_conv_plan_workspace(plan), threads = (size_t)cnnblas_conv_plan_threads(plan);
  void *workspace = bytes ? malloc(bytes) : NULL;
  int result = bytes && !workspace;
  printf("%-8s %-14s %8zu bytes for %zu threads\n", name, cnnblas_conv_plan_algorithm(plan), bytes, threads);
  if (options->workspace == CNNBLAS_WORKSPACE_LIMIT && bytes > threads * options->workspace_limit) result = 1;
  if (options->workspace == CNNBLAS_WORKSPACE_NONE && bytes != 0) result = 1;
  if (result) fprintf(stderr, "workspace_limit: %s: a workspace that is too large\n", name);
  if (!result && cnnblas_conv_forward(plan, desc->n, x, w, NULL, y, workspace, bytes) != CNNBLAS_OK) result = failed();
  free(workspace);
  cnnblas_conv_plan_destroy(plan);
  return result;
}

/* The largest difference of two arrays, relative to the largest element. */
static double difference(const float *a, const float *b, int64_t count)
{
  double largest = 0, apart = 0;
  for (int64_t i = 0; i < count; i++) {
    const double size = a[i] < 0 ? -a[i] : a[i], d = a[i] < b[i] ? (double)b[i] - a[i] : (double)a[i] - b[i];
    if (size > largest) largest = size;
    if (d > apart) apart = d;
  }
  return largest > 0 ? apart / largest : apart;
}

int main(void)
{
  const cnnblas_conv_desc desc = {
      .n = 2, .c = 64, .k = 64, .size = {56, 56}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
  const cnnblas_conv_options options[3] = {
      {.no_alloc = 1},
      {.workspace = CNNBLAS_WORKSPACE_LIMIT, .workspace_limit = LIMIT, .no_alloc = 1},
      {.workspace = CNNBLAS_WORKSPACE_NONE, .no_alloc = 1}};
  static const char *const names[3] = {"default", "64 KiB", "none"};
  cnnblas_conv_shape shape;
  if (cnnblas_conv_get_shape(&desc, &shape) != CNNBLAS_OK) return failed();
  float *x = malloc((size_t)shape.x_elements * sizeof *x), *w = malloc((size_t)shape.w_elements * sizeof *w);
  float *y = malloc(3 * (size_t)shape.y_elements * sizeof *y);
  int result = !x || !w || !y;
  if (!result) {
    for (int64_t i = 0; i < shape.x_elements; i++) x[i] = (float)cnnblas_random_normal(1, 0, (uint64_t)i);
    for (int64_t i = 0; i < shape.w_elements; i++) w[i] = (float)cnnblas_random_normal(1, 1, (uint64_t)i);
    for (int i = 0; i < 3; i++) result |= run(&desc, &options[i], names[i], x, w, y + i * shape.y_elements);
    for (int i = 1; i < 3 && !result; i++) {
      /* another workspace may mean another order of summation: 576 terms, each rounded to 2^-24 of itself */
      const double apart = difference(y, y + i * shape.y_elements, shape.y_elements);
      printf("%-8s differs from default by %.1e of the largest result\n", names[i], apart);
      result |= !(apart <= 1e-5);
    }
  }
  free(x);
  free(w);
  free(y);
  return result;
}
