/*
 * Weights packed once: a tag that says what they are, then what the plan's row of the table makes of them, or, where
 * every group has one channel, the weights as they are.
 */
#ifndef CB_CONV_PACKED_H
#define CB_CONV_PACKED_H

#include "conv/row.h"

/* The weights inside packed ones, in the form that the plan's algorithm takes, or NULL with the reason as the thread's
   last error. *bytes becomes the bytes of `packed` as a whole. The plan was made for packed weights. */
const void *cb_packed_open(const cnnblas_conv_plan *plan, const void *packed, int64_t *bytes);

#endif
