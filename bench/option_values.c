/* Values of options; see option_values.h. */
#define _GNU_SOURCE
#include "option_values.h"
#include "algorithm_names.h"
#include "descriptor.h"
#include "makespan.h"
#include "reports/output.h"
#include "sets.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int bench_usage_error(const char *option, const char *value, const char *what)
{
  fprintf(stderr, "cnnblas-bench: --%s %s: %s\n", option, value, what);
  return BENCH_USAGE;
}

int bench_out_of_memory(void)
{
  fputs("cnnblas-bench: out of memory\n", stderr);
  return BENCH_NO_MEMORY;
}

int bench_check_writable(const char *path)
{
  if (!path || strcmp(path, "-") == 0 || io_output_check(path) == 0) return BENCH_OK;
  fprintf(stderr, "cnnblas-bench: %s: %s\n", path, strerror(errno));
  return BENCH_NO_MEMORY;
}

/* The next name of a comma-separated list, cut out in place; NULL at the end. */
static char *next_name(char **list)
{
  return strsep(list, ",");
}

int bench_read_sets(bench_options *o, char *names)
{
  for (char *name; (name = next_name(&names));) {
    if (strcmp(name, "kernels") == 0 || strcmp(name, "layers") == 0) {
      *(name[0] == 'k' ? &o->kernels : &o->layers) = true;
      continue;
    }
    if (strcmp(name, "all") == 0) {
      for (const bench_set *set = bench_sets; set->name; set++)
        if (bench_set_load(&o->problems, set->name)) return bench_out_of_memory();
      continue;
    }
    int error = bench_set_load(&o->problems, name);
    if (error == 1) return bench_usage_error("set", name, "no such set; --list shows them");
    if (error) return bench_out_of_memory();
  }
  return BENCH_OK;
}

static void report_bad_line(void *path, size_t line, const bench_parse_error *error)
{
  fprintf(stderr, "cnnblas-bench: %s:%zu:%zu: %s\n", (const char *)path, line, error->column, error->text);
}

int bench_read_problem_file(bench_options *o, char *path)
{
  FILE *file = fopen(path, "rb");
  char *text = NULL;
  size_t length = 0, capacity = 0;
  int failed = !file;
  while (!failed) {
    if (length == capacity) {
      capacity = capacity ? 2 * capacity : 65536;
      char *more = realloc(text, capacity);
      if (!more) {
        free(text);
        fclose(file);
        return bench_out_of_memory();
      }
      text = more;
    }
    size_t got = fread(text + length, 1, capacity - length, file);
    if (got == 0) break;
    length += got;
  }
  failed = failed || ferror(file);
  if (failed) fprintf(stderr, "cnnblas-bench: %s: %s\n", path, strerror(errno));
  if (file) fclose(file);
  size_t bad = 0;
  if (!failed) {
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    char set[64];
    snprintf(set, sizeof set, "%.*s",
             (int)(strrchr(base, '.') && strrchr(base, '.') != base ? strrchr(base, '.') - base : (long)strlen(base)),
             base);
    bad = bench_problems_read(&o->problems, set, text, length, report_bad_line, path);
  }
  free(text);
  if (bad == SIZE_MAX) return bench_out_of_memory();
  o->bad_lines += bad;
  return failed ? BENCH_BAD_INPUT : BENCH_OK;
}

int bench_read_problem(bench_options *o, const char *text)
{
  bench_problem problem;
  bench_parse_error error;
  if (bench_descriptor_parse(text, strlen(text), &problem, &error)) {
    snprintf(problem.set, sizeof problem.set, "line");
    return bench_problem_list_add(&o->problems, &problem) ? BENCH_OK : bench_out_of_memory();
  }
  fprintf(stderr, "cnnblas-bench: problem, column %zu: %s\n  %s\n  %*s\n", error.column, error.text, text,
          (int)error.column, "^");
  for (const bench_set *set = bench_sets; set->name; set++)
    if (strcmp(text, set->name) == 0) fprintf(stderr, "cnnblas-bench: %s is a set: --set %s\n", text, text);
  o->bad_lines++;
  return BENCH_OK;
}

int bench_read_directions(bench_options *o, char *names)
{
  char what[96] = "it is all";
  for (int d = 0; d < 3; d++) {
    size_t used = strlen(what);
    snprintf(what + used, sizeof what - used, "%s%s", d < 2 ? ", " : " or ",
             cnnblas_conv_direction_name((cnnblas_conv_direction)d));
  }
  memset(o->directions, 0, sizeof o->directions);
  for (char *name; (name = next_name(&names));) {
    bool all = strcmp(name, "all") == 0, found = all;
    for (int d = 0; d < 3; d++)
      if (all || strcmp(name, cnnblas_conv_direction_name((cnnblas_conv_direction)d)) == 0)
        found = o->directions[d] = true;
    if (!found) return bench_usage_error("direction", name, what);
  }
  return BENCH_OK;
}

static void add_algorithm(bench_options *o, const char *name)
{
  for (size_t i = 0; i < o->algorithm_count; i++)
    if (strcmp(o->algorithms[i], name) == 0) return;
  if (o->algorithm_count < BENCH_MOST_NAMES) o->algorithms[o->algorithm_count++] = name;
}

/* Says which there are. */
static int unknown_algorithm(const char *name)
{
  char what[512] = "no such algorithm; there are all, " BENCH_AUTO;
  for (int32_t i = 0; cnnblas_conv_algorithm_name(i); i++) {
    size_t used = strlen(what);
    snprintf(what + used, sizeof what - used, ", %s", cnnblas_conv_algorithm_name(i));
  }
  size_t used = strlen(what);
  snprintf(what + used, sizeof what - used, ", %s", BENCH_PREPACKED);
  return bench_usage_error("algorithm", name, what);
}

/* The names live in argv, or in the library. */
int bench_read_algorithms(bench_options *o, char *names)
{
  o->algorithm_count = 0;
  o->algorithms_named = true;
  for (char *name; (name = next_name(&names));) {
    if (strcmp(name, "all") == 0) {
      o->algorithms_named = false;
      add_algorithm(o, BENCH_AUTO);
      cnnblas_algorithm_info row;
      for (int32_t i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++)
        if (!row.by_name_only) add_algorithm(o, row.name);
      add_algorithm(o, BENCH_PREPACKED);
    } else if (bench_is_algorithm(name)) {
      add_algorithm(o, name);
    } else {
      return unknown_algorithm(name);
    }
  }
  return BENCH_OK;
}

int bench_read_peers(bench_options *o, char *names)
{
  o->peer_count = 0;
  o->peers_named = true;
  for (char *name; (name = next_name(&names));) {
    bool all = strcmp(name, "all") == 0, found = all || strcmp(name, "none") == 0;
    if (all) o->peers_named = false;
    for (size_t i = 0; bench_peer_at(i); i++)
      if ((all ? !bench_peer_at(i)->by_name_only : strcmp(name, bench_peer_at(i)->name) == 0) &&
          o->peer_count < BENCH_MOST_NAMES) {
        o->peers[o->peer_count++] = bench_peer_at(i);
        found = true;
      }
    if (!found) return bench_usage_error("peers", name, "not in this build; --list shows its peers");
  }
  return BENCH_OK;
}

int bench_read_integer(const char *option, const char *text, long long least, long long most, long long *value)
{
  char *end;
  errno = 0;
  *value = strtoll(text, &end, 10);
  if (end != text && !*end && !errno && *value >= least && *value <= most) return BENCH_OK;
  char what[80];
  snprintf(what, sizeof what, "it must be a number from %lld to %lld", least, most);
  return bench_usage_error(option, text, what);
}

static const long long most_workspace = 1LL << 40;

int bench_read_accuracy(bench_options *o, const char *text)
{
  const char *name;
  for (int i = 0; (name = cnnblas_accuracy_policy_name((cnnblas_accuracy_policy)i)); i++) {
    o->accuracy = (cnnblas_accuracy_policy)i;
    if (strcmp(text, name) == 0) return BENCH_OK;
  }
  return bench_usage_error("accuracy", text, "it is default, exact or relaxed");
}

int bench_read_workspace(bench_options *o, const char *text)
{
  long long bytes;
  o->workspace = strcmp(text, "default") == 0 ? CNNBLAS_WORKSPACE_DEFAULT
                 : strcmp(text, "none") == 0  ? CNNBLAS_WORKSPACE_NONE
                                              : CNNBLAS_WORKSPACE_LIMIT;
  if (o->workspace != CNNBLAS_WORKSPACE_LIMIT) return BENCH_OK;
  char *end;
  errno = 0;
  bytes = strtoll(text, &end, 10);
  if (end == text || *end || errno || bytes < 0 || bytes > most_workspace)
    return bench_usage_error("workspace", text, "it is default, none, or a number of bytes a thread, up to 2^40");
  o->workspace_limit = (size_t)bytes;
  return BENCH_OK;
}

int bench_read_min_time(bench_options *o, const char *text)
{
  char *end;
  o->min_time = strtod(text, &end);
  return end != text && !*end && o->min_time > 0 && o->min_time <= 3600
             ? BENCH_OK
             : bench_usage_error("min-time", text, "it must be seconds, above 0");
}

int bench_read_wait_quiet(bench_options *o, const char *text)
{
  char *end;
  o->wait_quiet = strtod(text, &end);
  return end != text && !*end && o->wait_quiet >= 0 && o->wait_quiet <= 86400
             ? BENCH_OK
             : bench_usage_error("wait-quiet", text, "it must be seconds, 0 to 86400");
}

int bench_read_choice(const char *option, const char *text, const char *first, const char *second, int *value)
{
  *value = strcmp(text, second) == 0;
  if (*value || strcmp(text, first) == 0) return BENCH_OK;
  char what[80];
  snprintf(what, sizeof what, "it is %s or %s", first, second);
  return bench_usage_error(option, text, what);
}

int bench_read_quantity(const char *option, const char *text, double least, double unit, double *value)
{
  char *end, what[80];
  *value = strtod(text, &end);
  bool good = end != text && !*end && *value >= least && *value <= 1e6;
  *value *= unit;
  if (good) return BENCH_OK;
  snprintf(what, sizeof what, "it must be a number from %g to 1000000", least);
  return bench_usage_error(option, text, what);
}

static int compare_integers(const void *a, const void *b)
{
  return *(const int *)a - *(const int *)b;
}

int bench_read_project(bench_options *o, char *names)
{
  int status = BENCH_OK;
  o->project_count = 0;
  o->project[o->project_count++] = 1;
  for (char *name; status == BENCH_OK && (name = next_name(&names));) {
    long long threads;
    bool seen = false;
    status = bench_read_integer("project", name, 1, BENCH_MOST_WORKERS, &threads);
    for (size_t i = 0; i < o->project_count; i++) seen |= o->project[i] == threads;
    if (status != BENCH_OK || seen) continue;
    if (o->project_count == BENCH_MOST_PROJECTED)
      return bench_usage_error("project", name, "more than 16 numbers of threads");
    o->project[o->project_count++] = (int)threads;
  }
  qsort(o->project, o->project_count, sizeof *o->project, compare_integers);
  return status;
}
