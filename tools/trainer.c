/* The training loop; see trainer.h. */
#include "trainer.h"
#include "command.h"
#include "history.h"
#include "io/system.h"
#include "model.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Streams 0, 1, ... of the seed are the initial weights of tensors; those of the epochs' orders begin here. */
static const uint64_t order_stream = (uint64_t)1 << 32;

static volatile sig_atomic_t stopped_by;

static void stop(int number)
{
  stopped_by = number;
}

/* What ends a run with a checkpoint: Ctrl-C, a scheduler's word, a terminal or connection that is gone. */
static const int breaks[] = {SIGINT, SIGTERM, SIGHUP};
enum { BREAKS = sizeof breaks / sizeof *breaks };

/* A signal that whoever started the program had ignored (nohup, a shell's background job) stays ignored. */
static void catch_signals(struct sigaction before[BREAKS])
{
  struct sigaction action = {.sa_handler = stop, .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < BREAKS; i++)
    if (sigaction(breaks[i], NULL, &before[i]) == 0 && before[i].sa_handler != SIG_IGN)
      sigaction(breaks[i], &action, NULL);
}

static void release_signals(const struct sigaction before[BREAKS])
{
  for (int i = 0; i < BREAKS; i++) sigaction(breaks[i], &before[i], NULL);
}

bool trainer_batch(const cnnblas_net *net, void **batch, int32_t **labels)
{
  cnnblas_net_info info;
  cnnblas_net_get_info(net, &info);
  size_t element = info.dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float), count = (size_t)info.batch;
  *batch = io_alloc_zeroed(count, (size_t)info.input_elements * element);
  *labels = io_alloc_zeroed(count, sizeof **labels);
  if (*batch && *labels) return true;
  io_free(*batch);
  io_free(*labels);
  *batch = NULL;
  *labels = NULL;
  return false;
}

cnnblas_status trainer_evaluate(cnnblas_net *net, const dataset *data, const input_norm *norm, void *batch,
                                int32_t *labels, cnnblas_net_result *result, double *seconds)
{
  cnnblas_net_info info;
  cnnblas_net_get_info(net, &info);
  double begin = progress_now();
  memset(result, 0, sizeof *result);
  for (int64_t at = 0; at < data->count; at += info.batch) {
    cnnblas_net_result part;
    int64_t count = data->count - at < info.batch ? data->count - at : info.batch;
    dataset_gather(data, NULL, at, count, norm, info.dtype, batch, labels);
    cnnblas_status status = cnnblas_net_evaluate(net, count, batch, labels, &part);
    if (status) return status;
    result->loss += part.loss * (double)count;
    result->correct += part.correct;
    if (!result->nonfinite[0]) memcpy(result->nonfinite, part.nonfinite, sizeof part.nonfinite);
  }
  result->images = data->count;
  result->loss /= (double)data->count;
  *seconds = progress_now() - begin;
  return CNNBLAS_OK;
}

/* ---- one run ---- */

typedef struct {
  trainer *t;
  cnnblas_net_info info;
  void *batch;     /* [settings.batch][c][h][w] */
  int32_t *labels; /* [settings.batch] */
  int64_t *order;  /* [train->count], of the running epoch */
} run;

static int write_checkpoint(const trainer *t, const char *path)
{
  io_error error;
  io_status status = model_write(path, t->net, &t->norm, &t->settings, &t->state, &error);
  return status ? command_fail((int)status, "%s", error.text) : COMMAND_FINE;
}

static int interrupted(trainer *t)
{
  int number = stopped_by;
  progress_wipe(&t->progress);
  int status = write_checkpoint(t, t->interrupted);
  if (status) return status;
  command_fail(0, "interrupted; go on with: --resume %s", t->interrupted);
  return COMMAND_SIGNALLED + number;
}

static int training_failed(trainer *t, cnnblas_status why)
{
  char where[64];
  progress_wipe(&t->progress);
  snprintf(where, sizeof where, "epoch %lld", (long long)t->state.epoch + 1);
  int status = command_fail_library(why, COMMAND_BAD_INPUT, where);
  if (why == CNNBLAS_NOT_FINITE && t->checkpoint && t->state.epoch > 0)
    command_fail(0, "%s still holds epoch %lld", t->checkpoint, (long long)t->state.epoch);
  return status;
}

/* The rest of the running epoch's steps. */
static int run_steps(run *r, double lr)
{
  trainer *t = r->t;
  train_state *s = &t->state;
  const dataset *d = t->train;
  cnnblas_net_step step = {.images = r->batch, .labels = r->labels, .optimiser.lr = lr};
  step.optimiser.momentum = t->settings.momentum;
  step.optimiser.weight_decay = t->settings.weight_decay;
  double begin = progress_now(), before = s->seconds;
  int64_t first = s->image;
  cnnblas_random_permutation(t->settings.seed, order_stream + (uint64_t)s->epoch, d->count, r->order);
  while (s->image < d->count && !stopped_by) {
    cnnblas_net_result result;
    int64_t count = d->count - s->image < t->settings.batch ? d->count - s->image : t->settings.batch;
    dataset_gather(d, r->order + s->image, 0, count, &t->norm, r->info.dtype, r->batch, r->labels);
    step.n = count;
    step.numbers = r->order + s->image;
    cnnblas_status why = cnnblas_net_train_step(t->net, &step, &result);
    if (why) return training_failed(t, why);
    s->image += count;
    s->loss += result.loss * (double)count;
    s->correct += result.correct;
    double now = progress_now();
    s->seconds = before + now - begin;
    progress_show(&t->progress, now, s->epoch + 1, t->settings.epochs, s->image, d->count, s->loss / (double)s->image,
                  (double)(s->image - first) / (now - begin));
  }
  return COMMAND_FINE;
}

static void print_row(const trainer *t, const train_row *row)
{
  if (t->quiet) return;
  printf("epoch %3lld/%lld  lr %-8g loss %.4f  train %6.2f%%  test loss %.4f  test %6.2f%%  %.0f images/s\n",
         (long long)row->epoch, (long long)t->settings.epochs, row->lr, row->loss,
         100.0 * (double)row->correct / (double)row->images, row->test_loss,
         100.0 * (double)row->test_correct / (double)row->test_images, (double)row->images / row->seconds);
  fflush(stdout);
}

/* Tests, adds the epoch's row, and moves the state to the next epoch. */
static int finish_epoch(run *r, double lr)
{
  trainer *t = r->t;
  train_state *s = &t->state;
  train_row row = {.epoch = s->epoch + 1, .lr = lr, .images = t->train->count, .correct = s->correct};
  cnnblas_net_result test;
  io_error error;
  row.loss = s->loss / (double)t->train->count;
  row.seconds = s->seconds;
  cnnblas_status why = trainer_evaluate(t->net, t->test, &t->norm, r->batch, r->labels, &test, &row.test_seconds);
  if (why) return training_failed(t, why);
  row.test_loss = test.loss;
  row.test_correct = test.correct;
  row.test_images = test.images;
  if (!settings_add_row(s, &row)) return command_fail(COMMAND_NO_ROOM, "out of memory for the history");
  s->epoch++;
  s->image = s->correct = 0;
  s->loss = s->seconds = 0;
  progress_wipe(&t->progress);
  print_row(t, &row);
  io_status status = t->history ? history_write(t->history, s, &error) : IO_OK;
  if (status) return command_fail((int)status, "%s", error.text);
  return t->checkpoint ? write_checkpoint(t, t->checkpoint) : COMMAND_FINE;
}

static int run_epochs(run *r)
{
  trainer *t = r->t;
  int status = COMMAND_FINE;
  while (t->state.epoch < t->settings.epochs && !status) {
    double lr = cnnblas_lr_get(t->settings.lr, t->settings.lr_steps, t->settings.lr_step_count, t->state.epoch);
    status = run_steps(r, lr);
    if (!status && t->state.image == t->train->count) status = finish_epoch(r, lr);
    if (!status && stopped_by && t->state.epoch < t->settings.epochs) status = interrupted(t);
  }
  return status;
}

int trainer_run(trainer *t)
{
  run r = {.t = t};
  int status;
  cnnblas_net_get_info(t->net, &r.info);
  r.order = io_alloc_zeroed((size_t)t->train->count, sizeof *r.order);
  stopped_by = 0;
  if (!r.order || !trainer_batch(t->net, &r.batch, &r.labels)) {
    status = command_fail(COMMAND_NO_ROOM, "out of memory for a batch of images");
  } else {
    struct sigaction before[BREAKS];
    catch_signals(before);
    status = run_epochs(&r);
    release_signals(before);
  }
  io_free(r.batch);
  io_free(r.labels);
  io_free(r.order);
  return status;
}
