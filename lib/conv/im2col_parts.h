/*
 * What the files of algorithm "im2col" share: how its products are cut.
 *
 *   im2col.c          the row, its cost, and the forward
 *   im2col_data.c     the input gradient
 *   im2col_weights.c  the weight gradient
 *
 * Each direction has a prepare function, which cuts the work for scratch of so many elements, and the function of a
 * task, which gets that scratch.
 */
#ifndef CB_CONV_IM2COL_PARTS_H
#define CB_CONV_IM2COL_PARTS_H

#include "conv/tiles.h"
#include <math.h>
#include <string.h>

enum {
  CB_IM2COL_NARROW = 256,         /* the least pixels of a tile: fewer pay for packing the weights again */
  CB_IM2COL_LEAST_FILTERS = 128,  /* the least filters of a product: fewer pay for packing the pixels again */
  CB_IM2COL_PIECE_MACS = 1 << 23, /* the least multiply-adds of a task: 0.1 to 0.2 ms of a core */
  CB_IM2COL_MOST_PIECES = 16,     /* the most pieces of an image, or of a weight gradient */
  CB_IM2COL_FEW_PIECES = 4,       /* so many tasks are worth having already if each has CB_IM2COL_FEW_MACS */
  CB_IM2COL_FEW_MACS = 1 << 19    /* multiply-adds of about 15 us */
};

/* The least sizes that products are cut into: each piece packs the other operand again. Pieces of a gradient of few
   images are smaller, since a thread without work costs more. A forward's pieces are the same for any number of
   images. */
typedef struct {
  double macs;            /* multiply-adds of a task */
  int64_t data_rows;      /* rows of a product of the input gradient */
  int64_t data_pixels;    /* columns of that product, where it is the gradient itself */
  int64_t weight_columns; /* columns of a product of the weight gradient */
  int64_t weight_filters; /* rows of that product */
  int64_t weight_pixels;  /* terms of that product's sums */
} cb_im2col_least;

static inline cb_im2col_least cb_im2col_least_of(const cb_problem *problem)
{
  enum { FEW_IMAGES = 4, NARROW = CB_IM2COL_NARROW };
  static const cb_im2col_least few = {CB_IM2COL_PIECE_MACS / 2, 96, NARROW, 256, 64, 256},
                               many = {CB_IM2COL_PIECE_MACS, 768, INT64_MAX, 512, CB_IM2COL_LEAST_FILTERS, 1024};
  return problem->direction != CNNBLAS_FORWARD && problem->geo.n < FEW_IMAGES ? few : many;
}

/* Number of tasks that are worth having for the multiply-adds of so many images. */
static inline double cb_im2col_tasks(const cb_problem *problem, int64_t images)
{
  const double macs = cb_geometry_macs(&problem->geo, images),
               few = fmin(macs / CB_IM2COL_FEW_MACS, CB_IM2COL_FEW_PIECES);
  return fmin(fmax(macs / cb_im2col_least_of(problem).macs, few), CB_IM2COL_MOST_PIECES);
}

/* Pixels of a tile of `rows` rows: all of `pixels`, if the scratch of `elements` holds them. */
static inline int64_t cb_im2col_pixels(int64_t pixels, int64_t rows, int64_t elements)
{
  return cb_max(1, cb_min(pixels, elements / rows));
}

/* Rows of a tile: at most `rows`, and so few that the tile has at least CB_IM2COL_NARROW pixels. */
static inline int64_t cb_im2col_rows(int64_t rows, int64_t pixels, int64_t elements)
{
  return cb_max(1, cb_min(rows, elements / cb_min(pixels, CB_IM2COL_NARROW)));
}

/* How many images of a gradient share a product, so that it has about CB_IM2COL_NARROW pixels: 1 unless `rows` rows of them
   fit the scratch. Small images alone leave OpenBLAS short sums, or weights that it packs for few pixels. Images that need
   no lowering stay alone: copying them costs more than it gains (.7 to .9 of the speed at 7x7, Zen 3). */
static inline int64_t cb_im2col_joined(const cb_geometry *geo, int64_t rows, int64_t elements)
{
  const int64_t most = cb_min(geo->n, CB_IM2COL_NARROW / geo->p);
  if (most <= 1 || cb_geometry_is_pointwise(geo) || rows > elements / (most * geo->p)) return 1;
  return cb_ceil_div(geo->n, cb_ceil_div(geo->n, most));
}

/* The images that a plan's gradient joins, whose tiles then have all their pixels. */
static inline int64_t cb_im2col_joined_of(const cnnblas_conv_plan *plan)
{
  return cb_max(1, plan->tiling.p_tile / plan->problem.geo.p);
}

/* to[row * count * p + i * p + j] = from[(i * channels + row) * p + j]: `rows` rows of `count` images side by side, p is
   geo->p. */
static inline void cb_im2col_join(const cb_geometry *geo, const void *from, int64_t channels, int64_t rows,
                                  int64_t count, void *to)
{
  for (int64_t row = 0; row < rows; row++)
    for (int64_t i = 0; i < count; i++)
      memcpy(cb_at_mut(to, (row * count + i) * geo->p, geo->element),
             cb_at(from, (i * channels + row) * geo->p, geo->element), (size_t)geo->p * geo->element);
}

void cb_im2col_prepare_data(cnnblas_conv_plan *plan, int64_t elements);
void cb_im2col_data_task(const cb_call *call, int64_t task, char *scratch);

void cb_im2col_prepare_weights(cnnblas_conv_plan *plan, int64_t elements, int64_t joined);
/* Number of leaves of the tree in which the gradient is summed, whose partial results have at most so many bytes. */
int64_t cb_im2col_weight_segments(const cb_problem *problem, int64_t joined, int64_t most);
void cb_im2col_weights_task(const cb_call *call, int64_t task, char *scratch);

#endif
