/* JSON in Google Benchmark's schema: "context" and "benchmarks"; our own fields beside its. See README.md for each. */
#include "report_parts.h"
#include "reports/json_numbers.h"
#include "reports/output.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void set_text(json_t *object, const char *key, const char *value)
{
  json_object_set_new(object, key, json_string(value));
}

static void set_integer(json_t *object, const char *key, int64_t value)
{
  json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void set_number(json_t *object, const char *key, double value)
{
  json_object_set_new(object, key, io_json_number(value));
}

static json_t *cache(const char *type, int level, size_t bytes)
{
  json_t *object = json_object();
  set_text(object, "type", type);
  set_integer(object, "level", level);
  set_integer(object, "size", (int64_t)bytes);
  return object;
}

json_t *bench_context_json(const bench_context *c)
{
  const cnnblas_system_info *s = &c->system;
  json_t *o = json_object(), *caches = json_array();
  char text[96];
  time_t now = time(NULL);
  struct tm local;
  if (localtime_r(&now, &local) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &local))
    set_text(o, "date", text);
  if (gethostname(text, sizeof text) == 0) {
    text[sizeof text - 1] = 0;
    set_text(o, "host_name", text);
  }
  set_text(o, "executable", c->executable);
  set_integer(o, "cpus_online", sysconf(_SC_NPROCESSORS_ONLN));
  set_integer(o, "num_cpus", s->cores);
  json_object_set_new(o, "cpu_quota", s->quota ? json_integer((json_int_t)s->quota) : json_null());
  set_integer(o, "default_threads", s->threads);
  json_array_append_new(caches, cache("Data", 1, s->l1d_bytes));
  json_array_append_new(caches, cache("Unified", 2, s->l2_bytes));
  json_array_append_new(caches, cache("Unified", 3, s->l3_bytes));
  json_object_set_new(o, "caches", caches);
  set_text(o, "library_build_type", c->debug_build ? "debug" : "release");
  set_text(o, "build_type", c->build_type);
  json_object_set_new(o, "debug_build", json_boolean(c->debug_build));
  set_text(o, "compiler", c->compiler);
  set_text(o, "cnnblas_version", cnnblas_version_string());
  set_text(o, "cpu", s->cpu_model);
  set_text(o, "isa", s->isa);
  set_text(o, "isa_detected", s->isa_detected);
  set_integer(o, "threads", c->threads);
  set_text(o, "dtype", bench_dtype_name(c->dtype));
  set_text(o, "accuracy", cnnblas_accuracy_policy_name(c->accuracy));
  set_text(o, "openblas_version", s->openblas_version);
  set_text(o, "openblas_core", s->openblas_core);
  set_text(o, "openblas_flavour", s->openblas_flavour);
  set_text(o, "openmp_runtime", s->openmp_runtime);
  set_integer(o, "openmp_version", s->openmp_version);
  set_text(o, "onednn_version", c->onednn_version);
  json_object_set_new(o, "load_known", json_boolean(c->load_known));
  set_text(o, "fma_peak_isa", c->peaks.fma_isa);
  set_number(o, "fma_peak_gflops", c->peaks.fma_gflops);
  set_number(o, "gemm_peak_gflops", c->peaks.gemm_gflops);
  set_number(o, "memory_peak_gbytes_per_second", c->peaks.bandwidth_gbytes);
  return o;
}

void bench_timing_json(json_t *row, const bench_timing *timing)
{
  set_integer(row, "iterations", timing->calls);
  set_number(row, "real_time", 1e6 * timing->minimum);
  set_number(row, "cpu_time", 1e6 * timing->cpu);
  set_text(row, "time_unit", "us");
  set_number(row, "time_median", 1e6 * timing->median);
  set_number(row, "time_spread", bench_timing_spread(timing));
  set_number(row, "time_quartile_low", 1e6 * timing->low);
  set_number(row, "time_quartile_high", 1e6 * timing->high);
}

void bench_load_json(json_t *row, const bench_load *load)
{
  set_text(row, "load", bench_load_name(load->verdict));
  set_number(row, "foreign_load", load->foreign);
  set_number(row, "stolen_load", load->stolen);
}

static json_t *row_json(const bench_result *r)
{
  static const char *const kinds[] = {"cnnblas", "naive", "peer"};
  json_t *o = json_object();
  char name[256];
  bench_result_name(r, name, sizeof name);
  set_text(o, "name", name);
  set_text(o, "run_name", name);
  set_text(o, "run_type", "iteration");
  set_integer(o, "repetitions", 1);
  set_integer(o, "repetition_index", 0);
  set_integer(o, "threads", r->threads);
  bench_timing_json(o, &r->timing);
  set_text(o, "set", r->problem.set);
  set_text(o, "layer", r->problem.name);
  set_text(o, "problem", r->descriptor);
  set_integer(o, "batch", r->problem.desc.n);
  set_text(o, "dtype", bench_dtype_name(r->problem.desc.dtype));
  set_text(o, "direction", cnnblas_conv_direction_name(r->direction));
  set_text(o, "algorithm", r->algorithm);
  set_text(o, "kind", kinds[r->kind]);
  set_text(o, "chosen", r->chosen);
  if (r->kind == BENCH_OURS) set_text(o, "accuracy", cnnblas_accuracy_policy_name(r->accuracy));
  set_text(o, "error_bound", r->verdict.norm_wise ? "norm-wise" : "element-wise");
  set_integer(o, "repeats", r->problem.repeats);
  set_number(o, "flops", r->flops);
  set_number(o, "bytes", r->bytes);
  set_number(o, "gflops", r->gflops);
  set_number(o, "percent_of_peak", 100 * r->gflops / r->peaks.fma_gflops);
  set_number(o, "percent_of_gemm_peak", r->peaks.gemm_gflops > 0 ? 100 * r->gflops / r->peaks.gemm_gflops : NAN);
  set_number(o, "roof_gflops", r->roof_gflops);
  set_number(o, "percent_of_roof", 100 * r->gflops / r->roof_gflops);
  set_number(o, "speedup_over_naive", r->speedup_over_naive > 0 ? r->speedup_over_naive : NAN);
  set_number(o, "time_versus_ours", r->versus_ours > 0 ? r->versus_ours : NAN);
  json_object_set_new(o, "close_to_ours", json_boolean(r->close_to_ours));
  bench_load_json(o, &r->load);
  set_number(o, "fma_peak_before_gflops", r->fma_before);
  set_number(o, "fma_peak_after_gflops", r->fma_after);
  json_object_set_new(o, "peaks_moved", json_boolean(r->peaks_moved));
  set_integer(o, "workspace_bytes", (int64_t)r->workspace_bytes);
  set_integer(o, "memory_bytes", (int64_t)r->memory_bytes);
  set_number(o, "max_error", r->verdict.max_error);
  set_number(o, "error_share_of_bound", r->verdict.share_of_bound);
  set_integer(o, "checked_outputs", (int64_t)r->verdict.checked);
  json_object_set_new(o, "error_occurred", json_boolean(!r->verdict.correct));
  if (!r->verdict.correct) set_text(o, "error_message", "wrong result");
  if (r->problem.sweeps) set_number(o, "sweep_value", r->problem.sweep_values[r->problem.sweeps - 1]);
  return o;
}

static FILE *json_stdout; /* standard output, once it is for JSON alone */

bool bench_json_take_stdout(void)
{
  if (json_stdout) return true;
  int copy = dup(STDOUT_FILENO);
  json_stdout = copy < 0 ? NULL : fdopen(copy, "w");
  return json_stdout && freopen("/dev/null", "w", stdout);
}

bool bench_report_dump(const char *path, json_t *context, json_t *rows)
{
  json_t *root = json_object();
  json_object_set_new(root, "context", context);
  json_object_set_new(root, "benchmarks", rows);
  char *text = json_object_size(root) == 2 ? json_dumps(root, JSON_INDENT(2)) : NULL;
  json_decref(root);
  if (!text) {
    errno = ENOMEM;
    return false;
  }
  io_json_shorten_numbers(text);
  bool named = strcmp(path, "-") != 0;
  io_output output = {.file = json_stdout ? json_stdout : stdout};
  bool ok = !named || io_output_open(&output, path) == 0;
  if (ok) fprintf(output.file, "%s\n", text);
  if (ok) ok = named ? io_output_close(&output) == 0 : fflush(output.file) == 0 && !ferror(output.file);
  int error = errno;
  free(text);
  errno = error;
  return ok;
}

bool bench_json_write(const char *path, const bench_results *results, const bench_context *context)
{
  json_t *rows = json_array();
  for (size_t i = 0; i < results->count; i++) json_array_append_new(rows, row_json(&results->items[i]));
  if (json_array_size(rows) == results->count) return bench_report_dump(path, bench_context_json(context), rows);
  json_decref(rows);
  errno = ENOMEM;
  return false;
}
