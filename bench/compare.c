/* cnnblas-bench compare; see compare.h. */
#include "compare.h"
#include "options.h"
#include "timing.h"
#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORST = 5 };

typedef struct pair {
  const char *name, *direction, *algorithm;
  double before, after; /* real_time; in the same unit */
  double ratio;         /* before over after: above 1 is faster now */
  bool close;           /* the quartile ranges overlap */
} pair;

typedef struct pairs {
  pair *items;
  size_t count;
} pairs;

static const char *text_of(const json_t *row, const char *key)
{
  const char *text = json_string_value(json_object_get(row, key));
  return text ? text : "";
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

/* The rows of a report, NULL (said why) if the file is none. *root is to be released. */
static json_t *load(const char *path, json_t **root)
{
  json_error_t error;
  *root = json_load_file(path, 0, &error);
  json_t *rows = json_object_get(*root, "benchmarks");
  if (!*root)
    fprintf(stderr, "cnnblas-bench: %s:%d:%d: %s\n", path, error.line, error.column, error.text);
  else if (!json_is_array(rows))
    fprintf(stderr, "cnnblas-bench: %s: no \"benchmarks\": not a report\n", path);
  else
    return rows;
  return NULL;
}

/* Each old row is taken once, so that a layer that two sets share is compared with itself. */
static bool join(json_t *old_rows, json_t *new_rows, pairs *joined)
{
  size_t old_count = json_array_size(old_rows), new_count = json_array_size(new_rows);
  bool *taken = calloc(old_count + 1, sizeof *taken);
  joined->items = calloc(new_count + 1, sizeof *joined->items);
  joined->count = 0;
  bool ok = taken && joined->items;
  for (size_t i = 0; ok && i < new_count; i++) {
    const json_t *after = json_array_get(new_rows, i);
    for (size_t j = 0; j < old_count; j++) {
      const json_t *before = json_array_get(old_rows, j);
      if (taken[j] || !same_row(before, after)) continue;
      taken[j] = true;
      pair p = {text_of(after, "name"),
                text_of(after, "direction"),
                text_of(after, "algorithm"),
                seconds_of(before, "real_time"),
                seconds_of(after, "real_time"),
                0,
                false};
      bench_timing a = timing_of(before), b = timing_of(after);
      p.close = bench_timing_close(&a, &b);
      p.ratio = p.before / p.after;
      if (p.before > 0 && p.after > 0) joined->items[joined->count++] = p;
      break;
    }
  }
  free(taken);
  return ok;
}

static void print_row(const pair *p)
{
  printf("%-62s %10.4f %10.4f %8.3f%s\n", p->name, 1e3 * p->before, 1e3 * p->after, p->ratio, p->close ? " ~" : "");
}

static bool same_group(const pair *a, const pair *b)
{
  return strcmp(a->direction, b->direction) == 0 && strcmp(a->algorithm, b->algorithm) == 0;
}

/* Prints the mean of each direction and algorithm; the slowest of them, as a ratio, is returned. */
static double print_means(const pairs *joined)
{
  double worst = INFINITY;
  printf("\ngeometric means, old time over new (above 1 is faster now)\n");
  for (size_t i = 0; i < joined->count; i++) {
    double sum = 0;
    size_t count = 0;
    bool seen = false;
    for (size_t j = 0; j < i && !seen; j++) seen = same_group(&joined->items[j], &joined->items[i]);
    if (seen) continue;
    for (size_t j = i; j < joined->count; j++)
      if (same_group(&joined->items[i], &joined->items[j])) {
        sum += log(joined->items[j].ratio);
        count++;
      }
    double mean = exp(sum / (double)count);
    printf("  %-18s %-20s %8.3f  over %zu\n", joined->items[i].direction, joined->items[i].algorithm, mean, count);
    worst = fmin(worst, mean);
  }
  return worst;
}

static int by_ratio(const void *a, const void *b)
{
  double x = ((const pair *)a)->ratio, y = ((const pair *)b)->ratio;
  return (x > y) - (x < y);
}

static void warn_of_debug(const char *path, const json_t *root)
{
  if (json_is_true(json_object_get(json_object_get(root, "context"), "debug_build")))
    printf("*** %s is of a DEBUG BUILD: its figures mean nothing ***\n", path);
}

static int print_comparison(pairs *joined, double fail_above)
{
  printf("%-62s %10s %10s %8s\n", "name", "old ms", "new ms", "old/new");
  for (size_t i = 0; i < joined->count; i++) print_row(&joined->items[i]);
  double worst = print_means(joined);
  qsort(joined->items, joined->count, sizeof *joined->items, by_ratio);
  puts("\nthe worst:");
  for (size_t i = 0; i < WORST && i < joined->count; i++) print_row(&joined->items[i]);
  puts("~ the quartiles of the two times overlap: noise");
  if (fail_above < 0 || worst >= 1 / (1 + fail_above / 100)) return BENCH_OK;
  printf("slower by %.1f%%, more than %g%%\n", 100 * (1 / worst - 1), fail_above);
  return BENCH_CHECK_FAILED;
}

int bench_compare_files(const char *old_path, const char *new_path, double fail_above)
{
  json_t *old_root = NULL, *new_root = NULL;
  json_t *old_rows = load(old_path, &old_root), *new_rows = old_rows ? load(new_path, &new_root) : NULL;
  pairs joined = {0};
  int status = BENCH_BAD_INPUT;
  if (old_rows && new_rows) {
    if (!join(old_rows, new_rows, &joined)) {
      fputs("cnnblas-bench: out of memory\n", stderr);
      status = BENCH_NO_MEMORY;
    } else if (joined.count == 0) {
      fprintf(stderr, "cnnblas-bench: %s and %s have no row in common\n", old_path, new_path);
    } else {
      warn_of_debug(old_path, old_root);
      warn_of_debug(new_path, new_root);
      status = print_comparison(&joined, fail_above);
    }
  }
  free(joined.items);
  json_decref(old_root);
  json_decref(new_root);
  return status;
}

int bench_compare_main(int argc, char **argv)
{
  static const struct option long_options[] = {
      {"fail-above", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {0}};
  double fail_above = -1;
  for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
    char *end = NULL;
    if (option == 'h') {
      puts("usage: cnnblas-bench compare OLD.json NEW.json [--fail-above PERCENT]\n\n"
           "Joins two reports of --json on problem, direction, algorithm, batch, threads and dtype; prints old time "
           "over\n"
           "new time, geometric means and the five worst layers. Exit status 1 if the geometric mean of a direction "
           "and\n"
           "algorithm became slower by more than PERCENT, 3 if a file is no report.\n\n"
           "example: cnnblas-bench compare before.json after.json --fail-above 3");
      return BENCH_OK;
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
  return bench_compare_files(argv[optind], argv[optind + 1], fail_above);
}
