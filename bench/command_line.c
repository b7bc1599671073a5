/* The command line; see command_line.h. */
#define _GNU_SOURCE
#include "command_line.h"
#include "algorithm_names.h"
#include "option_values.h"
#include "sets.h"
#include "sweep.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Times convolution layers against naive loops and other libraries; checks every result.\n"
    "\n"
    "usage: cnnblas-bench [OPTION]... [PROBLEM]...          (no problem: resnet50)\n"
    "       cnnblas-bench compare OLD.json NEW.json [--fail-above PERCENT] [--json FILE]\n"
    "       cnnblas-bench ab OLD.so NEW.so [OPTION]... [PROBLEM]...\n"
    "       cnnblas-bench plot FILE.json DIR [PICTURE]\n"
    "\n"
    "  --set NAME,...       built-in shape sets, or all; --list shows them, or kernels, or layers\n"
    "  --problems FILE      problem lines as benchdnn writes them: mb8ic64ih56oc64oh56kh3ph1n\"name*3\"\n"
    "  --direction D,...    forward, backward_data, backward_weights or all (all)\n"
    "  --algorithm A,...    of the library, or all: every one but naive and reference (auto)\n"
    "  --peers P,...        others to time in the same run, or all or none (all)\n"
    "  --batch N            images, in place of the problems' own, which is 8 where they don't say\n"
    "  --threads N          (one a core)\n"
    "  --dtype f32|f64      (f32)\n"
    "  --min-time SECONDS   spent on each candidate of a layer (0.1)\n"
    "  --workspace W        default, none, or bytes a thread at most\n"
    "  --effort E           estimate or measure: how auto chooses (estimate)\n"
    "  --accuracy A         default, exact (the element-wise bound) or relaxed: what auto may choose\n"
    "  --wisdom FILE        measured choices, read and written; means --effort measure\n"
    "  --wait-quiet SECONDS wait up to so long for other processes to leave the machine alone (0)\n"
    "  --no-naive           skip the naive baseline\n"
    "  --sweep V=FROM..TO   batch, channels, size or threads, doubling, or V=A,B,C: how time grows;\n"
    "                       several combine\n"
    "  --project T,...      as if on T threads: tasks timed one by one, and their makespan; projected\n"
    "  --barrier US  --bandwidth GB/s   what --project supposes (5, and what memory here gives a thread)\n"
    "  --fresh              afterwards repeat the whole in a new process and compare\n"
    "  --latency            single calls: p50 and p99, with warm and with cold caches\n"
    "  --calibrate FILE     times beside counted work, for calibrate.py; for developers\n"
    "  --plot DIR           pictures of the run, SVG and PNG through gnuplot\n"
    "  --json FILE          - for standard output, which then holds nothing else\n"
    "  --csv FILE  --list  -V, --version  -h, --help\n"
    "\n"
    "examples:\n"
    "  cnnblas-bench --set alexnet,vgg16 --batch 1 --json old.json\n"
    "  cnnblas-bench --peers none --direction forward 'mb1ic64ih56oc64kh3ph1'\n"
    "  cnnblas-bench --peers none --sweep size=14..224 ic64ih56oc64kh3ph1\n"
    "  cnnblas-bench compare old.json new.json --fail-above 5\n"
    "exit status: 0 fine, 1 wrong result or too slow, 2 usage, 3 bad input, nothing ran or a named\n"
    "  algorithm applies to no layer, 4 memory or disk\n";

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
  WAIT_QUIET,
  WORKSPACE,
  EFFORT,
  ACCURACY,
  WISDOM,
  NO_NAIVE,
  SWEEP,
  PROJECT,
  BARRIER,
  BANDWIDTH,
  FRESH,
  LATENCY,
  CALIBRATE,
  JSON,
  CSV,
  PLOT,
  LIST,
  VERSION = 'V',
  HELP = 'h'
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
                                             {"wait-quiet", required_argument, NULL, WAIT_QUIET},
                                             {"workspace", required_argument, NULL, WORKSPACE},
                                             {"effort", required_argument, NULL, EFFORT},
                                             {"accuracy", required_argument, NULL, ACCURACY},
                                             {"wisdom", required_argument, NULL, WISDOM},
                                             {"no-naive", no_argument, NULL, NO_NAIVE},
                                             {"sweep", required_argument, NULL, SWEEP},
                                             {"project", required_argument, NULL, PROJECT},
                                             {"barrier", required_argument, NULL, BARRIER},
                                             {"bandwidth", required_argument, NULL, BANDWIDTH},
                                             {"fresh", no_argument, NULL, FRESH},
                                             {"latency", no_argument, NULL, LATENCY},
                                             {"calibrate", required_argument, NULL, CALIBRATE},
                                             {"json", required_argument, NULL, JSON},
                                             {"csv", required_argument, NULL, CSV},
                                             {"plot", required_argument, NULL, PLOT},
                                             {"list", no_argument, NULL, LIST},
                                             {"version", no_argument, NULL, VERSION},
                                             {"help", no_argument, NULL, HELP},
                                             {0}};

static void print_list(void)
{
  puts("sets:");
  for (const bench_set *set = bench_sets; set->name; set++) {
    bench_problem_list layers = {0};
    int64_t total = 0;
    if (bench_set_load(&layers, set->name) == 0)
      for (size_t i = 0; i < layers.count; i++) total += layers.items[i].repeats;
    const char *comment = set->text[0] == '#' ? set->text + 2 : "";
    printf("  %-15s %2zu layers for %lld: %.*s\n", set->name, layers.count, (long long)total,
           (int)strcspn(comment, "\n"), comment);
    bench_problem_list_free(&layers);
  }
  puts("  kernels         the micro-kernels of this build alone: no convolutions");
  puts("  layers          activations, pooling, fully connected, optimiser: no convolutions");
  puts("algorithms:\n  " BENCH_AUTO);
  for (int32_t i = 0; cnnblas_conv_algorithm_name(i); i++) printf("  %s\n", cnnblas_conv_algorithm_name(i));
  printf("  %s  (forward and input gradient, weights packed before the timing; so for each name that takes them)\n",
         BENCH_PREPACKED);
  puts("peers:");
  for (size_t i = 0; bench_peer_at(i); i++)
    printf("  %-14s %s%s\n", bench_peer_at(i)->name, bench_peer_at(i)->summary,
           bench_peer_at(i)->by_name_only ? "  (by name only)" : "");
}

/* Where an option that is no more than a text keeps it; NULL for the others. */
static const char **text_of(bench_options *o, int option)
{
  return option == JSON        ? &o->json
         : option == CSV       ? &o->csv
         : option == PLOT      ? &o->plot
         : option == CALIBRATE ? &o->calibrate
                               : NULL;
}

/* An option whose value is a number or one of two words. */
static int read_number(bench_options *o, int option)
{
  long long number = 0;
  int choice = 0, status;
  switch (option) {
  case BATCH:
    status = bench_read_integer("batch", optarg, 1, 1 << 24, &number);
    o->batch = number;
    return status;
  case THREADS:
    status = bench_read_integer("threads", optarg, 1, 4096, &number);
    o->threads = (int)number;
    return status;
  case DTYPE:
    status = bench_read_choice("dtype", optarg, "f32", "f64", &choice);
    o->dtype = choice ? CNNBLAS_F64 : CNNBLAS_F32;
    return status;
  case EFFORT:
    status = bench_read_choice("effort", optarg, "estimate", "measure", &choice);
    o->effort = choice ? CNNBLAS_MEASURE : CNNBLAS_ESTIMATE;
    return status;
  case BARRIER:
    o->supposes = true;
    return bench_read_quantity("barrier", optarg, 0, 1e-6, &o->barrier);
  case BANDWIDTH:
    o->supposes = true;
    return bench_read_quantity("bandwidth", optarg, 0.001, 1e9, &o->bandwidth);
  default:
    fputs("cnnblas-bench: --help shows the options\n", stderr);
    return BENCH_USAGE;
  }
}

/* An option that prints and ends the program; false for the others. */
static bool answers(int option)
{
  if (option == LIST)
    print_list();
  else if (option == VERSION)
    printf("cnnblas-bench %s\n", cnnblas_version_string());
  else if (option == HELP)
    fputs(help, stdout);
  else
    return false;
  return true;
}

/* One option; -1 to end with status 0. */
static int read_option(bench_options *o, int option)
{
  const char **text = text_of(o, option);
  if (text) return *text = optarg, BENCH_OK;
  if (answers(option)) return -1;
  switch (option) {
  case SET:
    return bench_read_sets(o, optarg);
  case PROBLEMS:
    return bench_read_problem_file(o, optarg);
  case DIRECTION:
    return bench_read_directions(o, optarg);
  case ALGORITHM:
    return bench_read_algorithms(o, optarg);
  case PEERS:
    return bench_read_peers(o, optarg);
  case MIN_TIME:
    return bench_read_min_time(o, optarg);
  case WAIT_QUIET:
    return bench_read_wait_quiet(o, optarg);
  case WORKSPACE:
    return bench_read_workspace(o, optarg);
  case ACCURACY:
    return bench_read_accuracy(o, optarg);
  case WISDOM:
    o->wisdom_file = optarg;
    o->effort = CNNBLAS_MEASURE;
    return BENCH_OK;
  case NO_NAIVE:
    o->naive = false;
    return BENCH_OK;
  case SWEEP:
    if (o->sweep_count == BENCH_MOST_SWEEPS) return bench_usage_error("sweep", optarg, "there are no more variables");
    o->sweeps[o->sweep_count++] = optarg;
    return BENCH_OK;
  case PROJECT:
    return bench_read_project(o, optarg);
  case FRESH:
    o->fresh = true;
    return BENCH_OK;
  case LATENCY:
    o->latency = true;
    return BENCH_OK;
  default:
    return read_number(o, option);
  }
}

/* Replaces the texts of the sweeps by their variables, and each problem by one per combination of values. */
static int sweep(bench_options *o)
{
  if (o->batch && o->sweep_count)
    for (size_t i = 0; i < o->problems.count; i++) o->problems.items[i].desc.n = o->batch;
  for (size_t s = 0; s < o->sweep_count; s++) {
    char why[160];
    const char *text = o->sweeps[s];
    bench_sweep_error error = bench_sweep_expand(&o->problems, text, &o->sweeps[s], why, sizeof why);
    if (error == BENCH_SWEEP_NO_MEMORY) return bench_out_of_memory();
    if (error) return bench_usage_error("sweep", text, why);
    for (size_t before = 0; before < s; before++)
      if (o->sweeps[before] == o->sweeps[s]) return bench_usage_error("sweep", text, "this variable is swept already");
  }
  return BENCH_OK;
}

/* What needs the whole command line: defaults, and the sweeps over all problems. */
static int finish(bench_options *o, bool problems_named)
{
  bool alone = o->kernels || o->layers;
  if (o->plot && o->json && strcmp(o->json, "-") == 0)
    return bench_usage_error("plot", o->plot, "the pictures are made from the JSON file, which --json sends to stdout");
  if (alone && (o->problems.count || o->bad_lines || o->csv || o->fresh || o->sweep_count || (o->kernels && o->layers)))
    return bench_usage_error("set", o->kernels ? "kernels" : "layers",
                             "it runs without other sets and problems, --csv, --fresh and --sweep");
  if (o->project_count && (alone || o->csv || o->fresh || o->latency || o->sweep_count || o->effort == CNNBLAS_MEASURE))
    return bench_usage_error("project", "T,...",
                             "it runs without --set kernels and layers, --csv, --fresh, --latency, --sweep, --effort "
                             "measure and --wisdom");
  if (o->supposes && !o->project_count)
    return fputs("cnnblas-bench: --barrier and --bandwidth are of --project T,...\n", stderr), BENCH_USAGE;
  if (o->calibrate && (alone || o->project_count || o->json || o->csv || o->plot || o->fresh || o->latency ||
                       o->effort == CNNBLAS_MEASURE))
    return bench_usage_error("calibrate", o->calibrate,
                             "it runs with sets, problems, --direction, --batch, --threads, --dtype, --min-time, "
                             "--sweep, --workspace, --accuracy and --wait-quiet only");
  if (o->kernels) return BENCH_OK;
  if (!o->threads) {
    cnnblas_system_info info;
    cnnblas_system_get_info(&info);
    o->threads = info.threads;
  }
  if (o->layers) return BENCH_OK;
  if (!problems_named && bench_set_load(&o->problems, "resnet50")) return bench_out_of_memory();
  return sweep(o);
}

bool bench_options_read(int argc, char **argv, bench_options *o, int *status)
{
  *o = (bench_options){.directions = {true, true, true},
                       .algorithms = {"auto"},
                       .algorithm_count = 1,
                       .min_time = 0.1,
                       .naive = true,
                       .barrier = 5e-6};
  for (size_t i = 0; bench_peer_at(i) && o->peer_count < BENCH_MOST_NAMES; i++)
    if (!bench_peer_at(i)->by_name_only) o->peers[o->peer_count++] = bench_peer_at(i);
  bool problems_named = false;
  *status = BENCH_OK;
  for (int option; *status == BENCH_OK && (option = getopt_long(argc, argv, "hV", long_options, NULL)) != -1;) {
    problems_named |= option == SET || option == PROBLEMS;
    *status = read_option(o, option);
  }
  for (; *status == BENCH_OK && optind < argc; optind++) {
    problems_named = true;
    *status = bench_read_problem(o, argv[optind]);
  }
  if (*status == BENCH_OK) *status = finish(o, problems_named);
  bool go_on = *status == BENCH_OK;
  if (*status == -1) *status = BENCH_OK;
  if (!go_on) bench_options_free(o);
  return go_on;
}

void bench_options_free(bench_options *options)
{
  bench_problem_list_free(&options->problems);
}
