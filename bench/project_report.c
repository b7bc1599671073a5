/* The table and the JSON of projections; see project_report.h. */
#include "project_report.h"
#include "makespan.h"
#include "report_parts.h"
#include "reports/json_numbers.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

double bench_supposed_bandwidth(const bench_supposed *supposed, int threads)
{
  return supposed->per_thread ? supposed->bandwidth * threads : supposed->bandwidth;
}

static void print_suppositions(const bench_supposed *s)
{
  printf("PROJECTED, not measured: each task timed alone on one thread, handed out in order to whichever of T\n"
         "threads is free first; a barrier of %g us ends each loop. capped: no sooner than x, w and y, each\n"
         "moved once, at ",
         1e6 * s->barrier);
  if (s->per_thread)
    printf("%.1f GB/s a thread (%.1f measured with %d threads: --bandwidth states another).\n", 1e-9 * s->bandwidth,
           1e-9 * s->bandwidth * s->measured_threads, s->measured_threads);
  else
    printf("%g GB/s, as stated, for any number of threads.\n", 1e-9 * s->bandwidth);
  puts("One thread is measured, no barrier or cap. work: the call on one core, cut for T, over cut for 1.");
}

void bench_project_head(const bench_context *c, const bench_supposed *supposed)
{
  const cnnblas_system_info *s = &c->system;
  printf("cnnblas-bench %s projection: %s, %s, %s\n", cnnblas_version_string(),
         s->cpu_model[0] ? s->cpu_model : "unknown CPU", s->isa, bench_dtype_name(c->dtype));
  printf("%s, %s build; data seeds 1 to 4\n", c->compiler, c->build_type);
  if (c->debug_build) printf("*** DEBUG BUILD (%s): these figures mean nothing ***\n", c->build_type);
  print_suppositions(supposed);
  printf("\n%-16s %-20s %4s %6s %7s %6s %9s %8s %7s %8s\n", "projected", "algorithm", "T", "tasks", "regions", "work",
         "ms", "speed-up", "capped", "KiB");
}

static void print_row(const bench_projection *r, bool first)
{
  char name[128] = "";
  if (first && strcmp(r->algorithm, r->chosen) != 0)
    snprintf(name, sizeof name, "%s: %s", r->algorithm, r->chosen);
  else if (first)
    snprintf(name, sizeof name, "%s", r->algorithm);
  printf("%-16s %-20.20s %4d %6zu %7zu %6.3f %9.*f %8.2f %7.2f %8zu%s%s\n",
         first ? cnnblas_conv_direction_name(r->direction) : "", name, r->threads, r->tasks, r->team_regions,
         r->work_ratio, r->makespan < 0.01 ? 4 : 2, 1e3 * r->makespan, r->speedup, r->capped_speedup,
         r->workspace_bytes / 1024, r->verdict.correct ? "" : " WRONG", r->same_bits ? "" : " OTHER BITS");
}

void bench_project_rows(const bench_projection *rows, size_t count, bool new_problem)
{
  if (!count) return;
  if (new_problem) {
    printf("%s:%s", rows[0].problem.set, rows[0].problem.name);
    if (rows[0].problem.repeats > 1) printf(" *%lld", (long long)rows[0].problem.repeats);
    printf("  %s\n", rows[0].descriptor);
  }
  for (size_t i = 0; i < count; i++) print_row(&rows[i], i == 0);
  fflush(stdout);
}

static bool same_group(const bench_projection *a, const bench_projection *b)
{
  return a->threads == b->threads && a->direction == b->direction && strcmp(a->algorithm, b->algorithm) == 0 &&
         strcmp(a->problem.set, b->problem.set) == 0;
}

static void print_group(const bench_projection *rows, size_t first, size_t count)
{
  bench_mean mean = {0}, capped = {0}, work = {0};
  const bench_projection *head = &rows[first], *least = head;
  for (size_t i = first; i < count; i++) {
    if (!same_group(head, &rows[i])) continue;
    if (bench_mean_add(&mean, rows[i].speedup)) least = &rows[i];
    bench_mean_add(&capped, rows[i].capped_speedup);
    bench_mean_add(&work, rows[i].work_ratio);
  }
  printf("%-16s %-22.22s %4d %6.3f %8.2f %8.2f %-14.14s %7.2f %7.2f\n", cnnblas_conv_direction_name(head->direction),
         head->algorithm, head->threads, bench_mean_of(&work), bench_mean_of(&mean), least->speedup,
         least->problem.name, bench_mean_of(&capped), capped.least);
}

void bench_project_means(const bench_projection *rows, size_t count)
{
  size_t wrong = 0, other = 0;
  const char *set = "";
  for (size_t i = 0; i < count; i++) {
    wrong += !rows[i].verdict.correct;
    other += !rows[i].same_bits;
  }
  puts("\nPROJECTED: geometric means over the layers, and the least layer");
  for (size_t i = 0; i < count; i++) {
    bool seen = rows[i].threads == 1;
    for (size_t j = 0; j < i && !seen; j++) seen = same_group(&rows[j], &rows[i]);
    if (seen) continue;
    if (strcmp(set, rows[i].problem.set) != 0) {
      set = rows[i].problem.set;
      printf("%s\n%-16s %-22s %4s %6s %8s %8s %-14s %7s %7s\n", set, "projected", "algorithm", "T", "work", "speed-up",
             "least", "", "capped", "least");
    }
    print_group(rows, i, count);
  }
  printf("\n%zu results: ", count);
  if (wrong) printf("%zu WRONG, ", wrong);
  if (other)
    printf("%zu WITH OTHER BITS than one thread's\n", other);
  else
    puts(count ? "equal to the last bit for every number of threads" : "none");
}

static void set_number(json_t *object, const char *key, double value)
{
  json_object_set_new(object, key, io_json_number(value));
}

static void set_integer(json_t *object, const char *key, size_t value)
{
  json_object_set_new(object, key, json_integer((json_int_t)value));
}

/* Google Benchmark's fields. The algorithm's name says "projected", so that no comparison takes the row for a measured one. */
static json_t *row_head(const bench_projection *r)
{
  json_t *o = json_object();
  char name[320];
  snprintf(name, sizeof name, "projected/%s:%s/%s/%s/threads:%d", r->problem.set, r->problem.name,
           cnnblas_conv_direction_name(r->direction), r->algorithm, r->threads);
  json_object_set_new(o, "name", json_string(name));
  json_object_set_new(o, "run_name", json_string(name));
  json_object_set_new(o, "run_type", json_string("iteration"));
  set_integer(o, "repetitions", 1);
  set_integer(o, "repetition_index", 0);
  set_integer(o, "threads", (size_t)r->threads);
  set_number(o, "real_time", 1e6 * r->makespan);
  set_number(o, "cpu_time", 1e6 * r->work);
  json_object_set_new(o, "time_unit", json_string("us"));
  set_number(o, "time_quartile_low", 1e6 * r->makespan);
  set_number(o, "time_quartile_high", 1e6 * r->makespan);
  json_object_set_new(o, "algorithm", json_sprintf("%s (projected)", r->algorithm));
  return o;
}

static json_t *row_json(const bench_projection *r)
{
  json_t *o = row_head(r);
  json_object_set_new(o, "projected", json_true());
  json_object_set_new(o, "set", json_string(r->problem.set));
  json_object_set_new(o, "layer", json_string(r->problem.name));
  json_object_set_new(o, "problem", json_string(r->descriptor));
  set_integer(o, "batch", (size_t)r->problem.desc.n);
  json_object_set_new(o, "dtype", json_string(bench_dtype_name(r->problem.desc.dtype)));
  json_object_set_new(o, "direction", json_string(cnnblas_conv_direction_name(r->direction)));
  json_object_set_new(o, "kind", json_string("projected"));
  json_object_set_new(o, "chosen", json_string(r->chosen));
  set_integer(o, "repeats", (size_t)r->problem.repeats);
  set_number(o, "flops", r->flops);
  set_number(o, "bytes", r->bytes);
  set_number(o, "gflops", r->flops / r->makespan * 1e-9);
  set_integer(o, "tasks", r->tasks);
  set_integer(o, "regions", r->team_regions);
  set_number(o, "work_ratio", r->work_ratio);
  set_number(o, "speedup", r->speedup);
  set_number(o, "capped_time", 1e6 * r->capped);
  set_number(o, "capped_speedup", r->capped_speedup);
  set_integer(o, "workspace_bytes", r->workspace_bytes);
  set_number(o, "max_error", r->verdict.max_error);
  set_number(o, "error_share_of_bound", r->verdict.share_of_bound);
  set_integer(o, "checked_outputs", r->verdict.checked);
  json_object_set_new(o, "same_bits", json_boolean(r->same_bits));
  bool wrong = !r->verdict.correct || !r->same_bits;
  json_object_set_new(o, "error_occurred", json_boolean(wrong));
  if (wrong)
    json_object_set_new(o, "error_message",
                        json_string(r->verdict.correct ? "other bits than one thread's" : "wrong result"));
  return o;
}

bool bench_project_json(const char *path, const bench_projection *rows, size_t count, const bench_context *context,
                        const bench_supposed *supposed)
{
  json_t *list = json_array(), *head = bench_context_json(context);
  json_object_set_new(head, "projected", json_true());
  set_number(head, "barrier_us", 1e6 * supposed->barrier);
  set_number(head, supposed->per_thread ? "bandwidth_gbytes_per_second_a_thread" : "bandwidth_gbytes_per_second",
             1e-9 * supposed->bandwidth);
  if (supposed->per_thread) set_integer(head, "bandwidth_measured_with_threads", (size_t)supposed->measured_threads);
  for (size_t i = 0; i < count; i++) json_array_append_new(list, row_json(&rows[i]));
  if (json_array_size(list) == count) return bench_report_dump(path, head, list);
  json_decref(list);
  json_decref(head);
  errno = ENOMEM;
  return false;
}
