/* The training loop; see trainer.h. */
#include "trainer.h"
#include "command.h"
#include "evaluate.h"
#include "history.h"
#include "io/system.h"
#include "signals.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Streams 0, 1, ... of the seed are the initial weights of tensors; those of the epochs' orders begin here. */
static const uint64_t order_stream = (uint64_t)1 << 32;

typedef struct {
  trainer *t;
  batches training, held_out;
  int64_t *order; /* [training.count], of the running epoch */
  double begun;   /* when this process began */
  int64_t images; /* trained by this process and the other ranks */
  int stopped;    /* the signal that all ranks know of; 0: none */
} run;

/* Rank 0 writes; all ranks learn whether it could. */
static int write_checkpoint(const trainer *t, const char *path)
{
  io_error error;
  if (!ranks_first()) return ranks_agree(COMMAND_FINE);
  const model_training saved = {&t->settings, &t->state, t->best.values ? &t->best : NULL};
  io_status status = model_write(path, t->net, &t->about, &saved, &error);
  return ranks_agree(status ? command_fail((int)status, "%s", error.text) : COMMAND_FINE);
}

static int interrupted(trainer *t, int number)
{
  progress_wipe(&t->progress);
  int status = write_checkpoint(t, t->interrupted);
  if (status) return status;
  ranks_all_know();
  command_fail(0, "interrupted; go on with: --resume %s", t->interrupted);
  return COMMAND_SIGNALLED + number;
}

static void name_epoch(const trainer *t, char name[64])
{
  snprintf(name, 64, "epoch %lld", (long long)t->state.epoch + 1);
}

static int training_failed(trainer *t, cnnblas_status why)
{
  char where[64];
  progress_wipe(&t->progress);
  name_epoch(t, where);
  int status = command_fail_library(why, COMMAND_BAD_INPUT, where);
  if (why == CNNBLAS_NOT_FINITE) ranks_all_know();
  if (why == CNNBLAS_NOT_FINITE) command_fail(0, "a smaller --lr than %g may keep it finite", t->settings.lr);
  if (why == CNNBLAS_NOT_FINITE && t->checkpoint && t->state.epoch > 0)
    command_fail(0, "%s still holds epoch %lld", t->checkpoint, (long long)t->state.epoch);
  return status;
}

/* Seconds that the rest of the run will take at this process's pace; below 0: not known yet. */
static double seconds_left(const run *r, double now)
{
  const trainer *t = r->t;
  const train_state *s = &t->state;
  if (now - r->begun < 1 || !r->images) return -1;
  double epochs = (double)(t->settings.epochs - s->epoch), test = 0;
  for (int64_t i = 0; i < s->row_count; i++) test += s->rows[i].test_seconds / (double)s->row_count;
  double images = epochs * (double)t->training.count - (double)s->image;
  return images * t->busy / (double)r->images + epochs * test;
}

static void show_progress(run *r, double now, int64_t first, double begin)
{
  trainer *t = r->t;
  const train_state *s = &t->state;
  progress_state at = {.epoch = s->epoch + 1, .epochs = t->settings.epochs, .done = s->image};
  at.images = t->training.count;
  at.loss = s->loss / (double)s->image;
  at.speed = (double)(s->image - first) / (now - begin);
  at.left = seconds_left(r, now);
  progress_show(&t->progress, now, &at);
}

/* The rate of the step that comes, or, behind an epoch's last, of that. */
static double find_rate(const trainer *t)
{
  const train_settings *g = &t->settings;
  const int64_t steps = (t->training.count + g->batch - 1) / g->batch; /* an epoch's */
  cnnblas_net_schedule s = {.kind = g->schedule, .lr = g->lr, .epoch_steps = steps, .epochs = g->epochs};
  s.warm_up = g->warm_up * steps;
  s.steps = g->lr_steps.steps;
  s.count = g->lr_steps.count;
  int64_t step = t->state.image / g->batch;
  if (t->state.image == t->training.count) step = steps - 1;
  return cnnblas_net_schedule_rate(&s, t->state.epoch * steps + step);
}

static void set_optimiser(const trainer *t, cnnblas_net_step *step)
{
  const train_settings *g = &t->settings;
  step->optimiser = (cnnblas_net_optimiser){.kind = g->optimiser, .lr = find_rate(t), .momentum = g->momentum};
  step->optimiser.weight_decay = g->weight_decay;
  step->optimiser.most_norm = g->clip;
  step->optimiser.average_decay = g->average;
  step->label_smoothing = g->smoothing;
}

/* One step with a batch. */
static int run_step(run *r, const batch *b)
{
  trainer *t = r->t;
  train_state *s = &t->state;
  cnnblas_net_result result;
  if (b->status) {
    progress_wipe(&t->progress);
    return command_fail((int)b->status, "%s", b->error.text);
  }
  cnnblas_net_step step = {.n = b->all, .images = b->images, .labels = b->labels, .numbers = b->numbers};
  step.exchange = ranks_exchange();
  if (step.exchange) step.exchange->word = signals_came();
  set_optimiser(t, &step);
  cnnblas_status why = cnnblas_net_train_step(t->net, &step, &result);
  if (why) return training_failed(t, why);
  r->stopped = step.exchange ? step.exchange->words : signals_came();
  s->image += b->all;
  s->loss += result.loss * (double)b->all;
  s->correct += result.correct;
  r->images += b->all;
  t->steps++;
  return COMMAND_FINE;
}

/* The running epoch's order of the images, by their numbers in the data. */
static void shuffle(run *r)
{
  const trainer *t = r->t;
  cnnblas_random_permutation(t->settings.seed, order_stream + (uint64_t)t->state.epoch, t->training.count, r->order);
  for (int64_t i = 0; t->training.numbers && i < t->training.count; i++) r->order[i] = t->training.numbers[r->order[i]];
}

/* The rest of the running epoch's steps. */
static int run_steps(run *r)
{
  trainer *t = r->t;
  train_state *s = &t->state;
  double begin = progress_now(), before = s->seconds;
  const int64_t first = s->image;
  const ranks_figures sent = ranks_get_figures();
  const image_set set = {t->training.data, r->order, t->training.count};
  const dataset_part how = {.augment = &t->settings.augment, .seed = t->settings.seed, .epoch = s->epoch};
  int status = COMMAND_FINE;
  shuffle(r);
  batches_share(&r->training, ranks_exchange() ? BATCHES_SPLIT : BATCHES_WHOLE, ranks_count(), ranks_own());
  batches_begin(&r->training, &set, s->image, &how);
  for (const batch *b; !status && !r->stopped && (b = batches_next(&r->training));) {
    status = run_step(r, b);
    double now = progress_now();
    t->busy += before + now - begin - s->seconds; /* the step, and the wait for its batch */
    s->seconds = before + now - begin;
    if (!status) show_progress(r, now, first, begin);
  }
  batches_end(&r->training);
  const ranks_figures now = ranks_get_figures();
  t->exchanged.bytes += now.bytes - sent.bytes;
  t->exchanged.sum_seconds += now.sum_seconds - sent.sum_seconds;
  t->exchanged.swap_seconds += now.swap_seconds - sent.swap_seconds;
  return status;
}

static void print_row(const trainer *t, const train_row *row)
{
  if (t->quiet) return;
  printf("epoch %3lld/%lld  lr %-8g loss %.4f  train %6.2f%%  %s loss %.4f  %s %6.2f%%  %.0f images/s\n",
         (long long)row->epoch, (long long)t->settings.epochs, row->lr, row->loss,
         100.0 * (double)row->correct / (double)row->images, t->tested, row->test_loss, t->tested,
         100.0 * (double)row->test_correct / (double)row->test_images, (double)row->images / row->seconds);
  fflush(stdout);
}

/* Says so, once, if an epoch has not learned more than to guess: its loss is about ln(classes), or more. */
static void hint_at_rate(const trainer *t, const train_row *row)
{
  enum { LEAST_STEPS = 20 }; /* of an epoch that should have learned something */
  cnnblas_net_info info;
  cnnblas_net_get_info(t->net, &info);
  double guess = log((double)info.classes);
  bool enough = row->images >= LEAST_STEPS * t->settings.batch;
  if (row->epoch > 1 || t->settings.warm_up || !enough || info.loss != CNNBLAS_NET_SOFTMAX || info.classes < 2 ||
      row->loss < 0.995 * guess)
    return;
  command_fail(0,
               "epoch 1: a loss of %.4g is no better than guessing among %lld classes (%.4g): try another --lr than %g",
               row->loss, (long long)info.classes, guess, t->settings.lr);
}

/* Whether there is no patience for another epoch behind those that are done. */
static bool is_out_of_patience(const trainer *t)
{
  const train_state *s = &t->state;
  return t->settings.patience && s->row_count && s->row_count - 1 - settings_best_row(s) >= t->settings.patience;
}

/* What follows from the epoch's row: whether it is the best, and whether there is patience for more. */
static void judge_epoch(trainer *t)
{
  const train_state *s = &t->state;
  if (t->best.values && settings_best_row(s) == s->row_count - 1) weights_take(&t->best, t->net);
  t->stopped_early = is_out_of_patience(t);
}

/* An epoch is trained, but not tested: a checkpoint keeps it. Ranks that have parted cannot write one together. */
static int keep_untested(trainer *t, int status)
{
  if (t->settings.average > 0) cnnblas_net_swap_average(t->net);
  if (ranks_count() == 1 && !write_checkpoint(t, t->interrupted))
    command_fail(0, "the epoch's training is not lost; go on with: --resume %s", t->interrupted);
  return status;
}

/* Tests, adds the epoch's row, and moves the state to the next epoch. */
static int finish_epoch(run *r)
{
  trainer *t = r->t;
  train_state *s = &t->state;
  train_row row = {.epoch = s->epoch + 1, .lr = find_rate(t), .images = t->training.count, .correct = s->correct};
  cnnblas_net_result test;
  io_error error;
  char name[64];
  name_epoch(t, name);
  row.loss = s->loss / (double)t->training.count;
  row.seconds = s->seconds;
  if (t->settings.average > 0) cnnblas_net_swap_average(t->net); /* what is tested and kept are the averages */
  int tested = evaluate_images(t->net, &t->held_out, &r->held_out, name, &test, &row.test_seconds);
  if (tested) return keep_untested(t, tested);
  row.test_loss = test.loss;
  row.test_correct = test.correct;
  row.test_images = test.images;
  if (!settings_add_row(s, &row)) return command_fail(COMMAND_NO_ROOM, "out of memory for the history");
  s->epoch++;
  s->image = s->correct = 0;
  s->loss = s->seconds = 0;
  judge_epoch(t);
  if (t->settings.average > 0) cnnblas_net_swap_average(t->net);
  progress_wipe(&t->progress);
  print_row(t, &row);
  hint_at_rate(t, &row);
  io_status status = t->history && ranks_first() ? history_write(t->history, &t->settings, s, &error) : IO_OK;
  int written = ranks_agree(status ? command_fail((int)status, "%s", error.text) : COMMAND_FINE);
  return !written && t->checkpoint ? write_checkpoint(t, t->checkpoint) : written;
}

/* A signal that came to any rank ends the run of all. */
static int look_for_signals(run *r)
{
  int number = signals_came() > r->stopped ? signals_came() : r->stopped;
  int status = ranks_most(&number);
  r->stopped = number;
  return status;
}

static int run_epochs(run *r)
{
  trainer *t = r->t;
  int status = look_for_signals(r);
  t->stopped_early = is_out_of_patience(t);
  while (t->state.epoch < t->settings.epochs && !t->stopped_early && !status) {
    if (!r->stopped && t->state.image < t->training.count) status = run_steps(r);
    if (!status && t->state.image == t->training.count) status = finish_epoch(r);
    if (!status) status = look_for_signals(r);
    if (!status && r->stopped && t->state.epoch < t->settings.epochs && !t->stopped_early)
      status = interrupted(t, r->stopped);
  }
  return status;
}

int trainer_run(trainer *t)
{
  run r = {.t = t, .begun = progress_now()};
  int status;
  r.order = io_alloc_zeroed((size_t)t->training.count, sizeof *r.order);
  bool room = r.order && batches_make(&r.training, t->net, &t->about.norm);
  room = room && batches_make(&r.held_out, t->net, &t->about.norm);
  if (!room) {
    status = command_fail(COMMAND_NO_ROOM, "out of memory for a batch of images");
  } else {
    struct sigaction before[SIGNALS_CAUGHT];
    signals_catch(before);
    status = run_epochs(&r);
    signals_release(before);
  }
  batches_free(&r.training);
  batches_free(&r.held_out);
  io_free(r.order);
  return status;
}
