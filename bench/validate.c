/* Problems and plans, tried without measuring; see validate.h. */
#include "validate.h"
#include "process_memory.h"
#include "runner.h"
#include "task.h"
#include "tasks.h"
#include <stdio.h>
#include <string.h>

/* An exit status; what is wrong has been said. */
static int check_problem(const bench_options *options, const bench_problem *problem)
{
  cnnblas_conv_desc desc = bench_run_desc(options, problem);
  cnnblas_conv_shape shape;
  if (cnnblas_conv_get_shape(&desc, &shape)) {
    fprintf(stderr, "cnnblas-bench: %s:%s: %s\n", problem->set, problem->name, cnnblas_last_error());
    return BENCH_BAD_INPUT;
  }
  double element = (double)bench_element_bytes(desc.dtype);
  double largest = (double)shape.x_elements; /* one array more takes any of the results */
  if (largest < (double)shape.y_elements) largest = (double)shape.y_elements;
  if (largest < (double)shape.w_elements) largest = (double)shape.w_elements;
  double bytes = element * ((double)shape.x_elements + (double)shape.w_elements + (double)shape.y_elements + largest);
  double available = (double)bench_memory_available();
  if (bytes <= available) return BENCH_OK;
  fprintf(stderr, "cnnblas-bench: %s:%s: its arrays do not fit into the %.1f GB of memory that are free\n",
          problem->set, problem->name, available * 1e-9);
  return BENCH_NO_MEMORY;
}

/* Whether the algorithm has a plan for some direction of the problem; why receives the reason if it has none. */
static bool applies(const bench_options *options, const bench_problem *problem, const char *algorithm, char *why,
                    size_t why_size)
{
  cnnblas_conv_desc desc = bench_run_desc(options, problem);
  cnnblas_conv_options plan_options =
      bench_library_options(options, algorithm, problem->threads ? problem->threads : options->threads);
  plan_options.effort = CNNBLAS_ESTIMATE; /* measuring takes its time, and chooses among the same */
  plan_options.wisdom = NULL;
  for (int d = 0; d < 3; d++) {
    cnnblas_conv_plan *plan;
    if (!options->directions[d]) continue;
    cnnblas_status status = cnnblas_conv_plan_create(&desc, (cnnblas_conv_direction)d, &plan_options, &plan);
    if (!status) {
      cnnblas_conv_plan_destroy(plan);
      return true;
    }
    snprintf(why, why_size, "%s:%s, %s: %s", problem->set, problem->name,
             cnnblas_conv_direction_name((cnnblas_conv_direction)d), cnnblas_last_error());
    if (status == CNNBLAS_OUT_OF_MEMORY) return true; /* it is the run that says so */
  }
  return false;
}

static bool check_algorithm(const bench_options *options, const char *algorithm)
{
  char why[512] = "";
  for (size_t i = 0; i < options->problems.count; i++)
    if (applies(options, &options->problems.items[i], algorithm, why, sizeof why)) return true;
  fprintf(stderr, "cnnblas-bench: --algorithm %s applies to no layer and direction of this run\n  %s\n", algorithm,
          why);
  return false;
}

bool bench_validate(bench_options *options, int *status)
{
  size_t kept = 0;
  *status = BENCH_OK;
  for (size_t i = 0; i < options->problems.count; i++) {
    int checked = check_problem(options, &options->problems.items[i]);
    if (checked == BENCH_OK)
      options->problems.items[kept++] = options->problems.items[i];
    else
      *status = checked;
  }
  bool swept_away = options->sweep_count && !options->problems.count;
  options->problems.count = kept;
  if (!kept) {
    fprintf(stderr, "cnnblas-bench: nothing to run: %s\n",
            swept_away ? "no problem can take any value of the sweep" : "no problem is left");
    if (*status == BENCH_OK) *status = BENCH_BAD_INPUT;
    return false;
  }
  for (size_t i = 0; options->algorithms_named && i < options->algorithm_count; i++)
    if (!check_algorithm(options, options->algorithms[i])) {
      *status = BENCH_BAD_INPUT;
      return false;
    }
  return true;
}
