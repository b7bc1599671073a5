/* Table and JSON of cnnblas-bench --latency; see latency_report.h. */
#include "latency_report.h"
#include "report_parts.h"
#include "reports/json_numbers.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const cache_names[] = {"warm", "cold"};

bool bench_latency_add(bench_latency_report *report, const bench_latency_row *row)
{
  if (report->count == report->capacity) {
    size_t capacity = report->capacity ? 2 * report->capacity : 64;
    bench_latency_row *rows = realloc(report->rows, capacity * sizeof *rows);
    if (!rows) return false;
    report->rows = rows;
    report->capacity = capacity;
  }
  report->rows[report->count++] = *row;
  return true;
}

void bench_latency_print_head(const bench_context *c, size_t cold_bytes)
{
  printf("cnnblas %s, %s, %s, %s, OpenBLAS %s %s, threads %d\n"
         "single calls; warm: after a call on the same arrays; cold: after %.0f MB of other data were read\n",
         cnnblas_version_string(), c->system.cpu_model, c->system.isa, bench_dtype_name(c->dtype),
         c->system.openblas_version, c->system.openblas_flavour, c->threads, 1e-6 * (double)cold_bytes);
  if (c->debug_build) puts("*** DEBUG BUILD: its figures mean nothing ***");
}

void bench_latency_print_problem(const bench_latency_row *first)
{
  printf("\n%s:%s  %s\n%-16s %-28s %-6s %8s %8s %8s %8s %7s\n", first->problem.set, first->problem.name,
         first->descriptor, "direction", "algorithm", "caches", "min us", "p50", "p99", "max", "calls");
}

static void print_micro(double seconds)
{
  double us = 1e6 * seconds;
  printf(" %8.*f", us < 1000 ? 1 : 0, us);
}

void bench_latency_print_row(const bench_latency_row *row, bool first_of_direction)
{
  char algorithm[112];
  bool warm = row->caches == BENCH_WARM, ours = row->kind != BENCH_PEER && row->chosen[0];
  bool named = ours && strcmp(row->chosen, row->algorithm) != 0;
  snprintf(algorithm, sizeof algorithm, "%s%s%s", row->algorithm, named ? ": " : "", named ? row->chosen : "");
  printf("%-16s %-28.28s %-6s", first_of_direction && warm ? cnnblas_conv_direction_name(row->direction) : "",
         warm ? algorithm : "", cache_names[row->caches]);
  print_micro(row->timing.minimum);
  print_micro(row->timing.median);
  print_micro(row->p99);
  print_micro(row->longest);
  printf(" %7lld%s\n", (long long)row->timing.calls, row->verdict.correct ? "" : " WRONG");
}

static void set_text(json_t *object, const char *key, const char *value)
{
  json_object_set_new(object, key, json_string(value));
}

static void set_number(json_t *object, const char *key, double value)
{
  json_object_set_new(object, key, io_json_number(value));
}

static json_t *row_json(const bench_latency_row *r)
{
  json_t *o = json_object();
  char name[256];
  snprintf(name, sizeof name, "%s:%s/%s/%s/%s", r->problem.set, r->problem.name,
           cnnblas_conv_direction_name(r->direction), r->algorithm, cache_names[r->caches]);
  set_text(o, "name", name);
  set_text(o, "run_name", name);
  set_text(o, "run_type", "iteration");
  json_object_set_new(o, "threads", json_integer(r->threads));
  bench_timing_json(o, &r->timing);
  set_number(o, "latency_p50", 1e6 * r->timing.median);
  set_number(o, "latency_p99", 1e6 * r->p99);
  set_number(o, "latency_max", 1e6 * r->longest);
  set_text(o, "caches", cache_names[r->caches]);
  set_text(o, "set", r->problem.set);
  set_text(o, "layer", r->problem.name);
  set_text(o, "problem", r->descriptor);
  json_object_set_new(o, "batch", json_integer((json_int_t)r->problem.desc.n));
  set_text(o, "dtype", bench_dtype_name(r->problem.desc.dtype));
  set_text(o, "direction", cnnblas_conv_direction_name(r->direction));
  set_text(o, "algorithm", r->algorithm);
  set_text(o, "kind", r->kind == BENCH_PEER ? "peer" : "cnnblas");
  set_text(o, "chosen", r->chosen);
  set_number(o, "max_error", r->verdict.max_error);
  json_object_set_new(o, "error_occurred", json_boolean(!r->verdict.correct));
  if (!r->verdict.correct) set_text(o, "error_message", "wrong result");
  return o;
}

bool bench_latency_write(const char *path, const bench_latency_report *report, const bench_context *context,
                         size_t cold_bytes)
{
  json_t *about = bench_context_json(context), *rows = json_array();
  json_object_set_new(about, "cold_bytes", json_integer((json_int_t)cold_bytes));
  for (size_t i = 0; i < report->count; i++) json_array_append_new(rows, row_json(&report->rows[i]));
  if (json_array_size(rows) == report->count) return bench_report_dump(path, about, rows);
  json_decref(about);
  json_decref(rows);
  errno = ENOMEM;
  return false;
}
