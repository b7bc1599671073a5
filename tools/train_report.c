/* What is said of a run; see train_report.h. */
#include "train_report.h"
#include "command.h"
#include "history.h"
#include "io/system.h"
#include "notation_lines.h"
#include "reports/json_numbers.h"
#include <math.h>
#include <stdio.h>

int train_report_network(const train_report *r)
{
  const cnnblas_net *net = r->trainer->net;
  const train_data *d = r->data;
  size_t needed = 0;
  cnnblas_net_describe(net, NULL, 0, &needed);
  char *text = io_alloc(needed);
  if (!text) return command_fail(COMMAND_NO_ROOM, "out of memory for the table");
  cnnblas_net_describe(net, text, needed, NULL);
  char shape[96];
  printf("data: %s: %lld images of %s to train, ", r->data_name, (long long)d->training.count,
         command_shape(shape, sizeof shape, d->train.c, d->train.size));
  if (d->validates) printf("%lld held out for validation, ", (long long)d->held_out.count);
  printf("%lld to test", (long long)d->test.count);
  if (d->train.skipped)
    printf("; %lld file%s no PNG, JPEG, PGM or PPM", (long long)d->train.skipped,
           d->train.skipped == 1 ? " is" : "s are");
  putchar('\n');
  notation_print(net, r->given);
  fputs(text, stdout);
  fflush(stdout);
  io_free(text);
  return COMMAND_FINE;
}

const train_row *train_report_row(const train_report *r)
{
  const train_state *state = &r->trainer->state;
  int64_t best = r->trainer->settings.keep == KEEP_BEST ? settings_best_row(state) : -1;
  return &state->rows[best < 0 ? state->row_count - 1 : best];
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

static void print_accuracy(const char *of, int64_t correct, int64_t images)
{
  printf("%s accuracy %.2f%% (%lld of %lld)", of, 100.0 * (double)correct / (double)images, (long long)correct,
         (long long)images);
}

int train_report_exchange(train_report *r)
{
  const trainer *t = r->trainer;
  const double ranks = ranks_count(), steps = t->steps ? (double)t->steps : 1, busy = t->busy > 0 ? t->busy : 1;
  double all[] = {t->exchanged.bytes / steps, t->exchanged.sum_seconds / busy, t->exchanged.swap_seconds / busy};
  int status = ranks_sum(3, all);
  r->exchanged = (ranks_figures){all[0] / ranks, all[1] / ranks, all[2] / ranks};
  return status;
}

/* The part of the steps' time that is not spent in waiting for other ranks. */
static double efficiency(const train_report *r)
{
  return 1 - r->exchanged.sum_seconds - r->exchanged.swap_seconds;
}

static void print_exchange(const train_report *r)
{
  printf("%d rank%s: %.0f bytes sent a step; of the time %.1f%% waiting for gradients, %.1f%% in small exchanges: "
         "efficiency %.1f%%\n",
         (int)ranks_count(), ranks_count() > 1 ? "s" : "", r->exchanged.bytes, 100 * r->exchanged.sum_seconds,
         100 * r->exchanged.swap_seconds, 100 * efficiency(r));
}

/* "mpi" of the JSON; NULL without an mpirun. */
static json_t *exchange_json(const train_report *r)
{
  if (!ranks_exchange()) return NULL;
  return json_pack("{s:i, s:o, s:o, s:o, s:o}", "ranks", (int)ranks_count(), "bytes_a_step",
                   io_json_number(r->exchanged.bytes), "waiting_for_gradients",
                   io_json_number(r->exchanged.sum_seconds), "small_exchanges",
                   io_json_number(r->exchanged.swap_seconds), "efficiency", io_json_number(efficiency(r)));
}

void train_report_result(const train_report *r)
{
  const trainer *t = r->trainer;
  const train_row *row = train_report_row(r);
  const bool wrote = r->out && isfinite(row->test_loss);
  if (ranks_exchange()) print_exchange(r);
  if (t->stopped_early)
    printf("ended after epoch %lld: none of the last %lld was better\n", (long long)t->state.epoch,
           (long long)t->settings.patience);
  print_accuracy(t->tested, row->test_correct, row->test_images);
  if (t->settings.keep == KEEP_BEST) printf(" in epoch %lld, the best", (long long)row->epoch);
  if (r->test.images) {
    printf("; ");
    print_accuracy("test", r->test.correct, r->test.images);
  }
  printf("; %.0f images/s in training, %.0f in testing%s%s\n", total_speed(&t->state),
         (double)row->test_images / row->test_seconds, wrote ? "; model: " : "", wrote ? r->out : "");
}

static json_t *settings_json(const trainer *t, const cnnblas_net_info *info)
{
  const train_settings *g = &t->settings;
  char steps[SETTINGS_MOST_STEPS * 40], augment[AUGMENT_TEXT];
  settings_print_lr_steps(&g->lr_steps, steps, sizeof steps);
  json_t *settings = json_pack(
      "{s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:s}", "seed", (json_int_t)g->seed, "batch",
      (json_int_t)g->batch, "segments", (json_int_t)g->segments, "epochs", (json_int_t)g->epochs, "lr",
      io_json_number(g->lr), "momentum", io_json_number(g->momentum), "weight_decay", io_json_number(g->weight_decay),
      "lr_step", steps, "init", settings_init_names[g->init], "loss", settings_loss_names[info->loss], "dtype",
      settings_dtype_names[info->dtype], "accuracy", settings_accuracy_names[g->accuracy]);
  json_t *more = json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:s, s:o, s:s, s:I}", "optimiser",
                           settings_optimiser_names[g->optimiser], "schedule", settings_schedule_names[g->schedule],
                           "warm_up", (json_int_t)g->warm_up, "clip", io_json_number(g->clip), "ema",
                           io_json_number(g->average), "label_smoothing", io_json_number(g->smoothing), "augment",
                           augment_print(&g->augment, augment), "validation", io_json_number(g->validation), "keep",
                           settings_keep_names[g->keep], "patience", (json_int_t)g->patience);
  if (json_object_update(settings, more)) {
    json_decref(settings);
    settings = NULL;
  }
  json_decref(more);
  return settings;
}

json_t *train_report_json(const train_report *r)
{
  const trainer *t = r->trainer;
  const train_row *row = train_report_row(r);
  cnnblas_net_info info;
  cnnblas_net_get_info(t->net, &info);
  json_t *network = json_pack("{s:s, s:I, s:o, s:I, s:I}", "text", cnnblas_net_text(t->net), "parameters",
                              (json_int_t)info.parameters, "flops", io_json_number(info.flops), "training_bytes",
                              (json_int_t)info.training_bytes, "threads", (json_int_t)info.threads);
  json_t *test = r->test.images ? json_pack("{s:I, s:I, s:o, s:o}", "images", (json_int_t)r->test.images, "correct",
                                            (json_int_t)r->test.correct, "accuracy",
                                            io_json_number((double)r->test.correct / (double)r->test.images), "loss",
                                            io_json_number(r->test.nonfinite[0] ? NAN : r->test.loss))
                                : NULL;
  return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:I, s:b, s:o?, s:s?, s:o*}", "data", r->data_name, "settings",
                   settings_json(t, &info), "network", network, "epochs", history_json(&t->settings, &t->state),
                   "images_per_second", io_json_number(total_speed(&t->state)), "tested", t->tested, "epoch_of_model",
                   (json_int_t)row->epoch, "stopped_early", t->stopped_early, "test", test, "model",
                   isfinite(row->test_loss) ? r->out : NULL, "mpi", exchange_json(r));
}
