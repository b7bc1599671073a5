/* CSV after RFC 4180: a head line, one line a row, texts quoted. */
#include "report.h"
#include "reports/output.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void text(FILE *file, const char *value)
{
  fputc('"', file);
  for (; *value; value++) {
    if (*value == '"') fputc('"', file);
    fputc(*value, file);
  }
  fputs("\",", file);
}

static void number(FILE *file, double value)
{
  if (isfinite(value)) fprintf(file, "%.9g", value); /* empty where there is no number */
  fputc(',', file);
}

static void write_row(FILE *file, const bench_result *r, const bench_context *context)
{
  char name[256];
  bench_result_name(r, name, sizeof name);
  text(file, name);
  text(file, r->problem.set);
  text(file, r->problem.name);
  text(file, r->descriptor);
  text(file, cnnblas_conv_direction_name(r->direction));
  text(file, r->algorithm);
  text(file, r->chosen);
  fprintf(file, "%lld,%d,%s,%lld,%lld,", (long long)r->problem.desc.n, r->threads,
          bench_dtype_name(r->problem.desc.dtype), (long long)r->problem.repeats, (long long)r->timing.calls);
  number(file, 1e6 * r->timing.minimum);
  number(file, 1e6 * r->timing.median);
  number(file, bench_timing_spread(&r->timing));
  number(file, r->gflops);
  number(file, 100 * r->gflops / r->peaks.fma_gflops);
  number(file, r->peaks.gemm_gflops > 0 ? 100 * r->gflops / r->peaks.gemm_gflops : NAN);
  number(file, r->roof_gflops);
  number(file, 100 * r->gflops / r->roof_gflops);
  number(file, r->speedup_over_naive > 0 ? r->speedup_over_naive : NAN);
  number(file, r->versus_ours > 0 ? r->versus_ours : NAN);
  fprintf(file, "%d,%zu,%zu,", r->close_to_ours, r->workspace_bytes, r->memory_bytes);
  number(file, r->verdict.max_error);
  fprintf(file, "%s,%s,%s,", r->verdict.correct ? "yes" : "no", context->debug_build ? "debug" : "release",
          bench_load_name(r->load.verdict));
  number(file, r->load.foreign);
  number(file, r->load.stolen);
  number(file, r->fma_before);
  number(file, r->fma_after);
  fprintf(file, "%s\n", r->peaks_moved ? "yes" : "no");
}

bool bench_csv_write(const char *path, const bench_results *results, const bench_context *context)
{
  bool named = strcmp(path, "-") != 0;
  io_output output = {.file = stdout};
  if (named && io_output_open(&output, path)) return false;
  FILE *file = output.file;
  fputs(
      "name,set,layer,problem,direction,algorithm,chosen,batch,threads,dtype,repeats,iterations,time_us,time_median_us,"
      "time_spread,gflops,percent_of_peak,percent_of_gemm_peak,roof_gflops,percent_of_roof,speedup_over_naive,"
      "time_versus_ours,close_to_ours,workspace_bytes,memory_bytes,max_error,correct,build,"
      "load,foreign_load,stolen_load,fma_peak_before_gflops,fma_peak_after_gflops,peaks_moved\n",
      file);
  for (size_t i = 0; i < results->count; i++) write_row(file, &results->items[i], context);
  return named ? io_output_close(&output) == 0 : fflush(file) == 0 && !ferror(file);
}
