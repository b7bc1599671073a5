/* What shapes a training run; see train_settings.h. */
#include "train_settings.h"
#include "io/system.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const settings_init_names[] = {"he", "he-fan-out", "small", "zero", NULL};
const char *const settings_loss_names[] = {"softmax", "sigmoid", NULL};
const char *const settings_dtype_names[] = {"f32", "f64", NULL};
const char *const settings_optimiser_names[] = {"sgd", "nesterov", "adamw", NULL};
const char *const settings_schedule_names[] = {"step", "cosine", NULL};
const char *const settings_keep_names[] = {"last", "best", NULL};
const char *const settings_accuracy_names[] = {"default", "exact", "relaxed", NULL};

int settings_parse_lr_steps(const char *text, settings_lr_steps *s)
{
  s->count = 0;
  while (*text) {
    char *end;
    long long epoch = strtoll(text, &end, 10);
    if (end == text || *end != ':' || epoch < 1 || epoch > SETTINGS_MOST_EPOCHS) return -1;
    const char *number = end + 1;
    double factor = strtod(number, &end);
    if (end == number || !(factor >= 0) || isinf(factor) || (*end && (*end != ',' || !end[1]))) return -1;
    if (s->count == SETTINGS_MOST_STEPS) return -1;
    s->steps[s->count++] = (cnnblas_lr_step){.epoch = epoch - 1, .factor = factor};
    text = *end ? end + 1 : end;
  }
  return 0;
}

void settings_print_lr_steps(const settings_lr_steps *s, char *text, size_t bytes)
{
  size_t used = 0;
  text[0] = 0;
  for (int64_t i = 0; i < s->count && used < bytes; i++)
    used += (size_t)snprintf(text + used, bytes - used, "%s%lld:%.17g", i ? "," : "", (long long)s->steps[i].epoch + 1,
                             s->steps[i].factor);
}

int64_t settings_best_row(const train_state *state)
{
  int64_t best = -1;
  for (int64_t i = 0; i < state->row_count; i++) {
    const train_row *r = &state->rows[i], *b = best < 0 ? NULL : &state->rows[best];
    double share = (double)r->test_correct / (double)r->test_images;
    double most = b ? (double)b->test_correct / (double)b->test_images : 0;
    if (!b || share > most || (share == most && (r->test_loss < b->test_loss || isnan(b->test_loss)))) best = i;
  }
  return best;
}

bool settings_add_row(train_state *state, const train_row *row)
{
  if (state->row_count == state->rows_room) {
    int64_t room = state->rows_room ? 2 * state->rows_room : 16;
    train_row *rows = io_resize(state->rows, (size_t)room * sizeof *rows);
    if (!rows) return false;
    state->rows = rows;
    state->rows_room = room;
  }
  state->rows[state->row_count++] = *row;
  return true;
}

void settings_free(train_state *state)
{
  io_free(state->rows);
  state->rows = NULL;
  state->row_count = state->rows_room = 0;
}
