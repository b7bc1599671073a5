/*
 * cnnblas-bench --set layers: activations, pooling, the fully connected layer and the optimiser, each against what the
 * machine cannot do faster: a copy that moves as many bytes, or one SGEMM of the same size.
 */
#ifndef BENCH_LAYERS_H
#define BENCH_LAYERS_H

#include "options.h"
#include "report.h"

/* Times and checks every layer, prints the table and writes options->json. Returns an exit status. */
int bench_layers_run(const bench_options *options, bench_context *context);

#endif
