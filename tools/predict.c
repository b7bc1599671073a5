/* `cnnblas predict`: the classes of pictures and of IDX files' images. */
#include "command.h"
#include "data/idx_images.h"
#include "evaluate.h"
#include "input.h"
#include "io/file.h"
#include "io/picture.h"
#include "io/system.h"
#include "model.h"
#include "ranks.h"
#include "reports/json_numbers.h"
#include "weights.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static const char help[] =
    "The class of each picture, or of each image of an IDX file, and how sure the model is.\n"
    "\n"
    "usage: cnnblas predict --model FILE [OPTION]... FILE...\n"
    "\n"
    "  --model FILE   what `cnnblas train` wrote, a checkpoint too\n"
    "  --top N        the N likeliest classes (1)\n"
    "  --invert       pictures of dark ink on light paper: MNIST's digits are white on black\n"
    "  --transpose    IDX images are stored column by column, as EMNIST's are\n"
    "  --threads N    (one a core)\n"
    "  --accuracy A   of convolutions: default, exact (each output by itself) or relaxed\n"
    "  --json FILE    one JSON array; - for standard output, which then holds nothing else\n"
    "  -h, --help  -V, --version\n"
    "\n"
    "FILE is a PNG, JPEG, PGM or PPM of any size, scaled until it covers what the network takes and cut to its\n"
    "middle; or IDX images (axes n, h, w or n, c, h, w) of the network's size, plain or .gz.\n"
    "\n"
    "Under mpirun -n P the processes share an IDX file's images.\n"
    "example: cnnblas predict --model animals.safetensors --top 5 cat.jpg\n"
    "exit status: 0 fine, 1 output not finite, 2 usage, 3 bad input, 4 out of memory or disk, 5 a rank is gone\n";

enum { MODEL = 256, TOP, INVERT, TRANSPOSE, THREADS, ACCURACY, JSON, BATCH_IMAGES = 64 };

static const struct option long_options[] = {
    {"model", required_argument, NULL, MODEL},       {"top", required_argument, NULL, TOP},
    {"invert", no_argument, NULL, INVERT},           {"transpose", no_argument, NULL, TRANSPOSE},
    {"threads", required_argument, NULL, THREADS},   {"json", required_argument, NULL, JSON},
    {"help", no_argument, NULL, COMMAND_HELP},       {"version", no_argument, NULL, COMMAND_VERSION},
    {"accuracy", required_argument, NULL, ACCURACY}, {0}};

typedef struct {
  const char *model;
  int64_t threads, top; /* top: classes that are told of each image */
  int accuracy;         /* a cnnblas_accuracy_policy */
  bool invert, nonfinite;
  dataset_form form;
  const char *json; /* a path, NULL for none */
  json_t *rows;     /* of that file */
  cnnblas_net *net;
  cnnblas_net_info info;
  model_data about;
  void *batch, *probabilities; /* [BATCH_IMAGES][c][h][w], [BATCH_IMAGES][classes] of the network's dtype */
  int32_t classes[BATCH_IMAGES];
  int32_t *ranking; /* [top] */
} prediction;

static double get(const prediction *p, const void *array, int64_t i)
{
  return p->info.dtype == CNNBLAS_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

static void set(const prediction *p, void *array, int64_t i, double value)
{
  if (p->info.dtype == CNNBLAS_F64)
    ((double *)array)[i] = value;
  else
    ((float *)array)[i] = (float)value;
}

/* "cat", or the number of a class without a name. Returns text. */
static const char *class_text(const prediction *p, int32_t class, char text[CLASSES_MOST_NAME + 1])
{
  const char *name = classes_name(&p->about.classes, class);
  if (name)
    snprintf(text, CLASSES_MOST_NAME + 1, "%s", name);
  else
    snprintf(text, CLASSES_MOST_NAME + 1, "%d", (int)class);
  return command_plain(text);
}

/* {"class": 3, "name": "cat", "probability": 0.97} */
static json_t *class_json(const prediction *p, int32_t class, double probability)
{
  const char *name = classes_name(&p->about.classes, class);
  return json_pack("{s:i, s:s*, s:o}", "class", (int)class, "name", name, "probability", io_json_number(probability));
}

static json_t *row_json(const prediction *p, const char *path, int64_t index, int64_t at, const int32_t *ranking)
{
  const int64_t classes = p->info.classes;
  json_t *all = json_array(), *best = p->top > 1 ? json_array() : NULL;
  for (int64_t c = 0; c < classes; c++)
    json_array_append_new(all, io_json_number(get(p, p->probabilities, at * classes + c)));
  for (int64_t i = 0; i < p->top && best; i++)
    json_array_append_new(best, class_json(p, ranking[i], get(p, p->probabilities, at * classes + ranking[i])));
  json_t *row = json_pack("{s:s, s:i, s:s*, s:o, s:o*}", "file", path, "class", (int)ranking[0], "name",
                          classes_name(&p->about.classes, ranking[0]), "probabilities", all, "top", best);
  if (row && index >= 0) json_object_set_new(row, "image", json_integer(index));
  return row;
}

/* index: of the image in its file, -1 for a picture. */
static int report(prediction *p, const char *path, int64_t index, int64_t at)
{
  const int64_t classes = p->info.classes;
  const size_t element = p->info.dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float);
  char text[CLASSES_MOST_NAME + 1];
  evaluate_rank(p->info.dtype, (const char *)p->probabilities + (size_t)(at * classes) * element, classes, p->top,
                p->ranking);
  p->ranking[0] = p->classes[at]; /* by the outputs themselves: probabilities may be equal where those are not */
  for (int64_t c = 0; c < classes; c++)
    if (!isfinite(get(p, p->probabilities, at * classes + c))) p->nonfinite = true;
  if (!command_only_json(p->json)) {
    printf(index < 0 ? "%s" : "%s[%lld]", path, (long long)index);
    for (int64_t i = 0; i < p->top; i++)
      printf("%s %s (%.1f%%)", i ? "," : ":", class_text(p, p->ranking[i], text),
             100 * get(p, p->probabilities, at * classes + p->ranking[i]));
    putchar('\n');
  }
  if (!p->json) return COMMAND_FINE;
  return json_array_append_new(p->rows, row_json(p, path, index, at, p->ranking))
             ? command_fail(COMMAND_NO_ROOM, "%s: out of memory for the JSON", path)
             : COMMAND_FINE;
}

/* Predicts the picture that lies in the batch, which rank 0 reports. */
static int run_picture(prediction *p, const char *path)
{
  cnnblas_status why = cnnblas_net_predict(p->net, 1, p->batch, p->probabilities, p->classes);
  if (why) return command_fail_library(why, COMMAND_BAD_INPUT, path);
  return report(p, path, -1, 0);
}

/* Fills probabilities and classes of images [first, first + count) of a file, whose arrays begin at image 0. */
static int run_share(prediction *p, const dataset *d, const char *path, int64_t first, int64_t count)
{
  const dataset_part part = {.first = first, .count = count};
  io_error error;
  io_status read = dataset_gather(d, &part, &p->about.norm, p->info.dtype, p->batch, NULL, &error);
  if (read) return command_fail((int)read, "%s", error.text);
  cnnblas_status why = cnnblas_net_predict(p->net, count, p->batch, p->probabilities, p->classes);
  return why ? command_fail_library(why, COMMAND_BAD_INPUT, path) : COMMAND_FINE;
}

/* A round of the ranks: each predicts a batch, and rank 0 reports all of them in their order. What a rank does not have is 0 in
   what it adds; numbers of either type are whole in doubles. */
static int run_round(prediction *p, const dataset *d, const char *path, int64_t at)
{
  const int64_t classes = p->info.classes, row = classes + 1, places = ranks_count() * BATCH_IMAGES * row;
  const int64_t first = at + ranks_own() * BATCH_IMAGES, left = d->count - first;
  const int64_t count = left < 0 ? 0 : left < BATCH_IMAGES ? left : BATCH_IMAGES;
  double *all = io_alloc_zeroed((size_t)places, sizeof *all);
  if (!all) return command_fail(COMMAND_NO_ROOM, "out of memory for %lld probabilities", (long long)places);
  int status = count ? run_share(p, d, path, first, count) : COMMAND_FINE;
  for (int64_t i = 0; i < count && !status; i++) {
    double *own = all + (first - at + i) * row;
    own[0] = p->classes[i];
    for (int64_t c = 0; c < classes; c++) own[1 + c] = get(p, p->probabilities, i * classes + c);
  }
  if (!status) status = ranks_sum(places, all);
  for (int64_t rank = 0; rank < ranks_count() && !status && ranks_first(); rank++)
    for (int64_t i = 0; i < BATCH_IMAGES && at + rank * BATCH_IMAGES + i < d->count && !status; i++) {
      const double *own = all + (rank * BATCH_IMAGES + i) * row;
      p->classes[0] = (int32_t)own[0];
      for (int64_t c = 0; c < classes; c++) set(p, p->probabilities, c, own[1 + c]);
      status = report(p, path, at + rank * BATCH_IMAGES + i, 0);
    }
  io_free(all);
  return status;
}

static int predict_images(prediction *p, const char *path)
{
  dataset d = {0};
  io_error error;
  io_status read = idx_images_read_file(path, &p->form, &d, &error);
  int status = read ? command_fail((int)read, "%s", error.text) : COMMAND_FINE;
  if (!read && (d.c != p->info.c || memcmp(d.size, p->info.size, sizeof d.size)))
    status = input_wrong_size(path, p->model, &p->info, d.c, d.size);
  status = ranks_agree(status);
  for (int64_t at = 0; at < d.count && !status; at += ranks_count() * BATCH_IMAGES) status = run_round(p, &d, path, at);
  dataset_free(&d);
  return status;
}

static int predict_file(prediction *p, const char *path)
{
  io_buffer file = {0};
  io_error error;
  char what[96];
  io_status read = io_read_file(path, IO_MOST_BYTES, &file, &error);
  int status = ranks_agree(read ? command_fail((int)read, "%s", error.text) : COMMAND_FINE);
  snprintf(what, sizeof what, "%.80s: other bytes", path);
  if (!status && ranks_count() > 1) status = ranks_compare_hash(what, crc32_z(0, file.bytes, file.count));
  const bool is_picture = !status && picture_recognise(file.bytes, file.count);
  if (!status)
    status = ranks_agree(is_picture ? input_from_picture(path, &file, &p->info, &p->about.norm, p->invert, p->batch)
                                    : input_check_images(path, &file, p->model, &p->info, p->form.transpose));
  io_buffer_free(&file);
  if (!is_picture && !status) return predict_images(p, path);
  return status ? status : run_picture(p, path);
}

static int open_model(prediction *p)
{
  io_error error;
  model_use use = {.mode = CNNBLAS_NET_INFERENCE, .batch = BATCH_IMAGES, .threads = (int32_t)p->threads};
  use.accuracy = (cnnblas_accuracy_policy)p->accuracy;
  io_status read = model_read(p->model, &use, &p->net, &p->about, &error);
  if (read) return command_fail((int)read, "%s", error.text);
  cnnblas_net_get_info(p->net, &p->info);
  size_t element = p->info.dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float);
  p->batch = io_alloc_zeroed((size_t)p->info.input_elements, BATCH_IMAGES * element);
  p->probabilities = io_alloc_zeroed((size_t)p->info.classes, BATCH_IMAGES * element);
  p->top = p->top < p->info.classes ? p->top : p->info.classes;
  p->ranking = io_alloc_zeroed((size_t)p->top, sizeof *p->ranking);
  if (p->batch && p->probabilities && p->ranking) return COMMAND_FINE;
  return command_fail(COMMAND_NO_ROOM, "out of memory for %d images", BATCH_IMAGES);
}

static int read_options(prediction *p, int argc, char **argv, bool *done)
{
  int status = COMMAND_FINE;
  for (int option;
       !status && !*done && (option = getopt_long(argc, argv, COMMAND_SHORT_OPTIONS, long_options, NULL)) != -1;) {
    if (option == MODEL)
      p->model = optarg;
    else if (option == INVERT)
      p->invert = true;
    else if (option == TRANSPOSE)
      p->form.transpose = true;
    else if (option == JSON)
      p->json = optarg;
    else if (option == ACCURACY)
      status = command_choice("accuracy", optarg, settings_accuracy_names, &p->accuracy);
    else if (option == TOP)
      status = command_integer("top", optarg, 1, 1000, &p->top);
    else if (option == THREADS)
      status = command_integer("threads", optarg, 1, 4096, &p->threads);
    else
      status = command_other(option, help, done);
  }
  if (status || *done) return status;
  if (!p->model) return command_fail(COMMAND_USAGE, "--model is missing; --help shows the options");
  if (optind == argc) return command_fail(COMMAND_USAGE, "no FILE to predict; --help shows how");
  return COMMAND_FINE;
}

/* Ranks predict the same files by one model. */
static int compare_ranks(const prediction *p, int files)
{
  char text[96];
  snprintf(text, sizeof text, "%d files, accuracy %s%s%s", files, settings_accuracy_names[p->accuracy],
           p->invert ? ", inverted" : "", p->form.transpose ? ", transposed" : "");
  int status = ranks_compare_text("the network", cnnblas_net_text(p->net));
  if (!status) status = ranks_compare_hash("the model: other weights", weights_checksum(p->net));
  return status ? status : ranks_compare("the work", text);
}

int command_predict(int argc, char **argv)
{
  prediction p = {.top = 1};
  bool done = false;
  int status = read_options(&p, argc, argv, &done);
  if (status || done) return status;
  if (p.json && !(p.rows = json_array())) return command_fail(COMMAND_NO_ROOM, "out of memory for the JSON");
  status = command_check_json(p.json);
  for (int i = optind; i < argc && !status; i++) status = command_json_can_name(p.json, argv[i]);
  if (!status) status = ranks_begin();
  p.threads = ranks_threads(p.threads);
  if (!status) status = ranks_agree(open_model(&p));
  if (!status) status = compare_ranks(&p, argc - optind);
  for (int i = optind; i < argc && !status; i++) status = predict_file(&p, argv[i]);
  if (!status && p.json && ranks_first())
    status = command_write_json(p.json, p.rows);
  else
    json_decref(p.rows);
  int nonfinite = p.nonfinite;
  if (!status) status = ranks_most(&nonfinite);
  if (!status && nonfinite) ranks_all_know();
  if (!status && nonfinite) status = command_fail(COMMAND_CHECK_FAILED, "%s: its output is not finite", p.model);
  io_free(p.batch);
  io_free(p.probabilities);
  io_free(p.ranking);
  model_data_free(&p.about);
  cnnblas_net_destroy(p.net);
  return status;
}
