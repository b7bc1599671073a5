/*
 * Weights packed once: a tag that says what they are, then the panels of implicit_gemm's forward, or, where every group has
 * one channel, the weights as they are.
 */
#ifndef CB_CONV_PACKED_H
#define CB_CONV_PACKED_H

#include "conv/plan.h"

/* True if packed weights of this geometry are panels. */
bool cb_packed_in_panels(const cb_geometry *geo);

/* Bytes of the packed form of weights that exist as they are. */
size_t cb_packed_bytes(const cb_geometry *geo);

/* The weights or panels inside packed ones, or NULL with the reason as the thread's last error. */
const void *cb_packed_open(const cb_geometry *geo, const void *packed);

#endif
