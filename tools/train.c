/* `cnnblas train`: data and network are made ready, shown, trained, and written. */
#include "checkpoint.h"
#include "command.h"
#include "history.h"
#include "io/file.h"
#include "io/system.h"
#include "model.h"
#include "plots.h"
#include "reports/json_numbers.h"
#include "train_options.h"
#include "trainer.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char default_net[] =
    "INPUT -> [CONV 8@5x5 -> RELU -> POOL max 2] -> [CONV 16@5x5 -> RELU -> POOL max 2] -> FC 64 -> RELU -> FC";

/* All that a run holds. */
typedef struct {
  train_options options;
  st_file resumed; /* the checkpoint; freed once it has been read */
  dataset train, test;
  trainer trainer;
  char interrupted[PATH_MAX];
} session;

static int failed_io(io_status status, const io_error *error)
{
  return status ? command_fail((int)status, "%s", error->text) : COMMAND_FINE;
}

static int check_same_size(const session *s)
{
  const dataset *a = &s->train, *b = &s->test;
  char one[96], other[96];
  if (a->c == b->c && !memcmp(a->size, b->size, sizeof a->size)) return COMMAND_FINE;
  return command_fail(COMMAND_BAD_INPUT, "%s has images of %s, but %s of %s", b->images_path,
                      command_shape(other, sizeof other, b->c, b->size), a->images_path,
                      command_shape(one, sizeof one, a->c, a->size));
}

/* All files that will be written, before anything is computed: what a signal makes too, if --out or --checkpoint names it. */
static int check_outputs(const session *s)
{
  const train_options *o = &s->options;
  const char *const paths[] = {o->out, o->checkpoint, o->history, o->out || o->checkpoint ? s->interrupted : NULL};
  io_error error;
  io_status status = IO_OK;
  for (size_t i = 0; i < sizeof paths / sizeof *paths && !status; i++)
    if (paths[i]) status = io_can_replace(paths[i], &error);
  int checked = status ? failed_io(status, &error) : command_check_json(o->json);
  if (!checked) checked = command_json_can_name(o->json, o->data);
  return checked ? checked : command_json_can_name(o->json, o->out);
}

/* Where the checkpoint of an interrupted run goes. */
static int name_interrupted(session *s)
{
  const train_options *o = &s->options;
  const char *base = o->checkpoint ? o->checkpoint : o->out ? o->out : "cnnblas";
  int length = snprintf(s->interrupted, sizeof s->interrupted, "%s%s", base, o->checkpoint ? "" : ".checkpoint");
  if (length < (int)sizeof s->interrupted) return COMMAND_FINE;
  return command_fail(COMMAND_NO_ROOM, "%s: cannot create: the name is too long", base);
}

static int load_data(session *s)
{
  io_error error;
  const char *folder = s->options.data;
  io_status status = folder ? dataset_read(folder, DATASET_TRAIN, &s->options.form, &s->train, &error)
                            : dataset_draw(DATASET_TRAIN, &s->train, &error);
  if (!status)
    status = folder ? dataset_read(folder, DATASET_TEST, &s->options.form, &s->test, &error)
                    : dataset_draw(DATASET_TEST, &s->test, &error);
  return status ? failed_io(status, &error) : check_same_size(s);
}

/*
 * A last FC without a size gets as many outputs as the labels ask for; one that has more is fine too, only labels above
 * its outputs are refused (by the caller). A design is made with and without the labels' number to learn which it is.
 */
static cnnblas_status make_net(const char *text, cnnblas_net_options *o, int64_t classes, cnnblas_net **net)
{
  cnnblas_net *design;
  cnnblas_net_mode mode = o->mode;
  o->mode = CNNBLAS_NET_DESIGN;
  o->classes = classes;
  cnnblas_status why = cnnblas_net_create(text, o, &design);
  if (why == CNNBLAS_BAD_FORMAT) {
    o->classes = 0;
    why = cnnblas_net_create(text, o, &design);
  }
  o->mode = mode;
  if (why) return why;
  cnnblas_net_destroy(design);
  return cnnblas_net_create(text, o, net);
}

static int begin_run(session *s)
{
  const train_options *o = &s->options;
  trainer *t = &s->trainer;
  cnnblas_net_options made = {.dtype = o->dtype, .loss = o->loss, .init = o->settings.init, .threads = o->threads};
  made.accuracy = o->settings.accuracy;
  made.seed = o->settings.seed;
  t->settings = o->settings;
  made.batch = t->settings.batch = dataset_batch(&s->train, o->settings.batch);
  made.c = s->train.c;
  memcpy(made.size, s->train.size, sizeof made.size);
  t->norm = dataset_norm(&s->train);
  t->state.checksum = dataset_checksum(&s->train);
  cnnblas_status why = make_net(o->net ? o->net : default_net, &made, (int64_t)s->train.largest_label + 1, &t->net);
  return why ? command_fail_library(why, COMMAND_USAGE, "--net") : COMMAND_FINE;
}

/* Options that were given replace what the checkpoint has. */
static void change_settings(const train_options *o, train_settings *s)
{
  const train_settings *given = &o->settings;
  if (o->epochs_given) s->epochs = given->epochs;
  if (o->lr_given) s->lr = given->lr;
  if (o->momentum_given) s->momentum = given->momentum;
  if (o->decay_given) s->weight_decay = given->weight_decay;
  if (!o->lr_steps_given) return;
  memcpy(s->lr_steps, given->lr_steps, sizeof s->lr_steps);
  s->lr_step_count = given->lr_step_count;
}

static int check_resumed(const session *s)
{
  const char *path = s->options.resume;
  const trainer *t = &s->trainer;
  cnnblas_net_info info;
  cnnblas_net_get_info(t->net, &info);
  if (info.c != s->train.c || memcmp(info.size, s->train.size, sizeof info.size) ||
      dataset_checksum(&s->train) != t->state.checksum)
    return command_fail(COMMAND_BAD_INPUT, "%s: the run was begun with other data than %s", path, s->train.images_path);
  if (t->state.epoch >= t->settings.epochs)
    return command_fail(COMMAND_USAGE, "%s: all of its %lld epochs are done; --epochs asks for more", path,
                        (long long)t->state.epoch);
  if (t->state.image >= s->train.count)
    return command_fail(COMMAND_BAD_INPUT, "%s: image %lld of an epoch of %lld", path, (long long)t->state.image,
                        (long long)s->train.count);
  return COMMAND_FINE;
}

static int resume_run(session *s)
{
  const train_options *o = &s->options;
  trainer *t = &s->trainer;
  io_error error;
  model_use use = {.mode = CNNBLAS_NET_TRAINING, .threads = o->threads};
  io_status status = st_read(o->resume, &s->resumed, &error);
  if (!status && !model_is_checkpoint(&s->resumed))
    status = io_fail(&error, IO_BAD_INPUT, "%s: a model, but not a checkpoint", o->resume);
  if (!status) status = model_read_run(o->resume, &s->resumed, &t->settings, &t->state, &error);
  use.accuracy = t->settings.accuracy;
  use.batch = t->settings.batch = dataset_batch(&s->train, t->settings.batch);
  if (!status) status = model_make(o->resume, &s->resumed, &use, &t->net, &t->norm, &error);
  st_free(&s->resumed);
  if (status) return failed_io(status, &error);
  change_settings(o, &t->settings);
  return check_resumed(s);
}

/* ---- what is shown ---- */

static int print_network(const session *s)
{
  const cnnblas_net *net = s->trainer.net;
  size_t needed = 0;
  cnnblas_net_describe(net, NULL, 0, &needed);
  char *text = io_alloc(needed);
  if (!text) return command_fail(COMMAND_NO_ROOM, "out of memory for the table");
  cnnblas_net_describe(net, text, needed, NULL);
  char shape[96];
  printf("data: %s: %lld images of %s to train, %lld to test\n%s", s->options.data ? s->options.data : "drawn digits",
         (long long)s->train.count, command_shape(shape, sizeof shape, s->train.c, s->train.size),
         (long long)s->test.count, text);
  fflush(stdout);
  io_free(text);
  return COMMAND_FINE;
}

/* The last epoch's test came to a number: what it tested is a model. */
static bool is_finite(const session *s)
{
  const train_state *state = &s->trainer.state;
  return isfinite(state->rows[state->row_count - 1].test_loss);
}

static double total_speed(const train_state *state)
{
  double images = 0, seconds = 0;
  for (int64_t i = 0; i < state->row_count; i++) {
    images += (double)state->rows[i].images;
    seconds += state->rows[i].seconds;
  }
  return seconds > 0 ? images / seconds : 0;
}

static void print_result(const session *s)
{
  const train_state *state = &s->trainer.state;
  const train_row *last = &state->rows[state->row_count - 1];
  printf("test accuracy %.2f%% (%lld of %lld); %.0f images/s in training, %.0f in testing%s%s\n",
         100.0 * (double)last->test_correct / (double)last->test_images, (long long)last->test_correct,
         (long long)last->test_images, total_speed(state), (double)last->test_images / last->test_seconds,
         s->options.out && is_finite(s) ? "; model: " : "", s->options.out && is_finite(s) ? s->options.out : "");
}

static json_t *result_json(const session *s)
{
  const trainer *t = &s->trainer;
  const train_settings *g = &t->settings;
  cnnblas_net_info info;
  char steps[SETTINGS_MOST_STEPS * 40];
  cnnblas_net_get_info(t->net, &info);
  settings_print_lr_steps(g, steps, sizeof steps);
  json_t *settings =
      json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:s}", "seed", (json_int_t)g->seed, "batch",
                (json_int_t)g->batch, "epochs", (json_int_t)g->epochs, "lr", io_json_number(g->lr), "momentum",
                io_json_number(g->momentum), "weight_decay", io_json_number(g->weight_decay), "lr_step", steps, "init",
                settings_init_names[g->init], "loss", settings_loss_names[info.loss], "dtype",
                settings_dtype_names[info.dtype], "accuracy", settings_accuracy_names[g->accuracy]);
  json_t *network = json_pack("{s:s, s:I, s:o, s:I, s:I}", "text", cnnblas_net_text(t->net), "parameters",
                              (json_int_t)info.parameters, "flops", io_json_number(info.flops), "training_bytes",
                              (json_int_t)info.training_bytes, "threads", (json_int_t)info.threads);
  return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s?}", "data", s->options.data ? s->options.data : "drawn digits",
                   "settings", settings, "network", network, "epochs", history_json(&t->state), "images_per_second",
                   io_json_number(total_speed(&t->state)), "model", is_finite(s) ? s->options.out : NULL);
}

/* ---- the whole ---- */

static int prepare(session *s)
{
  io_error error;
  trainer *t = &s->trainer;
  cnnblas_net_info info;
  int status = name_interrupted(s);
  if (!status) status = check_outputs(s);
  if (!status) status = load_data(s);
  if (!status) status = s->options.resume ? resume_run(s) : begin_run(s);
  if (status) return status;
  cnnblas_net_get_info(t->net, &info);
  io_status checked = dataset_check_labels(&s->train, info.classes, &error);
  if (!checked) checked = dataset_check_labels(&s->test, info.classes, &error);
  if (checked) return failed_io(checked, &error);
  t->train = &s->train;
  t->test = &s->test;
  t->checkpoint = s->options.checkpoint;
  t->history = s->options.history;
  t->quiet = s->options.quiet;
  t->interrupted = s->interrupted;
  progress_open(&t->progress, t->quiet ? PROGRESS_NEVER : s->options.progress);
  return s->options.quiet ? COMMAND_FINE : print_network(s);
}

static int finish(const session *s)
{
  const trainer *t = &s->trainer;
  io_error error;
  bool good = is_finite(s);
  if (s->options.out && good) {
    io_status status = model_write(s->options.out, t->net, &t->norm, NULL, NULL, &error);
    if (status) return failed_io(status, &error);
  }
  int status = s->options.plot ? plots_curves(s->options.plot, &t->state) : COMMAND_FINE;
  if (status) return status;
  if (!command_only_json(s->options.json)) print_result(s);
  if (s->options.json) status = command_write_json(s->options.json, result_json(s));
  if (status || good) return status;
  return command_fail(COMMAND_CHECK_FAILED, "the last test's loss is not finite%s",
                      s->options.out ? ": no model is written" : "");
}

int command_train(int argc, char **argv)
{
  session s = {0};
  bool done;
  int status = train_options_read(argc, argv, &s.options, &done);
  if (status || done) return status;
  status = prepare(&s);
  if (!status) status = trainer_run(&s.trainer);
  if (!status) status = finish(&s);
  cnnblas_net_destroy(s.trainer.net);
  settings_free(&s.trainer.state);
  dataset_free(&s.train);
  dataset_free(&s.test);
  return status;
}
