/* The training loop: epochs of shuffled batches, a test after each, checkpoints, history. */
#ifndef TOOLS_TRAINER_H
#define TOOLS_TRAINER_H

#include "dataset.h"
#include "progress.h"
#include "train_settings.h"
#include <cnnblas/net.h>
#include <stdbool.h>

typedef struct {
  cnnblas_net *net;
  const dataset *train, *test;
  input_norm norm;
  train_settings settings;
  train_state state;
  const char *checkpoint;  /* file written after each epoch, NULL for none */
  const char *interrupted; /* file written on a signal */
  const char *history;     /* CSV, or NULL */
  bool quiet;              /* no line an epoch on stdout */
  progress progress;
} trainer;

/*
 * Goes on from the state to the last epoch. SIGINT, SIGTERM and SIGHUP end it after the step that runs, with a checkpoint
 * written: COMMAND_SIGNALLED + the signal's number. A second one ends the program at once.
 * A loss that is not finite is COMMAND_CHECK_FAILED: the message names the layer and the step.
 */
int trainer_run(trainer *t);

/* Loss and accuracy of a network over a set, in its own batches. batch: room for one batch of its dtype, from
   trainer_batch. */
cnnblas_status trainer_evaluate(cnnblas_net *net, const dataset *data, const input_norm *norm, void *batch,
                                int32_t *labels, cnnblas_net_result *result, double *seconds);

/* Room for one batch of images and labels; io_free both. False without memory. */
bool trainer_batch(const cnnblas_net *net, void **batch, int32_t **labels);

#endif
