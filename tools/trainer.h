/* The training loop: epochs of shuffled batches, a test after each, checkpoints, history. */
#ifndef TOOLS_TRAINER_H
#define TOOLS_TRAINER_H

#include "batches.h"
#include "model.h"
#include "progress.h"
#include "ranks.h"
#include "train_settings.h"
#include "weights.h"
#include <cnnblas/net.h>
#include <stdbool.h>

typedef struct {
  cnnblas_net *net;
  image_set training, held_out; /* what is trained, and what is tested after each epoch */
  model_data about;
  train_settings settings;
  train_state state;
  weights best;            /* of the best epoch so far; no copy unless settings.keep is KEEP_BEST */
  const char *checkpoint;  /* file written after each epoch, NULL for none */
  const char *interrupted; /* file written on a signal */
  const char *history;     /* CSV, or NULL */
  const char *tested;      /* "test" or "validation": what held_out is */
  bool quiet;              /* no line an epoch on stdout */
  bool stopped_early;      /* no better epoch for settings.patience */
  int64_t steps;           /* of this process */
  ranks_figures exchanged; /* in these steps */
  double busy;             /* their seconds */
  progress progress;
} trainer;

/*
 * Goes on from the state to the last epoch. SIGINT, SIGTERM and SIGHUP end it after the step that runs, with a checkpoint
 * written: COMMAND_SIGNALLED + the signal's number. A second one ends the program at once.
 * A loss that is not finite is COMMAND_CHECK_FAILED: the message names the layer and the step.
 */
int trainer_run(trainer *t);

#endif
