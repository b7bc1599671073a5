/* Table and JSON of cnnblas-bench ab; see ab_report.h. */
#include "ab_report.h"
#include "marks.h"
#include "report_parts.h"
#include "reports/json_numbers.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORST = 5 };

bool bench_ab_add(bench_ab_report *report, const bench_ab_row *row)
{
  if (report->count == report->capacity) {
    size_t capacity = report->capacity ? 2 * report->capacity : 64;
    bench_ab_row *rows = realloc(report->rows, capacity * sizeof *rows);
    if (!rows) return false;
    report->rows = rows;
    report->capacity = capacity;
  }
  report->rows[report->count++] = *row;
  return true;
}

void bench_ab_print_head(const bench_ab_report *report, const bench_options *options)
{
  for (size_t i = 0; i < report->build_count; i++) {
    const bench_build *b = &report->builds[i];
    const cnnblas_system_info *s = &b->system;
    printf("%c  %s\n   cnnblas %s, %s, %s, OpenBLAS %s %s %s\n", bench_ab_letter(i), b->path, b->api.version_string(),
           s->isa, s->openmp_runtime, s->openblas_version, s->openblas_flavour, s->openblas_core);
  }
  for (size_t i = 1; i < report->build_count; i++)
    if (report->builds[i].handle == report->builds[0].handle)
      printf("%c is the same file as A: what differs is noise\n", bench_ab_letter(i));
  printf("%s\n%s, threads %d, %g s for each build, layer and direction, in turns\n"
         "A/this: A's shortest time over this build's, above 1 is faster; ~ the quartiles overlap: noise\n",
         report->builds[0].system.cpu_model, bench_dtype_name(options->dtype), options->threads, options->min_time);
}

void bench_ab_print_problem(const bench_ab_row *first)
{
  printf("\n%s:%s  %s\n%-16s %-27s %-2s %10s %10s %8s %7s     %s\n", first->problem.set, first->problem.name,
         first->descriptor, "direction", "algorithm", "", "min ms", "median ms", "GFLOP/s", "A/this", "result");
}

static void print_result(const bench_ab_row *row)
{
  printf("%-2s", bench_mark(&row->load, false));
  if (!row->verdict.correct)
    puts("WRONG");
  else if (row->ratio <= 0)
    puts("right");
  else if (row->different)
    printf("bits differ, %.0e\n", row->largest_difference);
  else
    puts("same bits");
}

void bench_ab_print_row(const bench_ab_row *row, bool first_of_direction)
{
  char algorithm[112];
  bool other_name = row->chosen[0] && strcmp(row->chosen, row->algorithm) != 0;
  snprintf(algorithm, sizeof algorithm, "%s%s%s", row->algorithm, other_name ? ": " : "",
           other_name ? row->chosen : "");
  int digits = row->timing.minimum < 0.01 ? 4 : 2;
  printf("%-16s %-27.27s %-2c %10.*f %10.*f %8.1f ",
         first_of_direction ? cnnblas_conv_direction_name(row->direction) : "", algorithm, bench_ab_letter(row->build),
         digits, 1e3 * row->timing.minimum, digits, 1e3 * row->timing.median,
         row->timing.minimum > 0 ? row->flops / row->timing.minimum * 1e-9 : 0);
  if (row->ratio > 0)
    printf("%7.3f %c ", row->ratio, row->close ? '~' : ' ');
  else
    printf("%7s   ", "");
  print_result(row);
}

static bool same_group(const bench_ab_row *a, const bench_ab_row *b)
{
  return a->build == b->build && a->direction == b->direction && strcmp(a->algorithm, b->algorithm) == 0;
}

/* The mean of the group that the row at first begins. */
static void print_mean(const bench_ab_report *report, size_t first)
{
  const bench_ab_row *head = &report->rows[first];
  double sum = 0;
  size_t count = 0, faster = 0, close = 0, different = 0;
  for (size_t i = first; i < report->count; i++) {
    const bench_ab_row *row = &report->rows[i];
    if (!same_group(head, row) || row->ratio <= 0) continue;
    sum += log(row->ratio);
    count++;
    faster += row->ratio > 1;
    close += row->close;
    different += row->different > 0;
  }
  if (count)
    printf("%c  %-16s %-24s %7.3f  over %zu: faster in %zu, %zu~, bits differ in %zu\n", bench_ab_letter(head->build),
           cnnblas_conv_direction_name(head->direction), head->algorithm, exp(sum / (double)count), count, faster,
           close, different);
}

static int by_ratio(const void *a, const void *b)
{
  double x = (*(const bench_ab_row *const *)a)->ratio, y = (*(const bench_ab_row *const *)b)->ratio;
  return (x > y) - (x < y);
}

static void print_worst(const bench_ab_report *report)
{
  const bench_ab_row **order = calloc(report->count + 1, sizeof *order);
  size_t count = 0;
  for (size_t i = 0; order && i < report->count; i++)
    if (report->rows[i].ratio > 0) order[count++] = &report->rows[i];
  if (count) qsort(order, count, sizeof *order, by_ratio);
  if (count) puts("\nthe worst:");
  for (size_t i = 0; i < count && i < WORST; i++)
    printf("%c  %-16s %-24s %7.3f%s %s:%s\n", bench_ab_letter(order[i]->build),
           cnnblas_conv_direction_name(order[i]->direction), order[i]->algorithm, order[i]->ratio,
           order[i]->close ? "~" : " ", order[i]->problem.set, order[i]->problem.name);
  free(order);
}

void bench_ab_print_summary(const bench_ab_report *report)
{
  bench_mark_counts marks = {0};
  for (size_t i = 0; i < report->count; i++) bench_mark_count(&marks, &report->rows[i].load, false);
  bench_mark_footnote(&marks);
  puts("\ngeometric means of A/this");
  for (size_t build = 1; build < report->build_count; build++)
    for (size_t i = 0; i < report->count; i++) {
      bool seen = report->rows[i].build != build;
      for (size_t j = 0; j < i && !seen; j++) seen = same_group(&report->rows[j], &report->rows[i]);
      if (!seen) print_mean(report, i);
    }
  print_worst(report);
}

static void set_text(json_t *object, const char *key, const char *value)
{
  json_object_set_new(object, key, json_string(value));
}

static void set_number(json_t *object, const char *key, double value)
{
  json_object_set_new(object, key, io_json_number(value));
}

static void set_integer(json_t *object, const char *key, int64_t value)
{
  json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void set_build(json_t *object, const char *key, size_t build)
{
  char letter[2] = {bench_ab_letter(build), 0};
  set_text(object, key, letter);
}

static json_t *row_json(const bench_ab_row *r)
{
  json_t *o = json_object();
  char name[256];
  snprintf(name, sizeof name, "%s:%s/%s/%s/%c", r->problem.set, r->problem.name,
           cnnblas_conv_direction_name(r->direction), r->algorithm, bench_ab_letter(r->build));
  set_text(o, "name", name);
  set_text(o, "run_name", name);
  set_text(o, "run_type", "iteration");
  set_integer(o, "threads", r->threads);
  bench_timing_json(o, &r->timing);
  bench_load_json(o, &r->load);
  set_build(o, "build", r->build);
  set_text(o, "set", r->problem.set);
  set_text(o, "layer", r->problem.name);
  set_text(o, "problem", r->descriptor);
  set_integer(o, "batch", r->problem.desc.n);
  set_text(o, "dtype", bench_dtype_name(r->problem.desc.dtype));
  set_text(o, "direction", cnnblas_conv_direction_name(r->direction));
  set_text(o, "algorithm", r->algorithm);
  set_text(o, "kind", "cnnblas");
  set_text(o, "chosen", r->chosen);
  set_integer(o, "repeats", r->problem.repeats);
  set_number(o, "flops", r->flops);
  set_number(o, "gflops", r->timing.minimum > 0 ? r->flops / r->timing.minimum * 1e-9 : NAN);
  set_number(o, "ratio_to_first", r->ratio > 0 ? r->ratio : NAN);
  set_number(o, "ratio_of_medians", r->ratio > 0 ? r->ratio_of_medians : NAN);
  json_object_set_new(o, "close_to_first", json_boolean(r->close));
  set_integer(o, "different_outputs", (int64_t)r->different);
  set_number(o, "largest_difference", r->largest_difference);
  set_number(o, "max_error", r->verdict.max_error);
  set_number(o, "error_share_of_bound", r->verdict.share_of_bound);
  set_integer(o, "checked_outputs", (int64_t)r->verdict.checked);
  json_object_set_new(o, "error_occurred", json_boolean(!r->verdict.correct));
  if (!r->verdict.correct) set_text(o, "error_message", "wrong result");
  return o;
}

static json_t *builds_json(const bench_ab_report *report)
{
  json_t *builds = json_array();
  for (size_t i = 0; i < report->build_count; i++) {
    const bench_build *b = &report->builds[i];
    json_t *o = json_object();
    set_build(o, "build", i);
    set_text(o, "path", b->path);
    set_text(o, "cnnblas_version", b->api.version_string());
    set_text(o, "isa", b->system.isa);
    set_text(o, "openmp_runtime", b->system.openmp_runtime);
    set_text(o, "openblas_flavour", b->system.openblas_flavour);
    json_array_append_new(builds, o);
  }
  return builds;
}

bool bench_ab_write(const char *path, const bench_ab_report *report, const bench_context *context)
{
  json_t *about = bench_context_json(context), *rows = json_array();
  json_object_set_new(about, "builds", builds_json(report));
  for (size_t i = 0; i < report->count; i++) json_array_append_new(rows, row_json(&report->rows[i]));
  if (json_array_size(rows) == report->count) return bench_report_dump(path, about, rows);
  json_decref(about);
  json_decref(rows);
  errno = ENOMEM;
  return false;
}
