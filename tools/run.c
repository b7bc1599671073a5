/* `cnnblas run`: an ONNX model on arrays and pictures. */
#include "io/system.h"
#include "run_parts.h"
#include "train_settings.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] =
    "Runs an ONNX model.\n"
    "\n"
    "usage: cnnblas run MODEL.onnx [OPTION]...\n"
    "\n"
    "  --input [NAME=]FILE   .npy, .pb (a TensorProto), .safetensors (its tensor of the input's name), or a picture "
    "(PNG,\n"
    "                        JPEG, PGM, PPM), scaled until it covers the size that the model takes and cut to its "
    "middle;\n"
    "                        once for each input. Without names: in their order\n"
    "  --mean A[,B,C]        of pictures, whose pixels go from 0 to 1: (pixel - mean) * scale, by channel (0)\n"
    "  --scale A[,B,C]       (1)\n"
    "  --layout L            of pictures: nchw or nhwc (nchw)\n"
    "  --dimension NAME=N    the size of a dimension that the model names; with all of them given, weights take less "
    "memory\n"
    "  --output [NAME=]FILE  writes an output as .npy; once for each that is wanted\n"
    "  --top N               prints the N largest elements of the first output\n"
    "  --labels FILE         their names, one a line\n"
    "  --check DIR           runs on DIR's input_I.pb and compares with its output_I.pb, as ONNX's test data have "
    "them\n"
    "  --rtol R, --atol A    that the check allows: |got - wanted| <= A + R * |wanted| (1e-3, 1e-5)\n"
    "  --repeat N            runs N times more and prints the latency (p50, p99) and runs a second\n"
    "  --profile             and each node's time and algorithm\n"
    "  --threads N           (one a core)\n"
    "  --accuracy A          of convolutions: default, exact (each output by itself) or relaxed\n"
    "  --effort E            how convolutions' algorithms are chosen: estimate, or measure, which tries each at "
    "loading\n"
    "  -h, --help  -V, --version\n"
    "\n"
    "example: cnnblas run mobilenet.onnx --input photo.png --top 5 --labels names.txt --repeat 100 --profile\n"
    "exit status: 0 fine, 1 the check failed, 2 usage, 3 bad input, 4 out of memory or disk\n";

enum {
  INPUT = 256,
  MEAN,
  SCALE,
  LAYOUT,
  OUTPUT,
  TOP,
  LABELS,
  CHECK,
  RTOL,
  ATOL,
  REPEAT,
  PROFILE,
  THREADS,
  ACCURACY,
  DIMENSION,
  EFFORT
};

static const struct option long_options[] = {{"input", required_argument, NULL, INPUT},
                                             {"mean", required_argument, NULL, MEAN},
                                             {"scale", required_argument, NULL, SCALE},
                                             {"layout", required_argument, NULL, LAYOUT},
                                             {"dimension", required_argument, NULL, DIMENSION},
                                             {"effort", required_argument, NULL, EFFORT},
                                             {"output", required_argument, NULL, OUTPUT},
                                             {"top", required_argument, NULL, TOP},
                                             {"labels", required_argument, NULL, LABELS},
                                             {"check", required_argument, NULL, CHECK},
                                             {"rtol", required_argument, NULL, RTOL},
                                             {"atol", required_argument, NULL, ATOL},
                                             {"repeat", required_argument, NULL, REPEAT},
                                             {"profile", no_argument, NULL, PROFILE},
                                             {"threads", required_argument, NULL, THREADS},
                                             {"accuracy", required_argument, NULL, ACCURACY},
                                             {"help", no_argument, NULL, COMMAND_HELP},
                                             {"version", no_argument, NULL, COMMAND_VERSION},
                                             {0}};

static int add_file(const char *option, const char *text, run_file *files, int *count)
{
  const char *equals = strchr(text, '=');
  if (*count == RUN_MOST) return command_bad_value(option, text, "at most %d of them", RUN_MOST);
  run_file *f = &files[(*count)++];
  f->path = equals ? equals + 1 : text;
  size_t length = equals ? (size_t)(equals - text) : 0;
  if (length >= sizeof f->name) return command_bad_value(option, text, "the name is too long");
  memcpy(f->name, text, length);
  f->name[length] = 0;
  return COMMAND_FINE;
}

static int add_dimension(const char *text, run_options *o)
{
  const char *equals = strchr(text, '=');
  if (o->dimension_count == RUN_MOST) return command_bad_value("dimension", text, "at most %d of them", RUN_MOST);
  char *name = o->names[o->dimension_count];
  if (!equals || equals == text || (size_t)(equals - text) >= sizeof o->names[0])
    return command_bad_value("dimension", text, "it must be a name, = and a size");
  memcpy(name, text, (size_t)(equals - text));
  cnnblas_onnx_dimension *d = &o->dimensions[o->dimension_count++];
  d->name = name;
  return command_integer("dimension", equals + 1, 0, INT64_MAX, &d->size);
}

/* One number for all channels, or one for each. */
static int read_channels(const char *option, const char *text, double *values)
{
  char *end;
  const char *at = text;
  int count = 0;
  for (; count < RUN_CHANNELS; at = end + 1) {
    values[count++] = strtod(at, &end);
    if (end == at || (*end && *end != ',') || !isfinite(values[count - 1]))
      return command_bad_value(option, text, "it must be numbers, with commas between");
    if (!*end) break;
  }
  for (int i = count; i < RUN_CHANNELS && count == 1; i++) values[i] = values[0];
  return COMMAND_FINE;
}

static int read_option(run_options *o, int option, bool *done)
{
  static const char *const layouts[] = {"nchw", "nhwc", NULL}, *const efforts[] = {"estimate", "measure", NULL};
  int choice = 0, status;
  switch (option) {
  case INPUT:
    return add_file("input", optarg, o->inputs, &o->input_count);
  case MEAN:
    return read_channels("mean", optarg, o->mean);
  case SCALE:
    return read_channels("scale", optarg, o->scale);
  case LAYOUT:
    status = command_choice("layout", optarg, layouts, &choice);
    o->nhwc = choice == 1;
    return status;
  case OUTPUT:
    return add_file("output", optarg, o->outputs, &o->output_count);
  case DIMENSION:
    return add_dimension(optarg, o);
  case EFFORT:
    status = command_choice("effort", optarg, efforts, &choice);
    o->measure = choice == 1;
    return status;
  case TOP:
    return command_integer("top", optarg, 1, 1000, &o->top);
  case LABELS:
    o->labels = optarg;
    return COMMAND_FINE;
  case CHECK:
    o->check = optarg;
    return COMMAND_FINE;
  case RTOL:
    return command_number("rtol", optarg, 0, HUGE_VAL, &o->rtol);
  case ATOL:
    return command_number("atol", optarg, 0, HUGE_VAL, &o->atol);
  case REPEAT:
    return command_integer("repeat", optarg, 1, 1 << 24, &o->repeat);
  case PROFILE:
    o->profile = true;
    return COMMAND_FINE;
  case THREADS:
    return command_integer("threads", optarg, 1, 4096, &o->threads);
  case ACCURACY:
    return command_choice("accuracy", optarg, settings_accuracy_names, &o->accuracy);
  default:
    return command_other(option, help, done);
  }
}

static int read_options(run_options *o, int argc, char **argv, bool *done)
{
  int status = COMMAND_FINE, option;
  while (!status && !*done && (option = getopt_long(argc, argv, COMMAND_SHORT_OPTIONS, long_options, NULL)) != -1)
    status = read_option(o, option, done);
  if (status || *done) return status;
  if (optind >= argc) return command_fail(COMMAND_USAGE, "which model? --help shows how to say it");
  o->model = argv[optind++];
  return command_no_operands(argc, argv);
}

/* The declaration of the input that a file is for. */
static int declaration(const cnnblas_onnx *model, const run_file *f, int place, cnnblas_onnx_array *declared)
{
  for (int64_t i = *f->name ? 0 : place; !cnnblas_onnx_get_input(model, i, declared); i++)
    if (!*f->name || !strcmp(f->name, declared->name)) return COMMAND_FINE;
  return command_fail(COMMAND_USAGE, "--input %s: the model has no such input", *f->name ? f->name : f->path);
}

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One run, then those that are timed. */
static int run_all(cnnblas_onnx *model, const run_options *o, const cnnblas_onnx_array *inputs,
                   cnnblas_onnx_array *outputs, int count)
{
  double *seconds = io_alloc_zeroed((size_t)o->repeat + 1, sizeof *seconds);
  if (!seconds) return command_fail(COMMAND_NO_ROOM, "out of memory for %lld times", (long long)o->repeat);
  cnnblas_status why = cnnblas_onnx_run(model, inputs, o->input_count, outputs, count);
  if (!why && o->profile) why = cnnblas_onnx_profile(model, 1);
  int64_t repeat = o->repeat ? o->repeat : o->profile ? 1 : 0;
  for (int64_t i = 0; i < repeat && !why; i++) {
    double begin = now();
    why = cnnblas_onnx_run(model, inputs, o->input_count, outputs, count);
    seconds[i] = now() - begin;
  }
  if (!why && repeat) run_print_times(model, seconds, repeat, o->profile);
  io_free(seconds);
  return why ? command_fail_library(why, COMMAND_BAD_INPUT, o->model) : COMMAND_FINE;
}

static int run_on_files(cnnblas_onnx *model, const run_options *o)
{
  cnnblas_onnx_array inputs[RUN_MOST] = {{0}}, outputs[RUN_MOST] = {{0}};
  int status = COMMAND_FINE, read = 0, count = o->output_count ? o->output_count : 1;
  for (; read < o->input_count && !status; read++) {
    cnnblas_onnx_array declared;
    status = declaration(model, &o->inputs[read], read, &declared);
    if (!status) status = run_read(o, o->inputs[read].path, &declared, &inputs[read]);
    if (!status) inputs[read].name = declared.name;
  }
  for (int i = 0; i < o->output_count; i++) outputs[i].name = *o->outputs[i].name ? o->outputs[i].name : NULL;
  if (!status) status = run_all(model, o, inputs, outputs, count);
  for (int i = 0; i < o->output_count && !status; i++) status = run_write(o->outputs[i].path, &outputs[i]);
  if (!status && o->top) status = run_print_top(&outputs[0], o->top, o->labels);
  for (int i = 0; i < read; i++) run_free(&inputs[i]);
  return status;
}

int command_run(int argc, char **argv)
{
  run_options o = {.rtol = 1e-3, .atol = 1e-5, .scale = {1, 1, 1, 1}};
  cnnblas_onnx *model = NULL;
  bool done = false;
  int status = read_options(&o, argc, argv, &done);
  if (status || done) return status;
  cnnblas_onnx_options options = {.threads = (int32_t)o.threads,
                                  .accuracy = (cnnblas_accuracy_policy)o.accuracy,
                                  .effort = o.measure ? CNNBLAS_MEASURE : CNNBLAS_ESTIMATE,
                                  .dimensions = o.dimension_count ? o.dimensions : NULL,
                                  .dimension_count = o.dimension_count};
  cnnblas_status why = cnnblas_onnx_load(o.model, &options, &model);
  if (why) return command_fail_library(why, COMMAND_BAD_INPUT, NULL);
  status = o.check ? run_check(model, &o) : COMMAND_FINE;
  if (!status && (o.input_count || !o.check)) status = run_on_files(model, &o);
  cnnblas_onnx_destroy(model);
  return status;
}
