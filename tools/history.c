/* A run's epochs; see history.h. */
#include "history.h"
#include "io/file.h"
#include "io/system.h"
#include "reports/json_numbers.h"
#include <stdio.h>
#include <string.h>

static const char head[] =
    "epoch,lr,train_loss,train_accuracy,test_loss,test_accuracy,seconds,images_per_second,test_images_per_second\n";

static double accuracy(int64_t correct, int64_t images)
{
  return (double)correct / (double)images;
}

static double speed(int64_t images, double seconds)
{
  return seconds > 0 ? (double)images / seconds : 0;
}

io_status history_write(const char *path, const train_state *state, io_error *error)
{
  enum { LINE = 256 };
  size_t room = (size_t)state->row_count * LINE + sizeof head, used = sizeof head - 1;
  char *text = io_alloc(room);
  if (!text) return io_fail_memory(error, path, room, "the history");
  memcpy(text, head, sizeof head);
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

json_t *history_json(const train_state *state)
{
  json_t *rows = json_array();
  for (int64_t i = 0; i < state->row_count && rows; i++) {
    const train_row *r = &state->rows[i];
    json_t *row =
        json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "epoch", (json_int_t)r->epoch, "lr",
                  io_json_number(r->lr), "train_loss", io_json_number(r->loss), "train_accuracy",
                  io_json_number(accuracy(r->correct, r->images)), "test_loss", io_json_number(r->test_loss),
                  "test_accuracy", io_json_number(accuracy(r->test_correct, r->test_images)), "seconds",
                  io_json_number(r->seconds), "images_per_second", io_json_number(speed(r->images, r->seconds)),
                  "test_images_per_second", io_json_number(speed(r->test_images, r->test_seconds)));
    if (json_array_append_new(rows, row)) {
      json_decref(rows);
      rows = NULL;
    }
  }
  return rows;
}
