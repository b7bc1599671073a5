/* `cnnblas train`: data and network are made ready, shown, trained, and written. */
#include "checkpoint.h"
#include "command.h"
#include "evaluate.h"
#include "fine_tune.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "io/system.h"
#include "model.h"
#include "notation_lines.h"
#include "plots.h"
#include "train_compare.h"
#include "train_data.h"
#include "train_options.h"
#include "train_report.h"
#include "trainer.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char default_net[] =
    "INPUT -> [CONV 8@5x5 -> RELU -> POOL max 2] -> [CONV 16@5x5 -> RELU -> POOL max 2] -> FC 64 -> RELU -> FC";

/* All that a run holds. */
typedef struct {
  train_options options;
  st_file resumed; /* the checkpoint; freed once it has been read */
  train_data data;
  trainer trainer;
  train_report report;
  char beside[PATH_MAX]; /* the checkpoint's name where --checkpoint says none */
  char model[PATH_MAX];  /* the model's name where a run goes on and --out says none */
  char *network;         /* the notation of --init-from's model, if --net says none */
} session;

static int failed_io(io_status status, const io_error *error)
{
  return status ? command_fail((int)status, "%s", error->text) : COMMAND_FINE;
}

/* All files that will be written, before anything is computed: what a signal makes too, if --out or --checkpoint names it. */
static int check_outputs(const session *s)
{
  const train_options *o = &s->options;
  const char *const paths[] = {o->out, o->checkpoint, o->history, o->out || o->checkpoint ? s->beside : NULL};
  io_error error;
  io_status status = IO_OK;
  if (!ranks_first()) return COMMAND_FINE;
  for (size_t i = 0; i < sizeof paths / sizeof *paths && !status; i++)
    if (paths[i]) status = io_can_replace(paths[i], &error);
  int checked = status ? failed_io(status, &error) : command_check_json(o->json);
  if (!checked) checked = command_json_can_name(o->json, o->data);
  return checked ? checked : command_json_can_name(o->json, o->out);
}

/* True if nothing is at the path, or a model, which the run that goes on may replace. */
static bool may_be_model(const char *path)
{
  st_file file = {0};
  io_error ignored;
  if (access(path, F_OK) != 0) return true;
  bool model = !st_read(path, &file, &ignored) && st_metadata(&file, "cnnblas_model");
  st_free(&file);
  return model;
}

/* The model of a run that goes on: OUT, if the checkpoint is OUT.checkpoint, as such a run names it by itself. */
static void name_model(session *s)
{
  static const char end[] = ".checkpoint", unnamed[] = "cnnblas.checkpoint";
  train_options *o = &s->options;
  size_t length = o->resume ? strlen(o->resume) : 0, suffix = sizeof end - 1;
  if (o->out || length <= suffix || length >= sizeof s->model || strcmp(o->resume + length - suffix, end) != 0) return;
  const char *slash = strrchr(o->resume, '/');
  if (!strcmp(slash ? slash + 1 : o->resume, unnamed)) return;
  memcpy(s->model, o->resume, length - suffix);
  if (may_be_model(s->model)) o->out = s->model;
}

static void say_without_model(const train_options *o)
{
  if (o->resume && !o->out && !o->quiet && ranks_first())
    command_fail(0, "no model will be written: --out FILE names one");
}

/* Where checkpoints go that have no name of their own: beside the model, or, of an interrupted run without one, here. */
static int name_checkpoint(session *s)
{
  const train_options *o = &s->options;
  const char *base = o->checkpoint ? o->checkpoint : o->out ? o->out : "cnnblas";
  int length = snprintf(s->beside, sizeof s->beside, "%s%s", base, o->checkpoint ? "" : ".checkpoint");
  if (length >= (int)sizeof s->beside)
    return command_fail(COMMAND_NO_ROOM, "%s: cannot create: the name is too long", base);
  s->trainer.interrupted = s->beside;
  s->trainer.checkpoint = o->no_checkpoint ? NULL : o->checkpoint ? o->checkpoint : o->out ? s->beside : NULL;
  return COMMAND_FINE;
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
  if (mode == CNNBLAS_NET_DESIGN) {
    *net = design;
    return CNNBLAS_OK;
  }
  cnnblas_net_destroy(design);
  return cnnblas_net_create(text, o, net);
}

/* What pictures become: what --input says, or else the network's INPUT. */
static void find_input(const train_options *o, dataset_form *form)
{
  cnnblas_net_options made = {.mode = CNNBLAS_NET_DESIGN, .batch = 1};
  cnnblas_net *design = NULL;
  cnnblas_net_info info;
  if (form->c || make_net(o->net, &made, 2, &design)) return;
  cnnblas_net_get_info(design, &info);
  form->c = info.c;
  memcpy(form->size, info.size, sizeof form->size);
  cnnblas_net_destroy(design);
}

static int make_best(trainer *t)
{
  if (t->settings.keep != KEEP_BEST || weights_make(&t->best, t->net)) return COMMAND_FINE;
  return command_fail(COMMAND_NO_ROOM, "out of memory for the best epoch's weights");
}

static int begin_run(session *s)
{
  train_options *o = &s->options;
  trainer *t = &s->trainer;
  io_error error;
  cnnblas_net_info info;
  cnnblas_net_options made = {
      .dtype = o->dtype, .loss = o->loss, .init = o->settings.init, .threads = (int32_t)o->threads};
  int status = o->init_from && !o->net ? fine_tune_network(o->init_from, &s->network) : COMMAND_FINE;
  if (status) return status;
  if (s->network) o->net = s->network;
  if (!o->net) o->net = default_net;
  find_input(o, &o->form);
  status = train_data_read(&s->data, o->data, &o->form, o->settings.seed, o->settings.validation);
  if (status) return status;
  const dataset *d = &s->data.train;
  made.accuracy = o->settings.accuracy;
  made.seed = o->settings.seed;
  made.optimiser = o->settings.optimiser;
  made.average = o->settings.average > 0;
  made.segments = (int32_t)o->settings.segments;
  t->settings = o->settings;
  made.batch = t->settings.batch =
      s->data.training.count < o->settings.batch ? s->data.training.count : o->settings.batch;
  made.c = d->c;
  memcpy(made.size, d->size, sizeof made.size);
  int64_t classes = (int64_t)d->largest_label + 1;
  if (d->classes.count > classes) classes = d->classes.count;
  cnnblas_status why = make_net(o->net, &made, classes, &t->net);
  if (why) {
    status = command_fail_library(why, COMMAND_USAGE, "--net");
    notation_explain(o->net, &made);
    return status;
  }
  io_status read = dataset_norm(d, s->data.training.numbers, s->data.training.count, &t->about.norm, &error);
  if (read) return failed_io(read, &error);
  cnnblas_net_get_info(t->net, &info);
  if (!classes_copy(&t->about.classes, &d->classes, info.classes))
    return command_fail(COMMAND_NO_ROOM, "out of memory for the classes' names");
  t->state.checksum = dataset_checksum(d);
  if (o->init_from) status = fine_tune_begin(o->init_from, t->net, &t->about, o->quiet);
  return status ? status : make_best(t);
}

static int check_resumed(const session *s)
{
  const char *path = s->options.resume;
  const trainer *t = &s->trainer;
  const dataset *d = &s->data.train;
  cnnblas_net_info info;
  cnnblas_net_get_info(t->net, &info);
  if (info.c != d->c || memcmp(info.size, d->size, sizeof info.size) || dataset_checksum(d) != t->state.checksum)
    return command_fail(COMMAND_BAD_INPUT, "%s: the run was begun with other data than %s", path, d->images_path);
  if (t->state.epoch >= t->settings.epochs && (!s->options.out || access(s->options.out, F_OK) == 0))
    return command_fail(COMMAND_USAGE, "%s: all of its %lld epochs are done; --epochs asks for more", path,
                        (long long)t->state.epoch);
  if (t->state.image > s->data.training.count)
    return command_fail(COMMAND_BAD_INPUT, "%s: image %lld of an epoch of %lld", path, (long long)t->state.image,
                        (long long)s->data.training.count);
  return COMMAND_FINE;
}

/* The images of a run that goes on, read as it read them. */
static int read_resumed_data(session *s)
{
  const train_options *o = &s->options;
  const model_use use = {.mode = CNNBLAS_NET_DESIGN, .batch = 1, .threads = 1};
  dataset_form form = o->form;
  cnnblas_net *design = NULL;
  cnnblas_net_info info;
  model_data about = {0};
  io_error error;
  io_status status = model_make(o->resume, &s->resumed, &use, &design, &about, &error);
  if (status) return failed_io(status, &error);
  cnnblas_net_get_info(design, &info);
  cnnblas_net_destroy(design);
  form.c = info.c;
  memcpy(form.size, info.size, sizeof form.size);
  form.classes = &about.classes;
  const train_settings *g = &s->trainer.settings;
  int read = train_data_read(&s->data, o->data, &form, g->seed, g->validation);
  model_data_free(&about);
  return read;
}

static int resume_run(session *s)
{
  const train_options *o = &s->options;
  trainer *t = &s->trainer;
  io_error error;
  model_use use = {.mode = CNNBLAS_NET_TRAINING, .threads = (int32_t)o->threads};
  io_status status = st_read(o->resume, &s->resumed, &error);
  if (!status && !model_is_checkpoint(&s->resumed))
    status = io_fail(&error, IO_BAD_INPUT, "%s: a model, but not a checkpoint", o->resume);
  if (!status) status = model_read_run(o->resume, &s->resumed, &t->settings, &t->state, &error);
  if (status) return failed_io(status, &error);
  int read = read_resumed_data(s);
  if (read) return read;
  use.accuracy = t->settings.accuracy;
  use.batch = t->settings.batch =
      s->data.training.count < t->settings.batch ? s->data.training.count : t->settings.batch;
  status = model_make(o->resume, &s->resumed, &use, &t->net, &t->about, &error);
  if (status) return failed_io(status, &error);
  train_options_change(o, &t->settings);
  int made = make_best(t);
  if (made) return made;
  if (t->best.values) status = model_read_best(o->resume, &s->resumed, t->net, &t->best, &error);
  return status ? failed_io(status, &error) : check_resumed(s);
}

/* ---- the whole ---- */

static int prepare(session *s)
{
  io_error error;
  trainer *t = &s->trainer;
  cnnblas_net_info info;
  name_model(s);
  say_without_model(&s->options);
  int status = name_checkpoint(s);
  if (!status) status = check_outputs(s);
  if (!status) status = s->options.resume ? resume_run(s) : begin_run(s);
  st_free(&s->resumed);
  if (status) return status;
  cnnblas_net_get_info(t->net, &info);
  io_status checked = dataset_check_labels(&s->data.train, info.classes, &error);
  if (!checked && s->data.test.count) checked = dataset_check_labels(&s->data.test, info.classes, &error);
  if (checked) return failed_io(checked, &error);
  t->training = s->data.training;
  t->held_out = s->data.held_out;
  t->tested = s->data.validates ? "validation" : "test";
  t->history = s->options.history;
  t->quiet = s->options.quiet;
  s->report = (train_report){.trainer = t, .data = &s->data, .out = s->options.out};
  s->report.given = s->options.resume ? cnnblas_net_text(t->net) : s->options.net;
  s->report.data_name = s->options.data ? s->options.data : "drawn digits";
  progress_open(&t->progress, t->quiet || !ranks_first() ? PROGRESS_NEVER : s->options.progress);
  return s->options.quiet ? COMMAND_FINE : train_report_network(&s->report);
}

/* The test images that no epoch has seen, with the weights that are the model. */
static int test_model(session *s)
{
  trainer *t = &s->trainer;
  batches room = {0};
  const image_set images = {&s->data.test, NULL, s->data.test.count};
  double seconds;
  if (t->best.values)
    weights_put(&t->best, t->net);
  else if (t->settings.average > 0)
    cnnblas_net_swap_average(t->net);
  if (!s->data.validates || !s->data.test.count) return COMMAND_FINE;
  int status = batches_make(&room, t->net, &t->about.norm)
                   ? evaluate_images(t->net, &images, &room, "the last test", &s->report.test, &seconds)
                   : command_fail(COMMAND_NO_ROOM, "out of memory for a batch of images");
  batches_free(&room);
  return status;
}

static int write_results(session *s, bool good)
{
  const train_options *o = &s->options;
  const trainer *t = &s->trainer;
  io_error error;
  if (o->out && good) {
    io_status written = model_write(o->out, t->net, &t->about, NULL, &error);
    if (written) return failed_io(written, &error);
  }
  int status = o->plot ? plots_curves(o->plot, t->tested, &t->state) : COMMAND_FINE;
  if (status) return status;
  if (!command_only_json(o->json)) train_report_result(&s->report);
  return o->json ? command_write_json(o->json, train_report_json(&s->report)) : COMMAND_FINE;
}

static int finish(session *s)
{
  const train_options *o = &s->options;
  bool good = isfinite(train_report_row(&s->report)->test_loss);
  int status = test_model(s);
  if (!status) status = train_report_exchange(&s->report);
  if (status) return status;
  if (ranks_first()) status = write_results(s, good);
  status = ranks_agree(status);
  if (status || good) return status;
  ranks_all_know();
  return command_fail(COMMAND_CHECK_FAILED, "the last test's loss is not finite%s",
                      o->out ? ": no model is written" : "");
}

int command_train(int argc, char **argv)
{
  session s = {0};
  bool done;
  int status = train_options_read(argc, argv, &s.options, &done);
  if (status || done) return status;
  status = ranks_begin();
  if (status) return status;
  s.options.threads = ranks_threads(s.options.threads);
  status = ranks_agree(prepare(&s));
  if (!status) status = train_compare_ranks(&s.trainer, &s.data.train);
  if (!status) status = trainer_run(&s.trainer);
  if (!status) status = finish(&s);
  weights_free(&s.trainer.best);
  cnnblas_net_destroy(s.trainer.net);
  settings_free(&s.trainer.state);
  io_free(s.network);
  model_data_free(&s.trainer.about);
  train_data_free(&s.data);
  return status;
}
