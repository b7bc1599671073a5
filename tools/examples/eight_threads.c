/*
 * One plan executed by eight threads at once: a plan never changes, so that threads may share it. Each call gets an
 * output and a workspace of its own, and runs on the thread that makes it (threads = 1).
 *
 *   cc eight_threads.c $(pkg-config --cflags --libs cnnblas) -lpthread && ./a.out
 */
#include <cnnblas/cnnblas.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8 };

typedef struct {
  const cnnblas_conv_plan *plan;
  const float *x, *w; /* read by all */
  float *y;           /* written by one */
  void *workspace;
  size_t workspace_bytes;
  cnnblas_status status;
  char error[512]; /* cnnblas_last_error() belongs to the thread that failed */
} job;

static void *run(void *argument)
{
  job *j = argument;
  j->status = cnnblas_conv_forward(j->plan, 1, j->x, j->w, NULL, j->y, j->workspace, j->workspace_bytes);
  snprintf(j->error, sizeof j->error, "%s", cnnblas_last_error());
  return NULL;
}

/* Runs all jobs at once; 0 if each of them worked. */
static int run_all(job jobs[THREADS])
{
  pthread_t threads[THREADS];
  int started = 0, failures = 0;
  while (started < THREADS && pthread_create(&threads[started], NULL, run, &jobs[started]) == 0) started++;
  failures += started < THREADS;
  for (int i = 0; i < started; i++) {
    pthread_join(threads[i], NULL);
    if (jobs[i].status != CNNBLAS_OK) fprintf(stderr, "thread %d: %s\n", i, jobs[i].error);
    failures += jobs[i].status != CNNBLAS_OK;
  }
  return failures;
}

int main(void)
{
  const cnnblas_conv_desc desc = {
      .n = 1, .c = 16, .k = 32, .size = {28, 28}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
  const cnnblas_conv_options options = {.threads = 1, .no_alloc = 1};
  cnnblas_conv_shape shape;
  cnnblas_conv_plan *plan = NULL;
  if (cnnblas_conv_get_shape(&desc, &shape) != CNNBLAS_OK ||
      cnnblas_conv_plan_create(&desc, CNNBLAS_FORWARD, &options, &plan) != CNNBLAS_OK) {
    fprintf(stderr, "eight_threads: %s\n", cnnblas_last_error());
    return 1;
  }

  const size_t y_bytes = (size_t)shape.y_elements * sizeof(float), workspace_bytes = cnnblas_conv_plan_workspace(plan);
  float *x = malloc((size_t)shape.x_elements * sizeof *x), *w = malloc((size_t)shape.w_elements * sizeof *w);
  char *outputs = malloc(THREADS * y_bytes), *workspaces = malloc(THREADS * workspace_bytes + 1);
  int result = 1;
  if (x && w && outputs && workspaces) {
    for (int64_t i = 0; i < shape.x_elements; i++) x[i] = (float)cnnblas_random_normal(1, 0, (uint64_t)i);
    for (int64_t i = 0; i < shape.w_elements; i++) w[i] = (float)cnnblas_random_normal(1, 1, (uint64_t)i);
    job jobs[THREADS];
    for (int i = 0; i < THREADS; i++)
      jobs[i] = (job){.plan = plan,
                      .x = x,
                      .w = w,
                      .y = (float *)(void *)(outputs + (size_t)i * y_bytes),
                      .workspace = workspaces + (size_t)i * workspace_bytes,
                      .workspace_bytes = workspace_bytes};
    int different = 0;
    result = run_all(jobs);
    for (int i = 1; i < THREADS; i++) different += memcmp(outputs, outputs + (size_t)i * y_bytes, y_bytes) != 0;
    printf("%d threads, one plan (%s), %zu bytes of workspace each: %d of %d results differ from the first\n", THREADS,
           cnnblas_conv_plan_algorithm(plan), workspace_bytes, different, THREADS - 1);
    result += different;
  }
  free(x);
  free(w);
  free(outputs);
  free(workspaces);
  cnnblas_conv_plan_destroy(plan);
  return result ? 1 : 0;
}
