/* The command line; see options.h. */
#define _GNU_SOURCE
#include "options.h"
#include "descriptor.h"
#include "sets.h"
#include "sweep.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Times convolution layers against naive loops and other libraries; checks every result.\n"
    "\n"
    "usage: cnnblas-bench [OPTION]... [PROBLEM]...          (no problem: resnet50)\n"
    "       cnnblas-bench compare OLD.json NEW.json [--fail-above PERCENT]\n"
    "       cnnblas-bench ab OLD.so NEW.so [OPTION]... [PROBLEM]...\n"
    "       cnnblas-bench plot FILE.json DIR [PICTURE]\n"
    "\n"
    "  --set NAME,...       built-in shape sets, or all; --list shows them, or kernels, or layers\n"
    "  --problems FILE      problem lines as benchdnn writes them: mb8ic64ih56oc64oh56kh3ph1n\"name*3\"\n"
    "  --direction D,...    forward, backward_data, backward_weights or all (all)\n"
    "  --algorithm A,...    of the library, or all: every one but naive and reference (auto)\n"
    "  --peers P,...        others to time in the same run, or all or none (all)\n"
    "  --batch N            images, in place of the problem's own (sets: 8)\n"
    "  --threads N          (one a core)\n"
    "  --dtype f32|f64      (f32)\n"
    "  --min-time SECONDS   spent on each candidate of a layer (0.1)\n"
    "  --workspace W        default, none, or bytes a thread at most\n"
    "  --effort E           estimate or measure: how auto chooses (estimate)\n"
    "  --wisdom FILE        measured choices, read and written; means --effort measure\n"
    "  --no-naive           skip the naive baseline\n"
    "  --sweep V=FROM..TO   batch, channels, size or threads, doubling, or V=A,B,C: how time grows\n"
    "  --fresh              afterwards repeat the whole in a new process and compare\n"
    "  --latency            single calls: p50 and p99, with warm and with cold caches\n"
    "  --plot DIR           pictures of the run, SVG and PNG through gnuplot\n"
    "  --json FILE  --csv FILE  --list  --version  --help\n"
    "\n"
    "examples:\n"
    "  cnnblas-bench --set alexnet,vgg16 --batch 1 --json old.json\n"
    "  cnnblas-bench --peers none --direction forward 'mb1ic64ih56oc64kh3ph1'\n"
    "  cnnblas-bench --peers none --sweep size=14..224 ic64ih56oc64kh3ph1\n"
    "  cnnblas-bench compare old.json new.json --fail-above 5\n"
    "exit status: 0 fine, 1 wrong result, too slow, 2 usage, 3 bad input, 4 memory or disk\n";

enum {
  SET = 256,
  PROBLEMS,
  DIRECTION,
  ALGORITHM,
  PEERS,
  BATCH,
  THREADS,
  DTYPE,
  MIN_TIME,
  WORKSPACE,
  EFFORT,
  WISDOM,
  NO_NAIVE,
  SWEEP,
  FRESH,
  LATENCY,
  JSON,
  CSV,
  PLOT,
  LIST,
  VERSION,
  HELP
};

static const struct option long_options[] = {{"set", required_argument, NULL, SET},
                                             {"problems", required_argument, NULL, PROBLEMS},
                                             {"direction", required_argument, NULL, DIRECTION},
                                             {"algorithm", required_argument, NULL, ALGORITHM},
                                             {"peers", required_argument, NULL, PEERS},
                                             {"batch", required_argument, NULL, BATCH},
                                             {"threads", required_argument, NULL, THREADS},
                                             {"dtype", required_argument, NULL, DTYPE},
                                             {"min-time", required_argument, NULL, MIN_TIME},
                                             {"workspace", required_argument, NULL, WORKSPACE},
                                             {"effort", required_argument, NULL, EFFORT},
                                             {"wisdom", required_argument, NULL, WISDOM},
                                             {"no-naive", no_argument, NULL, NO_NAIVE},
                                             {"sweep", required_argument, NULL, SWEEP},
                                             {"fresh", no_argument, NULL, FRESH},
                                             {"latency", no_argument, NULL, LATENCY},
                                             {"json", required_argument, NULL, JSON},
                                             {"csv", required_argument, NULL, CSV},
                                             {"plot", required_argument, NULL, PLOT},
                                             {"list", no_argument, NULL, LIST},
                                             {"version", no_argument, NULL, VERSION},
                                             {"help", no_argument, NULL, HELP},
                                             {0}};

static int usage_error(const char *option, const char *value, const char *what)
{
  fprintf(stderr, "cnnblas-bench: --%s %s: %s\n", option, value, what);
  return BENCH_USAGE;
}

static int out_of_memory(void)
{
  fputs("cnnblas-bench: out of memory\n", stderr);
  return BENCH_NO_MEMORY;
}

/* The next name of a comma-separated list, cut out in place; NULL at the end. */
static char *next_name(char **list)
{
  return strsep(list, ",");
}

static void print_list(void)
{
  puts("sets:");
  for (const bench_set *set = bench_sets; set->name; set++) {
    bench_problem_list layers = {0};
    int64_t total = 0;
    if (bench_set_load(&layers, set->name) == 0)
      for (size_t i = 0; i < layers.count; i++) total += layers.items[i].repeats;
    const char *comment = set->text[0] == '#' ? set->text + 2 : "";
    printf("  %-10s %2zu layers for %lld: %.*s\n", set->name, layers.count, (long long)total,
           (int)strcspn(comment, "\n"), comment);
    bench_problem_list_free(&layers);
  }
  puts("  kernels    the micro-kernels of this build alone: no convolutions");
  puts("  layers     activations, pooling, fully connected, optimiser: no convolutions");
  puts("algorithms:\n  auto");
  for (int32_t i = 0; cnnblas_conv_algorithm_name(i); i++) printf("  %s\n", cnnblas_conv_algorithm_name(i));
  printf("  %s  (forward, weights packed before the timing)\n", BENCH_PREPACKED);
  puts("peers:");
  for (size_t i = 0; bench_peer_at(i); i++) printf("  %-14s %s\n", bench_peer_at(i)->name, bench_peer_at(i)->summary);
}

static int read_sets(bench_options *o, char *names)
{
  for (char *name; (name = next_name(&names));) {
    if (strcmp(name, "kernels") == 0 || strcmp(name, "layers") == 0) {
      *(name[0] == 'k' ? &o->kernels : &o->layers) = true;
      continue;
    }
    if (strcmp(name, "all") == 0) {
      for (const bench_set *set = bench_sets; set->name; set++)
        if (bench_set_load(&o->problems, set->name)) return out_of_memory();
      continue;
    }
    int error = bench_set_load(&o->problems, name);
    if (error == 1) return usage_error("set", name, "no such set; --list shows them");
    if (error) return out_of_memory();
  }
  return BENCH_OK;
}

static void report_bad_line(void *path, size_t line, const bench_parse_error *error)
{
  fprintf(stderr, "cnnblas-bench: %s:%zu:%zu: %s\n", (const char *)path, line, error->column, error->text);
}

static int read_problem_file(bench_options *o, char *path)
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
        return out_of_memory();
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
  if (bad == SIZE_MAX) return out_of_memory();
  o->bad_lines += bad;
  return failed ? BENCH_BAD_INPUT : BENCH_OK;
}

static int read_problem(bench_options *o, const char *text)
{
  bench_problem problem;
  bench_parse_error error;
  if (bench_descriptor_parse(text, strlen(text), &problem, &error)) {
    snprintf(problem.set, sizeof problem.set, "line");
    return bench_problem_list_add(&o->problems, &problem) ? BENCH_OK : out_of_memory();
  }
  fprintf(stderr, "cnnblas-bench: problem, column %zu: %s\n  %s\n  %*s\n", error.column, error.text, text,
          (int)error.column, "^");
  o->bad_lines++;
  return BENCH_OK;
}

static int read_directions(bench_options *o, char *names)
{
  static const char *const known[] = {"forward", "backward_data", "backward_weights"};
  memset(o->directions, 0, sizeof o->directions);
  for (char *name; (name = next_name(&names));) {
    bool all = strcmp(name, "all") == 0, found = all;
    for (int d = 0; d < 3; d++)
      if (all || strcmp(name, known[d]) == 0) found = o->directions[d] = true;
    if (!found) return usage_error("direction", name, "it is forward, backward_data, backward_weights or all");
  }
  return BENCH_OK;
}

static bool is_algorithm(const char *name)
{
  if (strcmp(name, "auto") == 0) return true;
  for (int32_t i = 0; cnnblas_conv_algorithm_name(i); i++)
    if (strcmp(name, cnnblas_conv_algorithm_name(i)) == 0) return true;
  return false;
}

static void add_algorithm(bench_options *o, const char *name)
{
  for (size_t i = 0; i < o->algorithm_count; i++)
    if (strcmp(o->algorithms[i], name) == 0) return;
  if (o->algorithm_count < BENCH_MOST_NAMES) o->algorithms[o->algorithm_count++] = name;
}

/* The names live in argv, or in the library. */
static int read_algorithms(bench_options *o, char *names)
{
  o->algorithm_count = 0;
  o->algorithms_named = true;
  for (char *name; (name = next_name(&names));) {
    if (strcmp(name, "all") == 0) {
      o->algorithms_named = false;
      add_algorithm(o, "auto");
      for (int32_t i = 0; cnnblas_conv_algorithm_name(i); i++) {
        const char *each = cnnblas_conv_algorithm_name(i);
        if (strcmp(each, "naive") != 0 && strcmp(each, "reference") != 0) add_algorithm(o, each);
      }
      add_algorithm(o, BENCH_PREPACKED);
    } else if (is_algorithm(name) || strcmp(name, BENCH_PREPACKED) == 0) {
      add_algorithm(o, name);
    } else {
      return usage_error("algorithm", name, "no such algorithm; --list shows them");
    }
  }
  return BENCH_OK;
}

static int read_peers(bench_options *o, char *names)
{
  o->peer_count = 0;
  o->peers_named = true;
  for (char *name; (name = next_name(&names));) {
    bool all = strcmp(name, "all") == 0, found = all || strcmp(name, "none") == 0;
    if (all) o->peers_named = false;
    for (size_t i = 0; bench_peer_at(i); i++)
      if ((all || strcmp(name, bench_peer_at(i)->name) == 0) && o->peer_count < BENCH_MOST_NAMES) {
        o->peers[o->peer_count++] = bench_peer_at(i);
        found = true;
      }
    if (!found) return usage_error("peers", name, "not in this build; --list shows its peers");
  }
  return BENCH_OK;
}

static int read_integer(const char *option, const char *text, long long least, long long most, long long *value)
{
  char *end;
  errno = 0;
  *value = strtoll(text, &end, 10);
  if (end != text && !*end && !errno && *value >= least && *value <= most) return BENCH_OK;
  char what[80];
  snprintf(what, sizeof what, "it must be a number from %lld to %lld", least, most);
  return usage_error(option, text, what);
}

static int read_workspace(bench_options *o, const char *text)
{
  long long bytes;
  o->workspace = strcmp(text, "default") == 0 ? CNNBLAS_WORKSPACE_DEFAULT
                 : strcmp(text, "none") == 0  ? CNNBLAS_WORKSPACE_NONE
                                              : CNNBLAS_WORKSPACE_LIMIT;
  if (o->workspace != CNNBLAS_WORKSPACE_LIMIT) return BENCH_OK;
  int status = read_integer("workspace", text, 0, 1LL << 40, &bytes);
  o->workspace_limit = status ? 0 : (size_t)bytes;
  return status;
}

static int read_min_time(bench_options *o, const char *text)
{
  char *end;
  o->min_time = strtod(text, &end);
  return end != text && !*end && o->min_time > 0 && o->min_time <= 3600
             ? BENCH_OK
             : usage_error("min-time", text, "it must be seconds, above 0");
}

/* Options whose value is one of two words. */
static int read_choice(const char *option, const char *text, const char *first, const char *second, int *value)
{
  *value = strcmp(text, second) == 0;
  if (*value || strcmp(text, first) == 0) return BENCH_OK;
  char what[80];
  snprintf(what, sizeof what, "it is %s or %s", first, second);
  return usage_error(option, text, what);
}

/* One option; -1 to end with status 0. */
static int read_option(bench_options *o, int option, const char **sweep)
{
  long long number = 0;
  int choice = 0, status = BENCH_OK;
  switch (option) {
  case SET:
    return read_sets(o, optarg);
  case PROBLEMS:
    return read_problem_file(o, optarg);
  case DIRECTION:
    return read_directions(o, optarg);
  case ALGORITHM:
    return read_algorithms(o, optarg);
  case PEERS:
    return read_peers(o, optarg);
  case BATCH:
    status = read_integer("batch", optarg, 1, 1 << 24, &number);
    o->batch = number;
    return status;
  case THREADS:
    status = read_integer("threads", optarg, 1, 4096, &number);
    o->threads = (int)number;
    return status;
  case DTYPE:
    status = read_choice("dtype", optarg, "f32", "f64", &choice);
    o->dtype = choice ? CNNBLAS_F64 : CNNBLAS_F32;
    return status;
  case MIN_TIME:
    return read_min_time(o, optarg);
  case WORKSPACE:
    return read_workspace(o, optarg);
  case EFFORT:
    status = read_choice("effort", optarg, "estimate", "measure", &choice);
    o->effort = choice ? CNNBLAS_MEASURE : CNNBLAS_ESTIMATE;
    return status;
  case WISDOM:
    o->wisdom_file = optarg;
    o->effort = CNNBLAS_MEASURE;
    return BENCH_OK;
  case NO_NAIVE:
    o->naive = false;
    return BENCH_OK;
  case SWEEP:
    *sweep = optarg;
    return BENCH_OK;
  case FRESH:
    o->fresh = true;
    return BENCH_OK;
  case LATENCY:
    o->latency = true;
    return BENCH_OK;
  case JSON:
    o->json = optarg;
    return BENCH_OK;
  case CSV:
    o->csv = optarg;
    return BENCH_OK;
  case PLOT:
    o->plot = optarg;
    return BENCH_OK;
  case LIST:
    print_list();
    return -1;
  case VERSION:
    printf("cnnblas-bench %s\n", cnnblas_version_string());
    return -1;
  case HELP:
    fputs(help, stdout);
    return -1;
  default:
    fputs("cnnblas-bench: --help shows the options\n", stderr);
    return BENCH_USAGE;
  }
}

/* What needs the whole command line: defaults, and the sweep over all problems. */
static int finish(bench_options *o, const char *sweep, bool problems_named)
{
  bool alone = o->kernels || o->layers;
  if (o->plot && o->json && strcmp(o->json, "-") == 0)
    return usage_error("plot", o->plot, "the pictures are made from the JSON file, which --json sends to stdout");
  if (alone && (o->problems.count || o->bad_lines || o->csv || o->fresh || sweep || (o->kernels && o->layers)))
    return usage_error("set", o->kernels ? "kernels" : "layers",
                       "it runs without other sets and problems, --csv, --fresh and --sweep");
  if (o->kernels) return BENCH_OK;
  if (!o->threads) {
    cnnblas_system_info info;
    cnnblas_get_system_info(&info);
    o->threads = info.threads;
  }
  if (o->layers) return BENCH_OK;
  if (!problems_named && bench_set_load(&o->problems, "resnet50")) return out_of_memory();
  if (!sweep) return BENCH_OK;
  if (o->batch)
    for (size_t i = 0; i < o->problems.count; i++) o->problems.items[i].desc.n = o->batch;
  char why[160];
  bench_sweep_error error = bench_sweep_expand(&o->problems, sweep, &o->sweep, why, sizeof why);
  if (error == BENCH_SWEEP_NO_MEMORY) return out_of_memory();
  return error ? usage_error("sweep", sweep, why) : BENCH_OK;
}

bool bench_options_read(int argc, char **argv, bench_options *o, int *status)
{
  *o = (bench_options){.directions = {true, true, true},
                       .algorithms = {"auto"},
                       .algorithm_count = 1,
                       .min_time = 0.1,
                       .naive = true,
                       .sweep = ""};
  for (size_t i = 0; bench_peer_at(i) && i < BENCH_MOST_NAMES; i++) o->peers[o->peer_count++] = bench_peer_at(i);
  const char *sweep = NULL;
  bool problems_named = false;
  *status = BENCH_OK;
  for (int option; *status == BENCH_OK && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
    problems_named |= option == SET || option == PROBLEMS;
    *status = read_option(o, option, &sweep);
  }
  for (; *status == BENCH_OK && optind < argc; optind++) {
    problems_named = true;
    *status = read_problem(o, argv[optind]);
  }
  if (*status == BENCH_OK) *status = finish(o, sweep, problems_named);
  bool go_on = *status == BENCH_OK;
  if (*status == -1) *status = BENCH_OK;
  if (!go_on) bench_options_free(o);
  return go_on;
}

void bench_options_free(bench_options *options)
{
  bench_problem_list_free(&options->problems);
}
