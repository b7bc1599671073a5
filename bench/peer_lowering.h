/*
 * The im2col lowering of one image and group, as people write it by hand; the peers use it.
 *
 *   col[q][p] = x[c][i*stride - pad + r*dilation][...], q = (c*R + r)*S + s, p = i*OW + j; 0 outside the image
 */
#ifndef BENCH_PEER_LOWERING_H
#define BENCH_PEER_LOWERING_H

#include "loop_sizes.h"
#include <stddef.h>

/* Writes row q of col, [out_pixels], from one group's planes of one image, [cg][h][w]. element is 4 or 8 bytes. */
void bench_lower_row(const bench_geometry *geometry, size_t element, const void *planes, int64_t q, void *row);

/* The adjoint, for plane c of the group: overwrites the plane, [h][w], with the sum of what rows c*taps.. of col put there. */
void bench_unlower_plane(const bench_geometry *geometry, size_t element, const void *col, int64_t c, void *plane);

#endif
