/* What shapes a training run, and how far it has come: what a checkpoint holds besides tensors. */
#ifndef TOOLS_TRAIN_SETTINGS_H
#define TOOLS_TRAIN_SETTINGS_H

#include "data/augment.h"
#include <cnnblas/cnnblas.h>
#include <cnnblas/net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SETTINGS_MOST_STEPS = 32, SETTINGS_MOST_EPOCHS = 100000 };

/* Factors of the learning rate; epochs counted from 0, as the library does. */
typedef struct {
  cnnblas_lr_step steps[SETTINGS_MOST_STEPS];
  int64_t count;
} settings_lr_steps;

/* Which epoch's weights become the model. */
typedef enum { KEEP_LAST, KEEP_BEST } settings_keep;

/* Two runs with equal settings, data and network give equal bits. */
typedef struct {
  uint64_t seed;
  int64_t batch, epochs;
  int64_t segments; /* of a batch, whose weight gradients are summed by themselves; a power of two */
  cnnblas_net_optimiser_kind optimiser;
  double lr, momentum, weight_decay;
  cnnblas_net_schedule_kind schedule;
  int64_t warm_up; /* epochs in which the rate rises */
  settings_lr_steps lr_steps;
  cnnblas_init init;
  cnnblas_accuracy_policy accuracy;
  double clip;      /* the largest norm of the gradients; 0: any */
  double average;   /* decay of the weights' moving averages, which become the model; 0: none are kept */
  double smoothing; /* of the labels */
  augment_settings augment;
  double validation; /* share of the training images that are held out, at least 0 and below 1 */
  settings_keep keep;
  int64_t patience; /* epochs without a better one that end the run; 0: none do */
} train_settings;

/* One finished epoch. */
typedef struct {
  int64_t epoch; /* from 1 */
  double lr;
  double loss; /* mean over the epoch's images, each seen before its step */
  int64_t correct, images;
  double seconds;   /* from the first to the last step, shuffling and copying of batches included */
  double test_loss; /* of the images held out for validation, or else of the test images */
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
extern const char *const settings_keep_names[];
extern const char *const settings_optimiser_names[];
extern const char *const settings_schedule_names[];

/* "10:0.1,20:0.5": epochs counted from 1. Returns 0 and fills the steps, or -1 for a text that is wrong. */
int settings_parse_lr_steps(const char *text, settings_lr_steps *steps);

/* The same text again, at most bytes long. */
void settings_print_lr_steps(const settings_lr_steps *steps, char *text, size_t bytes);

/* The best of the epochs that are done: most images right, of equals the least loss, then the first. -1: none is done. */
int64_t settings_best_row(const train_state *state);

/* Adds a row; false without memory. */
bool settings_add_row(train_state *state, const train_row *row);

/* Frees the rows. */
void settings_free(train_state *state);

#endif
