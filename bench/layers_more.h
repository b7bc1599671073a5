/*
 * Further layers of --set layers: a table of them, each with its call and its check.
 */
#ifndef BENCH_LAYERS_MORE_H
#define BENCH_LAYERS_MORE_H

#include "layers_rig.h"

/* How many there are; a case of the family LAYER_MORE has one's place as its kind. */
int bench_more_count(void);

const char *bench_more_name(int kind);

/* Whether the layer needs each of its arrays once, and not for sums or the largest elements first. */
bool bench_more_one_pass(int kind);

/* Fills in the rig's sizes. */
void bench_more_set(layer_rig *rig);

/* One call of the library. */
bool bench_more_call(layer_rig *rig);

/* As bench_layer_check. */
double bench_more_check(layer_rig *rig);

#endif
