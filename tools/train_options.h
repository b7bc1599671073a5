/* The command line of `cnnblas train`. */
#ifndef TOOLS_TRAIN_OPTIONS_H
#define TOOLS_TRAIN_OPTIONS_H

#include "dataset.h"
#include "progress.h"
#include "train_settings.h"
#include <cnnblas/net.h>
#include <stdbool.h>

enum { TRAIN_OPTIONS_MOST = 64 };

typedef struct {
  const char *data, *net, *init_from, *out, *checkpoint, *resume, *history, *plot, *json; /* NULL: not given */
  train_settings settings;
  cnnblas_net_loss loss;
  cnnblas_dtype dtype;
  int64_t threads;
  progress_when progress;
  dataset_form form; /* of data */
  bool quiet, no_checkpoint;
  bool given[TRAIN_OPTIONS_MOST]; /* by the rows of the options' table */
} train_options;

/* Reads argv. Returns an exit status; *done says that nothing is left to do (--help). */
int train_options_read(int argc, char **argv, train_options *options, bool *done);

/* The settings that were given replace those of a run that is resumed. */
void train_options_change(const train_options *options, train_settings *settings);

#endif
