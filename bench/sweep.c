/* Sweeps; see sweep.h. */
#include "sweep.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 64 };
static const long long greatest_value = 1 << 24;

/* Sets the variable on one problem; false if it cannot take the value. */
typedef bool (*setter)(bench_problem *problem, int64_t value);

static bool set_batch(bench_problem *problem, int64_t value)
{
  problem->desc.n = value;
  return true;
}

static bool set_channels(bench_problem *problem, int64_t value)
{
  cnnblas_conv_desc *d = &problem->desc;
  if (d->groups == d->c && d->groups == d->k && d->groups > 1) d->groups = value;
  d->c = d->k = value;
  return true;
}

static bool set_size(bench_problem *problem, int64_t value)
{
  for (int a = 0; a < problem->desc.rank; a++) problem->desc.size[a] = value;
  return true;
}

static bool set_threads(bench_problem *problem, int64_t value)
{
  problem->threads = (int)value;
  return value <= 4096;
}

static const struct {
  const char *name;
  setter set;
} known[] = {{"batch", set_batch}, {"channels", set_channels}, {"size", set_size}, {"threads", set_threads}};

enum { KNOWN = sizeof known / sizeof *known };

/* A number at *text, which is moved behind it; 0 if there is none in range. */
static int64_t read_value(const char **text)
{
  char *end;
  errno = 0;
  long long value = strtoll(*text, &end, 10);
  if (end == *text || errno || value < 1 || value > greatest_value) return 0;
  *text = end;
  return value;
}

/* "1..64" or "1,2,5": how many values, 0 if the text is neither. */
static size_t read_values(const char *text, int64_t values[MOST_VALUES])
{
  size_t count = 0;
  for (;; text++) {
    if (count == MOST_VALUES || !(values[count] = read_value(&text))) return 0;
    count++;
    if (*text != ',') break;
  }
  if (!*text) return count;
  if (count != 1 || strncmp(text, "..", 2) != 0) return 0;
  text += 2;
  int64_t last = read_value(&text);
  if (!last || *text || last < values[0]) return 0;
  while (values[count - 1] < last && count < MOST_VALUES) {
    int64_t next = 2 * values[count - 1];
    values[count++] = next < last ? next : last;
  }
  return count;
}

bench_sweep_error bench_sweep_expand(bench_problem_list *list, const char *text, const char **variable, char *why,
                                     size_t why_size)
{
  const char *equals = strchr(text, '=');
  size_t letters = equals ? (size_t)(equals - text) : 0;
  int which = 0;
  while (which < KNOWN && (strlen(known[which].name) != letters || strncmp(known[which].name, text, letters) != 0))
    which++;
  if (!equals || which == KNOWN) {
    snprintf(why, why_size, "the variable is batch, channels, size or threads, followed by '='");
    return BENCH_SWEEP_SYNTAX;
  }
  int64_t values[MOST_VALUES];
  size_t count = read_values(equals + 1, values);
  if (!count) {
    snprintf(why, why_size, "the values are FROM..TO or A,B,C with numbers from 1 to %lld", greatest_value);
    return BENCH_SWEEP_SYNTAX;
  }
  *variable = known[which].name;
  bench_problem_list expanded = {0};
  for (size_t i = 0; i < list->count; i++)
    for (size_t v = 0; v < count; v++) {
      bench_problem problem = list->items[i];
      cnnblas_conv_shape shape;
      if (!known[which].set(&problem, values[v]) || cnnblas_conv_get_shape(&problem.desc, &shape)) continue;
      char suffix[40];
      int length = snprintf(suffix, sizeof suffix, "@%s=%lld", *variable, (long long)values[v]);
      snprintf(problem.name, sizeof problem.name, "%.*s%s", (int)sizeof problem.name - 1 - length, list->items[i].name,
               suffix);
      if (!problem.sweeps) problem.sweep_origin = i;
      problem.sweep_values[problem.sweeps++] = (double)values[v];
      if (bench_problem_list_add(&expanded, &problem)) continue;
      bench_problem_list_free(&expanded);
      return BENCH_SWEEP_NO_MEMORY;
    }
  bench_problem_list_free(list);
  *list = expanded;
  return BENCH_SWEEP_OK;
}

double bench_growth_exponent(const double *values, const double *seconds, size_t count)
{
  if (count < 2) return NAN;
  double mean_x = 0, mean_y = 0, covariance = 0, variance = 0;
  for (size_t i = 0; i < count; i++) {
    mean_x += log(values[i]) / (double)count;
    mean_y += log(seconds[i]) / (double)count;
  }
  for (size_t i = 0; i < count; i++) {
    covariance += (log(values[i]) - mean_x) * (log(seconds[i]) - mean_y);
    variance += (log(values[i]) - mean_x) * (log(values[i]) - mean_x);
  }
  return variance > 0 ? covariance / variance : NAN;
}

/* Whether two rows differ in the value of that variable at most. */
static bool same_series(const bench_result *a, const bench_result *b, size_t variable)
{
  for (int i = 0; i < a->problem.sweeps; i++)
    if (i != (int)variable && a->problem.sweep_values[i] != b->problem.sweep_values[i]) return false;
  return a->problem.sweep_origin == b->problem.sweep_origin && a->direction == b->direction && a->kind == b->kind &&
         strcmp(a->algorithm, b->algorithm) == 0;
}

/* The series that starts at row first. */
static void print_series(const bench_results *results, size_t first, const char *const *variables, size_t variable)
{
  const bench_result *head = &results->items[first];
  double values[MOST_VALUES], seconds[MOST_VALUES];
  size_t count = 0;
  for (size_t i = first; i < results->count && count < MOST_VALUES; i++)
    if (same_series(head, &results->items[i], variable) && results->items[i].timing.calls) {
      values[count] = results->items[i].problem.sweep_values[variable];
      seconds[count++] = results->items[i].timing.minimum;
    }
  printf("%.*s", (int)strcspn(head->problem.name, "@"), head->problem.name);
  for (int i = 0; i < head->problem.sweeps; i++)
    if (i != (int)variable) printf("@%s=%g", variables[i], head->problem.sweep_values[i]);
  printf(" %s %s\n ", cnnblas_conv_direction_name(head->direction), head->algorithm);
  for (size_t i = 0; i < count; i++)
    printf(" %g: %.4g ms%s", values[i], 1e3 * seconds[i], i % 6 == 5 && i + 1 < count ? "\n " : "");
  double exponent = bench_growth_exponent(values, seconds, count);
  if (isnan(exponent))
    puts("\n  growth: too few values");
  else
    printf("\n  time grows with the power %.2f of it\n", exponent);
}

void bench_sweep_print(const bench_results *results, const char *const *variables, size_t count)
{
  for (size_t v = 0; v < count; v++) {
    printf("\ntime by %s\n", variables[v]);
    for (size_t i = 0; i < results->count; i++) {
      bool seen = false;
      for (size_t j = 0; j < i && !seen; j++) seen = same_series(&results->items[j], &results->items[i], v);
      if (!seen) print_series(results, i, variables, v);
    }
  }
}
