/* One call of a layer that --set layers times. */
#ifndef BENCH_LAYERS_CASE_H
#define BENCH_LAYERS_CASE_H

#include "layers_rig.h"

/* One call of the library. */
bool bench_layer_call(void *rig);

#endif
