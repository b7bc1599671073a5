/* cnnblas-bench compare; see compare.h. */
#include "compare.h"
#include "compare_pairs.h"
#include "marks.h"
#include "options.h"
#include "report.h"
#include "timing.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORST = 5 };

static const char *text_of(const json_t *row, const char *key)
{
  const char *text = json_string_value(json_object_get(row, key));
  return text ? text : "";
}

/* Files that were cut down for a document have no names. */
static const char *name_of(const json_t *row)
{
  return *text_of(row, "name") ? text_of(row, "name") : text_of(row, "problem");
}

static double number_of(const json_t *row, const char *key)
{
  return json_number_value(json_object_get(row, key));
}

static bool same_row(const json_t *a, const json_t *b)
{
  static const char *const texts[] = {"problem", "direction", "algorithm", "dtype"};
  static const char *const numbers[] = {"batch", "threads"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (strcmp(text_of(a, texts[i]), text_of(b, texts[i])) != 0) return false;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (number_of(a, numbers[i]) != number_of(b, numbers[i])) return false;
  return true;
}

static double seconds_of(const json_t *row, const char *key)
{
  const char *unit = text_of(row, "time_unit");
  double scale = strcmp(unit, "s") == 0 ? 1 : strcmp(unit, "ms") == 0 ? 1e-3 : strcmp(unit, "us") == 0 ? 1e-6 : 1e-9;
  return scale * number_of(row, key);
}

static bench_timing timing_of(const json_t *row)
{
  return (bench_timing){.low = seconds_of(row, "time_quartile_low"), .high = seconds_of(row, "time_quartile_high")};
}

/* Files of before the marks have none: their rows count as undisturbed. */
static void set_marks(bench_pair *p, const json_t *before, const json_t *after)
{
  bench_load load = {.verdict = BENCH_LOAD_QUIET};
  bool moved =
      json_is_true(json_object_get(before, "peaks_moved")) || json_is_true(json_object_get(after, "peaks_moved"));
  const char *loads[] = {text_of(before, "load"), text_of(after, "load")};
  for (int i = 0; i < 2; i++) {
    if (strcmp(loads[i], bench_load_name(BENCH_LOAD_BUSY)) == 0) load.verdict = BENCH_LOAD_BUSY;
    if (load.verdict != BENCH_LOAD_BUSY && strcmp(loads[i], bench_load_name(BENCH_LOAD_UNCLEAR)) == 0)
      load.verdict = BENCH_LOAD_UNCLEAR;
  }
  p->disturbed = moved || load.verdict == BENCH_LOAD_BUSY;
  p->mark = bench_mark(&load, moved);
}

/* The rows of a report, NULL (said why) if the file is none. *root is to be released. */
static json_t *load(const char *path, json_t **root)
{
  json_error_t error;
  *root = json_load_file(path, 0, &error);
  json_t *rows = json_object_get(*root, "benchmarks");
  if (!*root && error.line < 0) /* not even opened: the text has the name and the reason */
    fprintf(stderr, "cnnblas-bench: %s\n", error.text);
  else if (!*root)
    fprintf(stderr, "cnnblas-bench: %s:%d:%d: %s\n", path, error.line, error.column, error.text);
  else if (!json_is_array(rows))
    fprintf(stderr, "cnnblas-bench: %s: no \"benchmarks\": not a report\n", path);
  else
    return rows;
  return NULL;
}

static bench_pair pair_of(const json_t *before, const json_t *after)
{
  bench_timing a = timing_of(before), b = timing_of(after);
  bench_pair p = {.name = name_of(after),
                  .direction = text_of(after, "direction"),
                  .algorithm = text_of(after, "algorithm"),
                  .before = seconds_of(before, "real_time"),
                  .after = seconds_of(after, "real_time"),
                  .close = bench_timing_close(&a, &b)};
  p.ratio = p.before / p.after;
  set_marks(&p, before, after);
  return p;
}

/* Each old row is taken once, so that a layer that two sets share is compared with itself. */
static bool join(json_t *old_rows, json_t *new_rows, bench_pairs *joined)
{
  size_t old_count = json_array_size(old_rows), new_count = json_array_size(new_rows);
  bool *taken = calloc(old_count + 1, sizeof *taken);
  *joined = (bench_pairs){.items = calloc(new_count + 1, sizeof *joined->items),
                          .only_old = calloc(old_count + 1, sizeof *joined->only_old),
                          .only_new = calloc(new_count + 1, sizeof *joined->only_new)};
  bool ok = taken && joined->items && joined->only_old && joined->only_new;
  for (size_t i = 0; ok && i < new_count; i++) {
    const json_t *after = json_array_get(new_rows, i);
    size_t j = 0;
    while (j < old_count && (taken[j] || !same_row(json_array_get(old_rows, j), after))) j++;
    if (j == old_count) {
      joined->only_new[joined->only_new_count++] = after;
      continue;
    }
    taken[j] = true;
    bench_pair p = pair_of(json_array_get(old_rows, j), after);
    if (p.before > 0 && p.after > 0) joined->items[joined->count++] = p;
  }
  for (size_t j = 0; ok && j < old_count; j++)
    if (!taken[j]) joined->only_old[joined->only_old_count++] = json_array_get(old_rows, j);
  free(taken);
  return ok;
}

static void release(bench_pairs *joined)
{
  free(joined->items);
  free(joined->only_old);
  free(joined->only_new);
}

static void print_only(const char *path, const json_t *const *rows, size_t count)
{
  if (count) printf("\nonly in %s, %zu row%s:\n", path, count, count == 1 ? "" : "s");
  for (size_t i = 0; i < count; i++)
    printf("  %-60s %s, %.0f threads, %s\n", name_of(rows[i]), text_of(rows[i], "problem"),
           number_of(rows[i], "threads"), text_of(rows[i], "dtype"));
}

static void print_row(const bench_pair *p)
{
  printf("%-62s %10.4f %10.4f %8.3f%s%s%s\n", p->name, 1e3 * p->before, 1e3 * p->after, p->ratio, p->close ? " ~" : "",
         p->mark[0] ? " " : "", p->mark);
}

/* Prints the mean of each direction and algorithm; the slowest of them, as a ratio, is returned: infinite if every row is
   disturbed. */
static double print_means(const bench_pairs *joined)
{
  double worst = INFINITY;
  printf("\ngeometric means, old time over new (above 1 is faster now)\n");
  for (size_t i = 0; i < joined->count; i++) {
    bench_pairs_group group;
    if (!bench_pairs_mean(joined, i, &group)) continue;
    printf("  %-18s %-20s ", group.direction, group.algorithm);
    if (group.count)
      printf("%8.3f  over %zu", group.mean, group.count);
    else
      printf("%8s", "-");
    if (group.disturbed) printf("  (%zu marked b or p left out)", group.disturbed);
    putchar('\n');
    if (group.count) worst = fmin(worst, group.mean);
  }
  return worst;
}

/* The slowest first, disturbed rows last. */
static int by_ratio(const void *a, const void *b)
{
  const bench_pair *p = a, *q = b;
  if (p->disturbed != q->disturbed) return p->disturbed - q->disturbed;
  return (p->ratio > q->ratio) - (p->ratio < q->ratio);
}

static void warn_of_debug(const char *path, const json_t *root)
{
  if (json_is_true(json_object_get(json_object_get(root, "context"), "debug_build")))
    printf("*** %s is of a DEBUG BUILD: its figures mean nothing ***\n", path);
}

/* A member of a context as text; "" if it is neither text nor number. */
static const char *context_text(const json_t *root, const char *key, char *text, size_t size)
{
  const json_t *value = json_object_get(json_object_get(root, "context"), key);
  if (json_is_number(value))
    snprintf(text, size, "%.10g", json_number_value(value));
  else
    snprintf(text, size, "%s", json_is_string(value) ? json_string_value(value) : "");
  return text;
}

/* What the two were not measured alike on; what one of them does not say is no difference. */
static void print_contexts(const json_t *old_root, const json_t *new_root)
{
  static const char *const keys[] = {"cpu",
                                     "num_cpus",
                                     "isa",
                                     "threads",
                                     "dtype",
                                     "cnnblas_version",
                                     "openblas_version",
                                     "openblas_core",
                                     "openblas_flavour",
                                     "openmp_runtime",
                                     "openmp_version",
                                     "onednn_version",
                                     "compiler",
                                     "build_type"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    char before[128], after[128];
    context_text(old_root, keys[i], before, sizeof before);
    context_text(new_root, keys[i], after, sizeof after);
    if (before[0] && after[0] && strcmp(before, after) != 0)
      printf("*** %s differs: %s, now %s ***\n", keys[i], before, after);
  }
}

static int print_comparison(bench_pairs *joined, double fail_above)
{
  size_t disturbed = 0;
  printf("%-62s %10s %10s %8s\n", "name", "old ms", "new ms", "old/new");
  for (size_t i = 0; i < joined->count; i++) {
    print_row(&joined->items[i]);
    disturbed += joined->items[i].disturbed;
  }
  double worst = print_means(joined);
  qsort(joined->items, joined->count, sizeof *joined->items, by_ratio);
  if (disturbed < joined->count) puts("\nthe worst:");
  for (size_t i = 0; i < WORST && i < joined->count - disturbed; i++) print_row(&joined->items[i]);
  puts("~ the quartiles of the two times overlap: noise; ? too short to tell whether others disturbed one of the two");
  if (disturbed)
    printf("b others took time from one of the two, p the peaks around it moved: %zu of %zu rows, whose "
           "differences say nothing\n",
           disturbed, joined->count);
  if (fail_above < 0) return BENCH_OK;
  if (disturbed == joined->count) {
    fputs("cnnblas-bench: nothing to judge: every row is marked b or p\n", stderr);
    return BENCH_BAD_INPUT;
  }
  if (worst >= 1 / (1 + fail_above / 100)) return BENCH_OK;
  printf("slower by %.1f%%, more than %g%%\n", 100 * (1 / worst - 1), fail_above);
  return BENCH_CHECK_FAILED;
}

int bench_compare_files(const char *old_path, const char *new_path, double fail_above, const char *json)
{
  json_t *old_root = NULL, *new_root = NULL;
  json_t *old_rows = load(old_path, &old_root), *new_rows = old_rows ? load(new_path, &new_root) : NULL;
  bench_pairs joined = {0};
  int status = BENCH_BAD_INPUT;
  if (old_rows && new_rows) {
    print_contexts(old_root, new_root);
    if (!join(old_rows, new_rows, &joined)) {
      fputs("cnnblas-bench: out of memory\n", stderr);
      status = BENCH_NO_MEMORY;
    } else if (joined.count == 0) {
      fprintf(stderr, "cnnblas-bench: %s and %s have no row in common\n", old_path, new_path);
    } else {
      warn_of_debug(old_path, old_root);
      warn_of_debug(new_path, new_root);
      bool written = !json || bench_compare_write(json, &joined, old_root, new_root);
      if (!written) fprintf(stderr, "cnnblas-bench: %s: %s\n", json, strerror(errno));
      status = print_comparison(&joined, fail_above);
      if (!written && status == BENCH_OK) status = BENCH_NO_MEMORY;
      print_only(old_path, joined.only_old, joined.only_old_count);
      print_only(new_path, joined.only_new, joined.only_new_count);
    }
  }
  release(&joined);
  json_decref(old_root);
  json_decref(new_root);
  return status;
}

int bench_compare_main(int argc, char **argv)
{
  static const struct option long_options[] = {{"fail-above", required_argument, NULL, 'f'},
                                               {"json", required_argument, NULL, 'j'},
                                               {"help", no_argument, NULL, 'h'},
                                               {0}};
  double fail_above = -1;
  const char *json = NULL;
  for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
    char *end = NULL;
    if (option == 'h') {
      puts("usage: cnnblas-bench compare OLD.json NEW.json [--fail-above PERCENT] [--json FILE]\n\n"
           "Joins two reports of --json on problem, direction, algorithm, batch, threads and dtype; prints old time "
           "over\n"
           "new time, geometric means, the five worst layers, what the two were not measured alike on, and the rows "
           "that\n"
           "only one has. Rows marked as disturbed in either are left out of the means. Exit status 1 if the geometric "
           "mean\n"
           "of a direction and algorithm became slower by more than PERCENT, 3 if a file is no report or, with "
           "--fail-above,\n"
           "if every row is marked. --json writes the comparison; - for standard output, which then holds nothing "
           "else.\n\n"
           "example: cnnblas-bench compare before.json after.json --fail-above 3");
      return BENCH_OK;
    }
    if (option == 'j') {
      json = optarg;
      continue;
    }
    if (option == 'f') fail_above = strtod(optarg, &end);
    if (option != 'f' || end == optarg || *end || !(fail_above >= 0)) {
      if (option == 'f')
        fprintf(stderr, "cnnblas-bench: --fail-above %s: it must be a percentage, at least 0\n", optarg);
      return BENCH_USAGE;
    }
  }
  if (argc - optind != 2) {
    fputs("cnnblas-bench: compare takes two files: OLD.json NEW.json\n", stderr);
    return BENCH_USAGE;
  }
  if (json && strcmp(json, "-") == 0 && !bench_json_take_stdout())
    return fputs("cnnblas-bench: out of memory\n", stderr), BENCH_NO_MEMORY;
  return bench_compare_files(argv[optind], argv[optind + 1], fail_above, json);
}
