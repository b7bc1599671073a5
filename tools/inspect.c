/* `cnnblas inspect`: the network of a model or of a notation as a table, and a model's tensors. */
#include "command.h"
#include "io/system.h"
#include "model.h"
#include "network_pictures.h"
#include "notation_lines.h"
#include "plots.h"
#include "reports/json_numbers.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "A network's layers, shapes, parameters, FLOPs, algorithms and memory; of a model also its tensors.\n"
    "\n"
    "usage: cnnblas inspect FILE [OPTION]...\n"
    "       cnnblas inspect --net TEXT [OPTION]...\n"
    "\n"
    "  --net TEXT      a network in the notation\n"
    "  --input CxHxW   the data's channels and size, for an INPUT without one\n"
    "  --classes N     the data's classes, for a last FC without a size\n"
    "  --dtype T       f32 or f64 (f32; a model has its own)\n"
    "  --batch N       images a call (64)\n"
    "  --threads N     (one a core)\n"
    "  --filters FILE  a model's first filters as a grid, SVG or PNG by the ending; needs gnuplot\n"
    "  --activations IMAGE FILE\n"
    "                  what its first layers make of a picture or the first image of an IDX file\n"
    "  --invert        IMAGE is dark ink on light paper\n"
    "  --json FILE     one JSON object; - for standard output, which then holds nothing else\n"
    "  -h, --help  -V, --version\n"
    "\n"
    "example: cnnblas inspect --net 'INPUT 1x28x28 -> [CONV 8@5x5 -> RELU -> POOL]*2 -> FC 10'\n"
    "exit status: 0 fine, 2 usage, 3 bad input, 4 out of memory or disk\n";

enum { NET = 256, INPUT, CLASSES, DTYPE, BATCH, THREADS, FILTERS, ACTIVATIONS, INVERT, JSON };

static const struct option long_options[] = {{"net", required_argument, NULL, NET},
                                             {"input", required_argument, NULL, INPUT},
                                             {"classes", required_argument, NULL, CLASSES},
                                             {"dtype", required_argument, NULL, DTYPE},
                                             {"batch", required_argument, NULL, BATCH},
                                             {"threads", required_argument, NULL, THREADS},
                                             {"filters", required_argument, NULL, FILTERS},
                                             {"activations", required_argument, NULL, ACTIVATIONS},
                                             {"invert", no_argument, NULL, INVERT},
                                             {"json", required_argument, NULL, JSON},
                                             {"help", no_argument, NULL, COMMAND_HELP},
                                             {"version", no_argument, NULL, COMMAND_VERSION},
                                             {0}};

typedef struct {
  const char *net, *file;
  const char *filters, *image, *activations; /* pictures to draw; image: what --activations was given */
  cnnblas_net_options made;
  int64_t threads;
  const char *json; /* a path, NULL for none */
  bool invert;
} inspect_options;

static int read_option(int argc, char **argv, inspect_options *o, int option, bool *done)
{
  int choice = 0, status;
  switch (option) {
  case NET:
    o->net = optarg;
    return COMMAND_FINE;
  case INPUT:
    return command_input("input", optarg, &o->made.c, o->made.size);
  case CLASSES:
    return command_integer("classes", optarg, 1, INT32_MAX, &o->made.classes);
  case DTYPE:
    status = command_choice("dtype", optarg, settings_dtype_names, &choice);
    o->made.dtype = (cnnblas_dtype)choice;
    return status;
  case BATCH:
    return command_integer("batch", optarg, 1, 1 << 24, &o->made.batch);
  case THREADS:
    status = command_integer("threads", optarg, 1, 4096, &o->threads);
    o->made.threads = (int32_t)o->threads;
    return status;
  case FILTERS:
    o->filters = optarg;
    return plots_check("filters", optarg);
  case ACTIVATIONS:
    o->image = optarg;
    if (optind >= argc) return command_fail(COMMAND_USAGE, "--activations takes an IMAGE and a FILE");
    o->activations = argv[optind++];
    return plots_check("activations", o->activations);
  case INVERT:
    o->invert = true;
    return COMMAND_FINE;
  case JSON:
    o->json = optarg;
    return COMMAND_FINE;
  default:
    return command_other(option, help, done);
  }
}

static int read_options(int argc, char **argv, inspect_options *o, bool *done)
{
  int status = COMMAND_FINE;
  for (int option;
       !status && !*done && (option = getopt_long(argc, argv, COMMAND_SHORT_OPTIONS, long_options, NULL)) != -1;)
    status = read_option(argc, argv, o, option, done);
  if (status || *done) return status;
  if (optind < argc) o->file = argv[optind++];
  if (!o->net == !o->file) return command_fail(COMMAND_USAGE, "a FILE or --net is wanted, one of them");
  if (!o->file && (o->filters || o->activations))
    return command_fail(COMMAND_USAGE, "--filters and --activations take a model FILE: a notation has no weights");
  return command_no_operands(argc, argv);
}

/* ---- what tensors hold ---- */

typedef struct {
  double least, most, rms;
  int64_t nonfinite;
} statistics;

static double element(const st_tensor *t, size_t i)
{
  float f;
  double d;
  if (!strcmp(t->dtype, "F64")) {
    memcpy(&d, (const char *)t->data + i * sizeof d, sizeof d);
    return d;
  }
  memcpy(&f, (const char *)t->data + i * sizeof f, sizeof f);
  return (double)f;
}

static statistics look_at(const st_tensor *t)
{
  statistics s = {.least = INFINITY, .most = -INFINITY};
  size_t count = t->bytes / st_element(t->dtype), finite = 0;
  double squares = 0;
  for (size_t i = 0; i < count; i++) {
    double v = element(t, i);
    if (!isfinite(v)) {
      s.nonfinite++;
      continue;
    }
    finite++;
    s.least = fmin(s.least, v);
    s.most = fmax(s.most, v);
    squares += v * v;
  }
  if (!finite) s.least = s.most = 0;
  s.rms = finite ? sqrt(squares / (double)finite) : 0;
  return s;
}

static void print_tensors(const st_file *file)
{
  printf("\n%-28s %-5s %-20s %12s %12s %12s\n", "tensor", "dtype", "shape", "least", "largest", "rms");
  for (size_t i = 0; i < file->count; i++) {
    const st_tensor *t = &file->tensors[i];
    char shape[160] = "";
    for (int a = 0, used = 0; a < t->rank && used < 140; a++)
      used += snprintf(shape + used, sizeof shape - (size_t)used, "%s%lld", a ? "x" : "", (long long)t->shape[a]);
    statistics s = look_at(t);
    printf("%-28s %-5s %-20s %12.5g %12.5g %12.5g", t->name, t->dtype, shape, s.least, s.most, s.rms);
    printf(s.nonfinite ? "  %lld not finite\n" : "\n", (long long)s.nonfinite);
  }
}

static int print_text(const inspect_options *o, const cnnblas_net *net, const st_file *file)
{
  size_t needed = 0;
  if (o->net) notation_print(net, o->net);
  cnnblas_net_describe(net, NULL, 0, &needed);
  char *text = io_alloc(needed);
  if (!text) return command_fail(COMMAND_NO_ROOM, "out of memory for the table");
  cnnblas_net_describe(net, text, needed, NULL);
  fputs(text, stdout);
  io_free(text);
  if (!file->header) return COMMAND_FINE;
  print_tensors(file);
  const char *key;
  json_t *value;
  puts("\nmetadata");
  json_object_foreach(json_object_get(file->header, "__metadata__"), key, value)
      printf("%-14s %s\n", key, strcmp(key, "rows") ? json_string_value(value) : "(the history)");
  return COMMAND_FINE;
}

static json_t *layer_json(const cnnblas_net *net, int64_t index)
{
  cnnblas_net_layer_info l;
  char shape[96];
  cnnblas_net_get_layer(net, index, &l);
  return json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:b, s:[s, s, s]}", "name", l.name, "kind", l.kind, "detail",
                   l.detail, "output", command_shape(shape, sizeof shape, l.c, l.size), "parameters",
                   (json_int_t)(l.weights + l.biases), "flops", io_json_number(l.flops), "fused", (int)l.fused,
                   "algorithms", l.algorithm[0], l.algorithm[1], l.algorithm[2]);
}

static json_t *tensors_json(const st_file *file)
{
  json_t *tensors = json_array();
  for (size_t i = 0; i < file->count; i++) {
    const st_tensor *t = &file->tensors[i];
    statistics s = look_at(t);
    json_t *shape = json_array();
    for (int a = 0; a < t->rank; a++) json_array_append_new(shape, json_integer(t->shape[a]));
    json_array_append_new(tensors,
                          json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:I}", "name", t->name, "dtype", t->dtype, "shape",
                                    shape, "least", io_json_number(s.least), "largest", io_json_number(s.most), "rms",
                                    io_json_number(s.rms), "nonfinite", (json_int_t)s.nonfinite));
  }
  return tensors;
}

static int write_json(const char *path, const cnnblas_net *net, const st_file *file)
{
  cnnblas_net_info info;
  json_t *layers = json_array();
  cnnblas_net_get_info(net, &info);
  for (int64_t i = 0; i < info.layers; i++) json_array_append_new(layers, layer_json(net, i));
  json_t *metadata = file->header ? json_deep_copy(json_object_get(file->header, "__metadata__")) : NULL;
  return command_write_json(path, json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:I, s:I, s:o, s:o?, s:o?}", "network",
                                            cnnblas_net_text(net), "dtype", settings_dtype_names[info.dtype], "batch",
                                            (json_int_t)info.batch, "classes", (json_int_t)info.classes, "parameters",
                                            (json_int_t)info.parameters, "flops", io_json_number(info.flops),
                                            "training_flops", io_json_number(info.training_flops), "training_bytes",
                                            (json_int_t)info.training_bytes, "inference_bytes",
                                            (json_int_t)info.inference_bytes, "layers", layers, "tensors",
                                            file->header ? tensors_json(file) : NULL, "metadata", metadata));
}

/* The pictures that were asked for, from a network that has the model's values. */
static int draw_pictures(const inspect_options *o, const st_file *file)
{
  cnnblas_net *net = NULL;
  model_data about;
  io_error error;
  model_use use = {.mode = CNNBLAS_NET_TRAINING, .batch = 1, .threads = o->made.threads};
  io_status read = model_make(o->file, file, &use, &net, &about, &error);
  if (read) return command_fail((int)read, "%s", error.text);
  int status = o->filters ? draw_filters(net, o->file, o->filters) : COMMAND_FINE;
  if (!status && o->activations)
    status = draw_activations(net, &about.norm, o->file, o->image, o->invert, o->activations);
  model_data_free(&about);
  cnnblas_net_destroy(net);
  return status;
}

int command_inspect(int argc, char **argv)
{
  inspect_options o = {.made = {.mode = CNNBLAS_NET_DESIGN, .batch = 64}};
  bool done = false;
  int status = read_options(argc, argv, &o, &done);
  if (status || done) return status;
  if ((status = command_check_json(o.json))) return status;
  cnnblas_net *net = NULL;
  st_file file = {0};
  io_error error;
  if (o.file) {
    model_use use = {.mode = CNNBLAS_NET_DESIGN, .batch = o.made.batch, .threads = o.made.threads};
    io_status read = st_read(o.file, &file, &error);
    if (!read) read = model_make(o.file, &file, &use, &net, NULL, &error);
    if (read) status = command_fail((int)read, "%s", error.text);
  } else {
    cnnblas_status why = cnnblas_net_create(o.net, &o.made, &net);
    if (why) {
      status = command_fail_library(why, COMMAND_USAGE, "--net");
      notation_explain(o.net, &o.made);
    }
  }
  if (!status && (o.filters || o.activations)) status = draw_pictures(&o, &file);
  if (!status && !command_only_json(o.json)) status = print_text(&o, net, &file);
  if (!status && o.json) status = write_json(o.json, net, &file);
  cnnblas_net_destroy(net);
  st_free(&file);
  return status;
}
