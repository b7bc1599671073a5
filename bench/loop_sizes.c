/* Fills a bench_geometry; see loop_sizes.h. */
#include "loop_sizes.h"

void bench_geometry_make(const cnnblas_conv_desc *desc, bench_geometry *g)
{
  cnnblas_conv_shape shape = {0};
  cnnblas_conv_get_shape(desc, &shape);
  int rank = desc->rank ? desc->rank : 2;
  *g = (bench_geometry){.n = desc->n, .c = desc->c, .k = desc->k, .groups = desc->groups ? desc->groups : 1};
  g->cg = g->c / g->groups;
  g->kg = g->k / g->groups;
  g->in_pixels = g->out_pixels = g->taps = 1;
  g->lowering_is_identity = 1;
  for (int a = 0; a < 3; a++) {
    int axis = a - (3 - rank), present = axis >= 0;
    g->in[a] = present ? desc->size[axis] : 1;
    g->out[a] = present ? shape.out[axis] : 1;
    g->kernel[a] = present ? desc->kernel[axis] : 1;
    g->stride[a] = present && desc->stride[axis] ? desc->stride[axis] : 1;
    g->dilation[a] = present && desc->dilation[axis] ? desc->dilation[axis] : 1;
    g->pad[a] = present ? desc->pad_begin[axis] : 0;
    g->in_pixels *= g->in[a];
    g->out_pixels *= g->out[a];
    g->taps *= g->kernel[a];
    if (g->kernel[a] != 1 || g->stride[a] != 1 || g->pad[a] != 0 || g->out[a] != g->in[a]) g->lowering_is_identity = 0;
  }
  g->q = g->cg * g->taps;
}
