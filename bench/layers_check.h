/*
 * The layers of --set layers against plain loops.
 */
#ifndef BENCH_LAYERS_CHECK_H
#define BENCH_LAYERS_CHECK_H

#include "layers_case.h"

/*
 * Runs the layer once and compares with plain loops in wide arithmetic, on a sample of large arrays: the largest error
 * as a share of its bound (0 where results must be exact, else terms * unit roundoff * sum of magnitudes; 4 units in
 * the last place for sigmoid and tanh). At most 1, or the layer is wrong; infinite if the call fails.
 */
double bench_layer_check(layer_rig *rig);

#endif
