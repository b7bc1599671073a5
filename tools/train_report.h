/* What `cnnblas train` says of a run before and after it. */
#ifndef TOOLS_TRAIN_REPORT_H
#define TOOLS_TRAIN_REPORT_H

#include "train_data.h"
#include "trainer.h"

/* A run with its data; data_name: what it was called; given: the network's text as the user gave it. */
typedef struct {
  const trainer *trainer;
  const train_data *data;
  const char *data_name, *given, *out; /* out: the model's file, NULL for none */
  ranks_figures exchanged; /* the mean over ranks: bytes a step, and parts of the steps' time in place of seconds */
  cnnblas_net_result test; /* of the test images, where the epochs were tested on others; images 0: not tested */
} train_report;

/* The data and the network as a table. Returns an exit status. */
int train_report_network(const train_report *r);

/* The row whose weights are the model. */
const train_row *train_report_row(const train_report *r);

/* Joins the ranks' figures, which all of them call; returns an exit status. */
int train_report_exchange(train_report *report);

/* The last line; under an mpirun one of what was exchanged in front of it. */
void train_report_result(const train_report *r);

/* Settings, network, epochs and result; NULL without memory. */
json_t *train_report_json(const train_report *r);

#endif
