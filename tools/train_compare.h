/* Whether the ranks of a run have the same before them. */
#ifndef TOOLS_TRAIN_COMPARE_H
#define TOOLS_TRAIN_COMPARE_H

#include "trainer.h"

/* Ranks train one run: with the same data, network, settings and weights; data: all of the training images. Returns an exit status,
   the same on all. */
int train_compare_ranks(const trainer *trainer, const dataset *data);

#endif
