/*
 * What the parts of algorithm "implicit_gemm" share. implicit_gemm.c has the table's rows, one for each orientation.
 *
 *     implicit_map*   y and dx: implicit_map_state.h is the plan's state, implicit_map.c makes it, implicit_map_cut.c
 *                     shares the work out, implicit_map_tables.c makes the walks, implicit_map_run.c runs a call's
 *                     jobs and implicit_map_channels.c and implicit_map_pixels.c their tiles; implicit_map_images.c and
 *                     implicit_map_images_run.c do it all with images on the lanes
 *                     implicit_map_slivers*: y and dx again, pixels on the lanes, both operands packed in pieces
 *     implicit_dw*    dw: implicit_dw.c plans, implicit_dw_run.c runs; implicit_dw_images.c does both with images on
 *                     the lanes
 */
#ifndef CB_CONV_IMPLICIT_H
#define CB_CONV_IMPLICIT_H

#include "conv/chains.h"
#include "conv/row.h"
#include "gemm/panel.h"
#include "gemm/product.h"

/* Returns how a kernel's results are written from element `at` of the output array on, with the call's bias, residual and
   activation for output channel `output`. The caller fills in the size and order of the block of results. */
cb_store cb_implicit_store(const cb_call *call, int64_t at, int64_t output);

/* The rule that cuts the sums of a forward or an input gradient into chains, the same in every orientation. */
cb_chain_rule cb_implicit_chains(const cb_problem *problem);

/* The reason why there are too few images or taps to put images on the lanes, or NULL if there are enough. */
const char *cb_implicit_too_few(const cb_geometry *geo, const cb_engine *engine);

#define CB_IMAGES_NO_ROOM "the images of a vector need more workspace than it has"

/* The packing, once for many calls, of a forward's weights (implicit_packing.c). */
extern const cb_packing cb_implicit_packing;

#endif
