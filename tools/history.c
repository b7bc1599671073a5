/* A run's epochs; see history.h. */
#include "history.h"
#include "io/file.h"
#include "io/system.h"
#include "reports/json_numbers.h"
#include <stdio.h>

static const char *tested(const train_settings *settings)
{
  return settings->validation > 0 ? "validation" : "test";
}

static double accuracy(int64_t correct, int64_t images)
{
  return (double)correct / (double)images;
}

static double speed(int64_t images, double seconds)
{
  return seconds > 0 ? (double)images / seconds : 0;
}

io_status history_write(const char *path, const train_settings *settings, const train_state *state, io_error *error)
{
  enum { LINE = 256 };
  size_t room = (size_t)(state->row_count + 1) * LINE, used = 0;
  const char *name = tested(settings);
  char *text = io_alloc(room);
  if (!text) return io_fail_memory(error, path, room, "the history");
  used += (size_t)snprintf(text, room,
                           "epoch,lr,train_loss,train_accuracy,%s_loss,%s_accuracy,seconds,images_per_second,"
                           "%s_images_per_second\n",
                           name, name, name);
  for (int64_t i = 0; i < state->row_count; i++) {
    const train_row *r = &state->rows[i];
    used += (size_t)snprintf(text + used, room - used, "%lld,%g,%.9g,%.9g,%.9g,%.9g,%.6g,%.6g,%.6g\n",
                             (long long)r->epoch, r->lr, r->loss, accuracy(r->correct, r->images), r->test_loss,
                             accuracy(r->test_correct, r->test_images), r->seconds, speed(r->images, r->seconds),
                             speed(r->test_images, r->test_seconds));
  }
  io_part part = {text, used};
  io_status status = io_replace_file(path, &part, 1, error);
  io_free(text);
  return status;
}

/* "test_loss" */
static const char *key(char text[64], const char *name, const char *what)
{
  snprintf(text, 64, "%s_%s", name, what);
  return text;
}

json_t *history_json(const train_settings *settings, const train_state *state)
{
  char loss[64], right[64], pace[64];
  const char *name = tested(settings);
  json_t *rows = json_array();
  for (int64_t i = 0; i < state->row_count && rows; i++) {
    const train_row *r = &state->rows[i];
    json_t *row = json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "epoch", (json_int_t)r->epoch, "lr", io_json_number(r->lr),
        "train_loss", io_json_number(r->loss), "train_accuracy", io_json_number(accuracy(r->correct, r->images)),
        key(loss, name, "loss"), io_json_number(r->test_loss), key(right, name, "accuracy"),
        io_json_number(accuracy(r->test_correct, r->test_images)), "seconds", io_json_number(r->seconds),
        "images_per_second", io_json_number(speed(r->images, r->seconds)), key(pace, name, "images_per_second"),
        io_json_number(speed(r->test_images, r->test_seconds)));
    if (json_array_append_new(rows, row)) {
      json_decref(rows);
      rows = NULL;
    }
  }
  return rows;
}
