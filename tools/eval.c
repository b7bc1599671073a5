/* `cnnblas eval`: loss, accuracy and confusion of a model on test images. */
#include "command.h"
#include "dataset_read.h"
#include "evaluate.h"
#include "model.h"
#include "plots.h"
#include "ranks.h"
#include "reports/json_numbers.h"
#include "train_settings.h"
#include "weights.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "Loss and accuracy of a model on a folder's test images.\n"
    "\n"
    "usage: cnnblas eval --model FILE [--data DIR] [OPTION]...\n"
    "\n"
    "  --model FILE   what `cnnblas train` wrote, a checkpoint too\n"
    "  --data DIR     t10k-images-idx3-ubyte (axes n, h, w; idx4: n, c, h, w) and t10k-labels-idx1-ubyte, plain\n"
    "                 or .gz; CIFAR-10's test_batch.bin; or pictures in DIR/test/CLASS/; none: drawn digits\n"
    "  --train        the training images in their place\n"
    "  --transpose    images are stored column by column, as EMNIST's are\n"
    "  --label-offset N\n"
    "                 labels are counted from N (0; EMNIST's letters: 1)\n"
    "  --classes      precision and recall of each class\n"
    "  --confusion    a table: how many images of each class were taken for which\n"
    "  --confusion-plot FILE\n"
    "                 the table as a picture, SVG or PNG by the ending; needs gnuplot\n"
    "  --batch N      images a call (256)\n"
    "  --threads N    (one a core)\n"
    "  --accuracy A   of convolutions: default, exact (each output by itself) or relaxed\n"
    "  --json FILE    one JSON object; - for standard output, which then holds nothing else\n"
    "  -h, --help  -V, --version\n"
    "\n"
    "Under mpirun -n P the processes share its images.\n"
    "example: cnnblas eval --model digits.safetensors --data mnist/ --classes --confusion\n"
    "exit status: 0 fine, 1 output not finite, 2 usage, 3 bad input, 4 out of memory or disk, 5 a rank is gone\n";

enum {
  MODEL = 256,
  DATA,
  TRAIN,
  TRANSPOSE,
  LABEL_OFFSET,
  CLASSES,
  CONFUSION,
  CONFUSION_PLOT,
  BATCH,
  THREADS,
  ACCURACY,
  JSON
};

static const struct option long_options[] = {{"model", required_argument, NULL, MODEL},
                                             {"data", required_argument, NULL, DATA},
                                             {"train", no_argument, NULL, TRAIN},
                                             {"transpose", no_argument, NULL, TRANSPOSE},
                                             {"label-offset", required_argument, NULL, LABEL_OFFSET},
                                             {"classes", no_argument, NULL, CLASSES},
                                             {"confusion", no_argument, NULL, CONFUSION},
                                             {"confusion-plot", required_argument, NULL, CONFUSION_PLOT},
                                             {"batch", required_argument, NULL, BATCH},
                                             {"threads", required_argument, NULL, THREADS},
                                             {"accuracy", required_argument, NULL, ACCURACY},
                                             {"json", required_argument, NULL, JSON},
                                             {"help", no_argument, NULL, COMMAND_HELP},
                                             {"version", no_argument, NULL, COMMAND_VERSION},
                                             {0}};

typedef struct {
  const char *model, *data, *plot;
  dataset_half half;
  dataset_form form;
  const char *json; /* a path, NULL for none */
  bool confusion, classes;
  int64_t batch, threads;
  int accuracy; /* a cnnblas_accuracy_policy */
} eval_options;

typedef struct {
  eval_options o;
  cnnblas_net *net;
  cnnblas_net_info info;
  model_data about;
  dataset data;
  evaluate_answers answers;
  cnnblas_net_result result;
  double seconds;
} evaluation;

static int read_option(eval_options *o, int option, bool *done)
{
  switch (option) {
  case MODEL:
    o->model = optarg;
    return COMMAND_FINE;
  case DATA:
    o->data = optarg;
    return COMMAND_FINE;
  case TRAIN:
    o->half = DATASET_TRAIN;
    return COMMAND_FINE;
  case TRANSPOSE:
    o->form.transpose = true;
    return COMMAND_FINE;
  case LABEL_OFFSET:
    return command_integer("label-offset", optarg, INT32_MIN, INT32_MAX, &o->form.label_offset);
  case CLASSES:
    o->classes = true;
    return COMMAND_FINE;
  case CONFUSION:
    o->confusion = true;
    return COMMAND_FINE;
  case CONFUSION_PLOT:
    o->plot = optarg;
    return plots_check("confusion-plot", optarg);
  case JSON:
    o->json = optarg;
    return COMMAND_FINE;
  case BATCH:
    return command_integer("batch", optarg, 1, 1 << 24, &o->batch);
  case ACCURACY:
    return command_choice("accuracy", optarg, settings_accuracy_names, &o->accuracy);
  case THREADS:
    return command_integer("threads", optarg, 1, 4096, &o->threads);
  default:
    return command_other(option, help, done);
  }
}

static int load(evaluation *e)
{
  io_error error;
  char is[96], wanted[96];
  model_use use = {.mode = CNNBLAS_NET_DESIGN, .batch = 1, .threads = 1};
  cnnblas_net *design = NULL;
  st_file file = {0};
  dataset_form *form = &e->o.form;
  io_status status = st_read(e->o.model, &file, &error);
  if (!status) status = model_make(e->o.model, &file, &use, &design, &e->about, &error);
  if (!status) cnnblas_net_get_info(design, &e->info);
  cnnblas_net_destroy(design);
  form->c = e->info.c;
  memcpy(form->size, e->info.size, sizeof form->size);
  form->classes = &e->about.classes;
  if (!status)
    status = e->o.data ? dataset_read(e->o.data, e->o.half, form, &e->data, &error)
                       : dataset_draw(e->o.half, &e->data, &error);
  use = (model_use){.mode = CNNBLAS_NET_INFERENCE, .threads = (int32_t)e->o.threads};
  use.batch = dataset_batch(&e->data, e->o.batch);
  use.accuracy = (cnnblas_accuracy_policy)e->o.accuracy;
  if (!status && (e->data.c != e->info.c || memcmp(e->data.size, e->info.size, sizeof e->data.size)))
    status = io_fail(&error, IO_BAD_INPUT, "%s: images of %s; %s takes %s", e->data.images_path,
                     command_shape(is, sizeof is, e->data.c, e->data.size), e->o.model,
                     command_shape(wanted, sizeof wanted, e->info.c, e->info.size));
  if (!status) status = model_make(e->o.model, &file, &use, &e->net, NULL, &error);
  st_free(&file);
  if (!status) cnnblas_net_get_info(e->net, &e->info);
  if (!status) status = dataset_check_labels(&e->data, e->info.classes, &error);
  if (!status && e->data.files && !e->about.classes.count && ranks_first())
    command_fail(0, "%s names no classes: %s's folders count as classes 0, 1, ... by their names' order", e->o.model,
                 e->data.images_path);
  return status ? command_fail((int)status, "%s", error.text) : COMMAND_FINE;
}

static int measure(evaluation *e)
{
  batches room = {0};
  const image_set images = {&e->data, NULL, e->data.count};
  int status =
      batches_make(&room, e->net, &e->about.norm)
          ? COMMAND_FINE
          : command_fail(COMMAND_NO_ROOM, "out of memory for a batch of %lld images", (long long)e->info.batch);
  if (!status) status = evaluate_images(e->net, &images, &room, e->o.model, &e->result, &e->seconds);
  if (!status) status = evaluate_classes(e->net, &images, &room, e->o.model, &e->answers);
  batches_free(&room);
  return status;
}

/* The number of a class, with its name if it has one. Returns text. */
static const char *class_text(const evaluation *e, int64_t class, char text[CLASSES_MOST_NAME + 32])
{
  const char *name = classes_name(&e->about.classes, class);
  snprintf(text, CLASSES_MOST_NAME + 32, "%lld%s%s", (long long)class, name ? " " : "", name ? name : "");
  return command_plain(text);
}

static void print_confusion(const evaluation *e)
{
  const int64_t classes = e->info.classes;
  printf("\nrows: the label; columns: what the model says\n%6s", "");
  for (int64_t j = 0; j < classes; j++) printf(" %6lld", (long long)j);
  for (int64_t i = 0; i < classes; i++) {
    printf("\n%6lld", (long long)i);
    for (int64_t j = 0; j < classes; j++) printf(" %6lld", (long long)e->answers.table[i * classes + j]);
  }
  putchar('\n');
}

/* "97.1%", or "-" of nothing. Returns text. */
static const char *percent(double share, char text[16])
{
  snprintf(text, 16, isnan(share) ? "-" : "%.1f%%", 100 * share);
  return text;
}

static void print_classes(const evaluation *e)
{
  char precision[16], recall[16], name[CLASSES_MOST_NAME + 32];
  printf("\n%9s %9s  class\n", "precision", "recall");
  for (int64_t i = 0; i < e->info.classes; i++)
    printf("%9s %9s  %s\n", percent(evaluate_precision(&e->answers, i), precision),
           percent(evaluate_recall(&e->answers, i), recall), class_text(e, i, name));
}

static void print_text(const evaluation *e)
{
  const cnnblas_net_result *r = &e->result;
  printf("accuracy %.2f%% (%lld of %lld)", 100.0 * (double)r->correct / (double)r->images, (long long)r->correct,
         (long long)r->images);
  if (e->info.classes > 5) printf("  top-5 %.2f%%", 100.0 * (double)e->answers.top5 / (double)r->images);
  printf("  loss %.4f  %.0f images/s\n", r->loss, (double)r->images / e->seconds);
  if (r->nonfinite[0]) printf("the output of %s is not finite\n", r->nonfinite);
  if (e->o.classes) print_classes(e);
  if (e->o.confusion) print_confusion(e);
}

static json_t *confusion_json(const evaluation *e)
{
  json_t *table = json_array();
  for (int64_t i = 0; i < e->info.classes && table; i++) {
    json_t *row = json_array();
    for (int64_t j = 0; j < e->info.classes; j++)
      json_array_append_new(row, json_integer(e->answers.table[i * e->info.classes + j]));
    json_array_append_new(table, row);
  }
  return table;
}

static json_t *classes_json(const evaluation *e)
{
  json_t *all = json_array();
  for (int64_t i = 0; i < e->info.classes && all; i++)
    json_array_append_new(all, json_pack("{s:I, s:s*, s:o, s:o}", "class", (json_int_t)i, "name",
                                         classes_name(&e->about.classes, i), "precision",
                                         io_json_number(evaluate_precision(&e->answers, i)), "recall",
                                         io_json_number(evaluate_recall(&e->answers, i))));
  return all;
}

static int write_json(const evaluation *e)
{
  const cnnblas_net_result *r = &e->result;
  const double images = (double)r->images;
  return command_write_json(
      e->o.json, json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o?}", "model", e->o.model, "data",
                           e->o.data ? e->o.data : "drawn digits", "images", (json_int_t)r->images, "correct",
                           (json_int_t)r->correct, "accuracy", io_json_number((double)r->correct / images), "top5",
                           io_json_number((double)e->answers.top5 / images), "loss",
                           io_json_number(r->nonfinite[0] ? NAN : r->loss), "seconds", io_json_number(e->seconds),
                           "images_per_second", io_json_number(images / e->seconds), "classes", classes_json(e),
                           "confusion", e->o.confusion ? confusion_json(e) : NULL));
}

/* Ranks share one set of images and have one model. */
static int compare_ranks(const evaluation *e)
{
  if (ranks_count() == 1) return COMMAND_FINE;
  char text[96];
  snprintf(text, sizeof text, "%lld images, batches of %lld, accuracy %s", (long long)e->data.count,
           (long long)e->info.batch, settings_accuracy_names[e->o.accuracy]);
  int status = ranks_compare_text("the network", cnnblas_net_text(e->net));
  if (!status) status = ranks_compare_hash("the model: other weights", weights_checksum(e->net));
  if (!status) status = ranks_compare("the test", text);
  return status ? status : ranks_compare_hash("the data: other images or labels", dataset_checksum_of_files(&e->data));
}

static int report(const evaluation *e)
{
  int status = e->o.plot ? plots_confusion(e->o.plot, e->answers.table, e->info.classes) : COMMAND_FINE;
  if (!status && !command_only_json(e->o.json)) print_text(e);
  return !status && e->o.json ? write_json(e) : status;
}

int command_eval(int argc, char **argv)
{
  evaluation e = {.o = {.half = DATASET_TEST, .batch = 256}};
  bool done = false;
  int status = COMMAND_FINE;
  for (int option;
       !status && !done && (option = getopt_long(argc, argv, COMMAND_SHORT_OPTIONS, long_options, NULL)) != -1;)
    status = read_option(&e.o, option, &done);
  if (status || done) return status;
  if ((status = command_no_operands(argc, argv))) return status;
  if (!e.o.model) return command_fail(COMMAND_USAGE, "--model is missing; --help shows the options");
  status = command_check_json(e.o.json);
  if (!status) status = command_json_can_name(e.o.json, e.o.model);
  if (!status) status = command_json_can_name(e.o.json, e.o.data);
  if (!status) status = ranks_begin();
  e.o.threads = ranks_threads(e.o.threads);
  if (!status) status = ranks_agree(load(&e));
  if (!status) status = compare_ranks(&e);
  if (!status) status = measure(&e);
  if (!status) status = ranks_agree(ranks_first() ? report(&e) : COMMAND_FINE);
  if (!status && e.result.nonfinite[0]) status = COMMAND_CHECK_FAILED;
  evaluate_answers_free(&e.answers);
  model_data_free(&e.about);
  dataset_free(&e.data);
  cnnblas_net_destroy(e.net);
  return status;
}
