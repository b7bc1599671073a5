/*
 * A convolution's sizes for the benchmark's own loops: always three spatial axes, the missing leading ones of size 1, so
 * that rank 1, 2 and 3 share the code.
 */
#ifndef BENCH_LOOP_SIZES_H
#define BENCH_LOOP_SIZES_H

#include <cnnblas/cnnblas.h>

typedef struct bench_geometry {
  int64_t n, c, k, groups;
  int64_t cg, kg; /* channels and filters of a group */
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], pad[3];
  int64_t in_pixels, out_pixels, taps;
  int64_t q;                /* cg * taps: rows of a group's lowered matrix */
  int lowering_is_identity; /* 1x1, stride 1, no padding: the image already is the lowered matrix */
} bench_geometry;

/* desc must be valid. */
void bench_geometry_make(const cnnblas_conv_desc *desc, bench_geometry *geometry);

#endif
