/* The command line of `cnnblas train`. */
#ifndef TOOLS_TRAIN_OPTIONS_H
#define TOOLS_TRAIN_OPTIONS_H

#include "dataset.h"
#include "progress.h"
#include "train_settings.h"
#include <cnnblas/net.h>
#include <stdbool.h>

typedef struct {
  const char *data, *net, *out, *checkpoint, *resume, *history, *plot, *json; /* NULL: not given */
  train_settings settings;
  cnnblas_net_loss loss;
  cnnblas_dtype dtype;
  int32_t threads;
  progress_when progress;
  dataset_form form; /* of data */
  bool quiet;
  /* Given by name: what a resumed run changes, or must not. */
  bool epochs_given, lr_given, momentum_given, decay_given, lr_steps_given;
  const char *fixed_given; /* an option that shapes the run from its first step, without "--"; NULL: none was given */
} train_options;

/* Reads argv. Returns an exit status; *done says that nothing is left to do (--help). */
int train_options_read(int argc, char **argv, train_options *options, bool *done);

#endif
