/* What shapes a training run, and how far it has come: what a checkpoint holds besides tensors. */
#ifndef TOOLS_TRAIN_SETTINGS_H
#define TOOLS_TRAIN_SETTINGS_H

#include <cnnblas/cnnblas.h>
#include <cnnblas/net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SETTINGS_MOST_STEPS = 32, SETTINGS_MOST_EPOCHS = 100000 };

/* How pixels become a network's input: (pixel - mean) * scale. A picture's white is a pixel of `white`. */
typedef struct {
  double mean, scale, white;
} input_norm;

/* Two runs with equal settings, data and network give equal bits. */
typedef struct {
  uint64_t seed;
  int64_t batch, epochs;
  double lr, momentum, weight_decay;
  cnnblas_lr_step lr_steps[SETTINGS_MOST_STEPS]; /* epochs counted from 0, as the library does */
  int64_t lr_step_count;
  cnnblas_init init;
  cnnblas_accuracy_policy accuracy;
} train_settings;

/* One finished epoch. */
typedef struct {
  int64_t epoch; /* from 1 */
  double lr;
  double loss; /* mean over the epoch's images, each seen before its step */
  int64_t correct, images;
  double seconds; /* from the first to the last step, shuffling and copying of batches included */
  double test_loss;
  int64_t test_correct, test_images;
  double test_seconds;
} train_row;

/* Where a run stands, between two steps. */
typedef struct {
  int64_t epoch; /* running, from 0; = settings.epochs when all are done */
  int64_t image; /* of the epoch's order: how many have been used */
  double loss;   /* of these images, summed */
  int64_t correct;
  double seconds;
  train_row *rows; /* [row_count], epochs that are done; room for rows_room */
  int64_t row_count, rows_room;
  uint32_t checksum; /* of the training data */
} train_state;

/* The words of --init, --loss, --dtype and --accuracy in the order of the library's constants, NULL at the end. */
extern const char *const settings_init_names[];
extern const char *const settings_loss_names[];
extern const char *const settings_dtype_names[];
extern const char *const settings_accuracy_names[];

/* "10:0.1,20:0.5": epochs counted from 1. Returns 0 and fills the steps, or -1 for a text that is wrong. */
int settings_parse_lr_steps(const char *text, train_settings *settings);

/* The same text again, at most bytes long. */
void settings_print_lr_steps(const train_settings *settings, char *text, size_t bytes);

/* Adds a row; false without memory. */
bool settings_add_row(train_state *state, const train_row *row);

/* Frees the rows. */
void settings_free(train_state *state);

#endif
