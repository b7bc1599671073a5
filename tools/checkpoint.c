/*
 * A checkpoint's settings and state, to and from metadata. Doubles are written as hexadecimal digits, so that they come
 * back as they were. "rows" has a line an epoch.
 */
#include "checkpoint.h"
#include "io/system.h"
#include "model_metadata.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set_rows(json_t *metadata, const train_state *state)
{
  enum { LINE = 256 /* more than ten numbers of at most 24 characters */ };
  size_t bytes = (size_t)state->row_count * LINE + 1, used = 0;
  char *text = io_alloc(bytes);
  if (!text) return -1;
  text[0] = 0;
  for (int64_t i = 0; i < state->row_count; i++) {
    const train_row *r = &state->rows[i];
    used +=
        (size_t)snprintf(text + used, bytes - used, "%lld %a %a %lld %lld %a %a %lld %lld %a\n", (long long)r->epoch,
                         r->lr, r->loss, (long long)r->correct, (long long)r->images, r->seconds, r->test_loss,
                         (long long)r->test_correct, (long long)r->test_images, r->test_seconds);
  }
  int failed = metadata_set(metadata, "rows", "%s", text);
  io_free(text);
  return failed;
}

int metadata_set_run(json_t *m, const train_settings *s, const train_state *state)
{
  char steps[SETTINGS_MOST_STEPS * 40], augment[AUGMENT_TEXT];
  settings_print_lr_steps(&s->lr_steps, steps, sizeof steps);
  return metadata_set(m, "seed", "%llu", (unsigned long long)s->seed) ||
         metadata_set(m, "batch", "%lld", (long long)s->batch) ||
         metadata_set(m, "segments", "%lld", (long long)(s->segments ? s->segments : 1)) ||
         metadata_set(m, "epochs", "%lld", (long long)s->epochs) || metadata_set(m, "lr", "%a", s->lr) ||
         metadata_set(m, "momentum", "%a", s->momentum) || metadata_set(m, "weight_decay", "%a", s->weight_decay) ||
         metadata_set(m, "lr_steps", "%s", steps) || metadata_set(m, "init", "%s", settings_init_names[s->init]) ||
         metadata_set(m, "accuracy", "%s", settings_accuracy_names[s->accuracy]) ||
         metadata_set(m, "optimiser", "%s", settings_optimiser_names[s->optimiser]) ||
         metadata_set(m, "schedule", "%s", settings_schedule_names[s->schedule]) ||
         metadata_set(m, "warm_up", "%lld", (long long)s->warm_up) || metadata_set(m, "clip", "%a", s->clip) ||
         metadata_set(m, "ema", "%a", s->average) || metadata_set(m, "label_smoothing", "%a", s->smoothing) ||
         metadata_set(m, "augment", "%s", augment_print(&s->augment, augment)) ||
         metadata_set(m, "validation", "%a", s->validation) ||
         metadata_set(m, "keep", "%s", settings_keep_names[s->keep]) ||
         metadata_set(m, "patience", "%lld", (long long)s->patience) ||
         metadata_set(m, "epoch", "%lld", (long long)state->epoch) ||
         metadata_set(m, "image", "%lld", (long long)state->image) || metadata_set(m, "loss_sum", "%a", state->loss) ||
         metadata_set(m, "correct", "%lld", (long long)state->correct) ||
         metadata_set(m, "seconds", "%a", state->seconds) ||
         metadata_set(m, "data_checksum", "%u", (unsigned)state->checksum) || set_rows(m, state);
}

bool model_is_checkpoint(const st_file *file)
{
  return st_metadata(file, "epoch") != NULL;
}

static io_status read_rows(const char *name, const st_file *file, train_state *state, io_error *error)
{
  const char *text = st_metadata(file, "rows");
  if (!text) return metadata_bad(name, file, "rows", "", error);
  while (*text) {
    long long epoch, correct, images, test_correct, test_images;
    train_row r;
    int length = 0;
    int found = sscanf(text, "%lld %la %la %lld %lld %la %la %lld %lld %la\n%n", &epoch, &r.lr, &r.loss, &correct,
                       &images, &r.seconds, &r.test_loss, &test_correct, &test_images, &r.test_seconds, &length);
    if (found != 10 || !length || images < 1 || test_images < 1 || epoch != state->row_count + 1)
      return io_fail(error, IO_BAD_INPUT, "%s: metadata rows, line %lld cannot be read", name,
                     (long long)state->row_count + 1);
    r.epoch = epoch;
    r.correct = correct;
    r.images = images;
    r.test_correct = test_correct;
    r.test_images = test_images;
    if (!settings_add_row(state, &r)) return io_fail_memory(error, name, sizeof r, "a row of its history");
    text += length;
  }
  return IO_OK;
}

static io_status read_optimiser(const char *name, const st_file *file, train_settings *s, io_error *error)
{
  int kind = 0, schedule = 0;
  io_status status = metadata_choice(name, file, "optimiser", settings_optimiser_names, &kind, error);
  if (!status) status = metadata_choice(name, file, "schedule", settings_schedule_names, &schedule, error);
  if (!status) status = metadata_integer(name, file, "warm_up", 0, SETTINGS_MOST_EPOCHS, &s->warm_up, error);
  if (!status) status = metadata_number(name, file, "clip", 0, HUGE_VAL, &s->clip, error);
  if (!status) status = metadata_number(name, file, "ema", 0, 1, &s->average, error);
  if (!status) status = metadata_number(name, file, "label_smoothing", 0, 1, &s->smoothing, error);
  s->optimiser = (cnnblas_net_optimiser_kind)kind;
  s->schedule = (cnnblas_net_schedule_kind)schedule;
  return status;
}

/* What checkpoints of version 0.1 do not have, whose runs did without: all of it or nothing. */
static io_status read_newer_settings(const char *name, const st_file *file, train_settings *s, io_error *error)
{
  const char *augment = st_metadata(file, "augment");
  int keep = 0;
  if (!augment && !st_metadata(file, "optimiser")) return IO_OK;
  io_status status = read_optimiser(name, file, s, error);
  if (!status && (!augment || !augment_parse(augment, &s->augment)))
    status = metadata_bad(name, file, "augment", "none or flip,crop:N,cutout:N", error);
  if (!status) status = metadata_number(name, file, "validation", 0, 1, &s->validation, error);
  if (!status) status = metadata_choice(name, file, "keep", settings_keep_names, &keep, error);
  if (!status) status = metadata_integer(name, file, "patience", 0, SETTINGS_MOST_EPOCHS, &s->patience, error);
  s->keep = (settings_keep)keep;
  return status;
}

static io_status read_settings(const char *name, const st_file *file, train_settings *s, io_error *error)
{
  int init = 0, accuracy = 0;
  const char *seed = st_metadata(file, "seed");
  char *end = NULL;
  if (seed) s->seed = strtoull(seed, &end, 10);
  if (!seed || end == seed || *end) return metadata_bad(name, file, "seed", "a whole number", error);
  io_status status = metadata_integer(name, file, "batch", 1, INT32_MAX, &s->batch, error);
  if (!status) status = metadata_integer(name, file, "epochs", 1, SETTINGS_MOST_EPOCHS, &s->epochs, error);
  if (!status) status = metadata_number(name, file, "lr", 0, HUGE_VAL, &s->lr, error);
  if (!status) status = metadata_number(name, file, "momentum", 0, 1, &s->momentum, error);
  if (!status) status = metadata_number(name, file, "weight_decay", 0, HUGE_VAL, &s->weight_decay, error);
  if (!status) status = metadata_choice(name, file, "init", settings_init_names, &init, error);
  s->segments = 1;
  if (!status && st_metadata(file, "segments")) /* nor this one */
    status = metadata_integer(name, file, "segments", 1, 1024, &s->segments, error);
  if (!status && st_metadata(file, "accuracy")) /* checkpoints of before the option have none */
    status = metadata_choice(name, file, "accuracy", settings_accuracy_names, &accuracy, error);
  if (status) return status;
  s->accuracy = (cnnblas_accuracy_policy)accuracy;
  s->init = (cnnblas_init)init;
  const char *steps = st_metadata(file, "lr_steps");
  if (!steps || settings_parse_lr_steps(steps, &s->lr_steps))
    return metadata_bad(name, file, "lr_steps", "EPOCH:FACTOR,...", error);
  return read_newer_settings(name, file, s, error);
}

io_status model_read_run(const char *name, const st_file *file, train_settings *settings, train_state *state,
                         io_error *error)
{
  int64_t checksum = 0;
  train_settings s = {0};
  train_state t = {0};
  io_status status = read_settings(name, file, &s, error);
  if (!status) status = metadata_integer(name, file, "epoch", 0, s.epochs, &t.epoch, error);
  if (!status) status = metadata_integer(name, file, "image", 0, INT64_MAX, &t.image, error);
  if (!status) status = metadata_integer(name, file, "correct", 0, t.image, &t.correct, error);
  if (!status) status = metadata_number(name, file, "loss_sum", -HUGE_VAL, HUGE_VAL, &t.loss, error);
  if (!status) status = metadata_number(name, file, "seconds", 0, HUGE_VAL, &t.seconds, error);
  if (!status) status = metadata_integer(name, file, "data_checksum", 0, UINT32_MAX, &checksum, error);
  if (!status) status = read_rows(name, file, &t, error);
  if (!status && t.row_count != t.epoch)
    status = io_fail(error, IO_BAD_INPUT, "%s: metadata rows has %lld epochs, but epoch is %lld", name,
                     (long long)t.row_count, (long long)t.epoch);
  t.checksum = (uint32_t)checksum;
  if (status) {
    settings_free(&t);
    return status;
  }
  *settings = s;
  *state = t;
  return IO_OK;
}
