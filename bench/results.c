/* Rows and their names; see results.h. */
#include "results.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool bench_results_add(bench_results *results, const bench_result *result)
{
  if (results->count == results->capacity) {
    size_t capacity = results->capacity ? 2 * results->capacity : 64;
    bench_result *items = realloc(results->items, capacity * sizeof *items);
    if (!items) return false;
    results->items = items;
    results->capacity = capacity;
  }
  results->items[results->count++] = *result;
  return true;
}

void bench_results_free(bench_results *results)
{
  free(results->items);
  *results = (bench_results){0};
}

void bench_result_surround(bench_result *result, double fma_before, double fma_after)
{
  double low = fmin(fma_before, fma_after), high = fmax(fma_before, fma_after);
  result->fma_before = fma_before;
  result->fma_after = fma_after;
  result->peaks_moved = high > 1.1 * low || result->gflops > 1.1 * high;
}

const char *bench_dtype_name(cnnblas_dtype dtype)
{
  return dtype == CNNBLAS_F64 ? "f64" : "f32";
}

void bench_result_name(const bench_result *result, char *buffer, size_t size)
{
  snprintf(buffer, size, "%s:%s/%s/%s", result->problem.set, result->problem.name,
           cnnblas_conv_direction_name(result->direction), result->algorithm);
}
