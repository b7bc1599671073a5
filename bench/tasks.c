/* Walks through the problems of a run; see tasks.h. */
#include "tasks.h"
#include "arrays.h"
#include "openblas.h"
#include "process_memory.h"
#include <stdio.h>
#include <unistd.h>

cnnblas_conv_desc bench_run_desc(const bench_options *options, const bench_problem *problem)
{
  cnnblas_conv_desc desc = problem->desc;
  desc.dtype = options->dtype;
  /* A sweep has set the batch of its problems itself, from --batch if that was given. */
  if (options->batch && !problem->sweeps) desc.n = options->batch;
  return desc;
}

int bench_status_of_both(int status, int now)
{
  return status == BENCH_OK || now == BENCH_CHECK_FAILED ? now : status;
}

static int run_directions(const bench_options *options, const bench_problem *problem, const cnnblas_conv_desc *desc,
                          int threads, bench_on_task on_task, void *context)
{
  bench_arrays arrays;
  int status = BENCH_OK;
  if (!bench_arrays_make(desc, &arrays)) return BENCH_NO_MEMORY;
  for (int d = 0; d < 3; d++) {
    if (!options->directions[d]) continue;
    bench_task task = bench_task_make(desc, (cnnblas_conv_direction)d, threads, &arrays);
    bench_expected *expected = bench_expected_create(&task, BENCH_COVER_BY_SIZE);
    int now = expected ? on_task(context, problem, &task, expected) : BENCH_NO_MEMORY;
    bench_expected_destroy(expected);
    status = bench_status_of_both(status, now);
  }
  bench_arrays_free(&arrays);
  return status;
}

static int run_problem(const bench_options *options, const bench_problem *problem, bench_on_task on_task, void *context)
{
  cnnblas_conv_desc desc = bench_run_desc(options, problem);
  cnnblas_conv_shape shape;
  if (cnnblas_conv_get_shape(&desc, &shape)) {
    fprintf(stderr, "cnnblas-bench: %s:%s: %s\n", problem->set, problem->name, cnnblas_last_error());
    return BENCH_BAD_INPUT;
  }
  int threads = problem->threads ? problem->threads : options->threads;
  bench_set_threads(threads);
  int status = run_directions(options, problem, &desc, threads, on_task, context);
  if (status == BENCH_NO_MEMORY)
    fprintf(stderr, "cnnblas-bench: %s:%s: does not fit into the %.1f GB of memory that are free\n", problem->set,
            problem->name, (double)bench_memory_available() * 1e-9);
  return status;
}

int bench_tasks_run(const bench_options *options, bench_on_task on_task, void *context)
{
  const bench_problem_list *problems = &options->problems;
  int status = BENCH_OK;
  for (size_t i = 0; i < problems->count; i++) {
    const bench_problem *problem = &problems->items[i];
    if (isatty(STDERR_FILENO))
      fprintf(stderr, "\r\033[K%zu of %zu: %s:%s\r", i + 1, problems->count, problem->set, problem->name);
    status = bench_status_of_both(status, run_problem(options, problem, on_task, context));
  }
  if (isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
  return status;
}
