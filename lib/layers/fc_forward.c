/*
 * The forward product of a fully connected layer, y = x w^T. Both operands lie along the inputs: tiles of dots, a few images by
 * a few outputs. Neither is rearranged as a whole: weights are so many that this would cost as much as the product itself while
 * images are few. How an element is summed depends on the layer alone: not on how many images there are, nor on what a task is,
 * which follows the team.
 */
#include "layers/fc_job.h"

enum {
  CHUNK_VECTORS =
      64, /* vectors of inputs that are summed at a time: a tile's share of w stays near while all images meet it */
  LONG_ROWS = 8,     /* images of a block whose sums are cut */
  FORWARD_SHARES = 4 /* tasks a thread, unless they become smaller than LEAST_WORK or larger than TILES */
};

/* Outputs [o, o + columns) of images [i, i + rows), whose sums are at c, a row each ldc elements. */
typedef struct {
  int64_t i, rows, o, columns;
  void *c;
  int64_t ldc;
} block;

/* The block's sums gain the products of `steps` vectors of inputs from input k on. Offsets have 32 bits: the outputs of a layer
   whose rows are longer are done one by one. */
static void add_dots(const cb_fc_job *j, const block *b, int64_t k, int64_t steps, const int32_t *walk)
{
  const cb_fc *fc = j->fc;
  const int64_t columns = fc->in > INT32_MAX / CB_DOTS_COLUMNS ? 1 : b->columns;
  int32_t col[CB_DOTS_COLUMNS] = {0};
  for (int c = 0; c < CB_DOTS_COLUMNS && columns > 1; c++) col[c] = (int32_t)(c * fc->in);
  for (int64_t o = b->o; o < b->o + b->columns; o += columns)
    cb_dots_run(&(cb_dots_product){.engine = j->engine,
                                   .element = j->element,
                                   .a = cb_fc_at(fc->x, b->i * fc->in + k, j->element),
                                   .pitch = fc->in,
                                   .b = cb_fc_at(fc->w, o * fc->in + k, j->element),
                                   .col = col,
                                   .b_hop = fc->in,
                                   .walk = walk,
                                   .steps = steps,
                                   .rows = b->rows,
                                   .columns = columns,
                                   .c = cb_fc_at(b->c, o - b->o, j->element),
                                   .ldc = b->ldc});
}

/* The last inputs, fewer than a vector, filled up with zeros. */
static void add_last_dots(const cb_fc_job *j, const block *b, int64_t k)
{
  enum { LANES = CB_MAX_LANES / CB_MAX_VECTORS };
  const cb_fc *fc = j->fc;
  const int64_t lanes = j->engine->lanes;
  const size_t bytes = (size_t)(fc->in - k) * j->element;
  double x[IMAGES * LANES] = {0}, w[TILES * CB_DOTS_COLUMNS * LANES] = {0};
  int32_t col[CB_DOTS_COLUMNS], walk[1] = {0};
  for (int c = 0; c < CB_DOTS_COLUMNS; c++) col[c] = (int32_t)(c * lanes);
  for (int64_t i = 0; i < b->rows; i++)
    memcpy(cb_fc_at(x, i * lanes, j->element), cb_fc_at(fc->x, (b->i + i) * fc->in + k, j->element), bytes);
  for (int64_t o = 0; o < b->columns; o++)
    memcpy(cb_fc_at(w, o * lanes, j->element), cb_fc_at(fc->w, (b->o + o) * fc->in + k, j->element), bytes);
  cb_dots_run(&(cb_dots_product){.engine = j->engine,
                                 .element = j->element,
                                 .a = x,
                                 .pitch = lanes,
                                 .b = w,
                                 .col = col,
                                 .b_hop = lanes,
                                 .walk = walk,
                                 .steps = 1,
                                 .rows = b->rows,
                                 .columns = b->columns,
                                 .c = b->c,
                                 .ldc = b->ldc});
}

/* The block's sums gain the products of inputs [from, to), chunk after chunk. */
static void add_chain(const cb_fc_job *j, const block *b, int64_t from, int64_t to)
{
  int64_t lanes = j->engine->lanes, whole = from + (to - from) / lanes * lanes, chunk = CHUNK_VECTORS * lanes;
  int32_t walk[CHUNK_VECTORS];
  for (int s = 0; s < CHUNK_VECTORS; s++) walk[s] = (int32_t)(s * lanes);
  for (int64_t k = from; k < whole; k += chunk) add_dots(j, b, k, cb_min(chunk, whole - k) / lanes, walk);
  if (whole < to) add_last_dots(j, b, whole);
}

/* The same for a sum of any length, of at most LONG_ROWS images if it is cut. The sums are zeros before. */
static void add_parts(const cb_fc_job *j, const block *b, int64_t from, int64_t to)
{
  const int64_t chain = (int64_t)CHAIN * CHUNK_VECTORS * j->engine->lanes;
  if (to - from <= chain) {
    add_chain(j, b, from, to);
    return;
  }
  double sums[LONG_ROWS * TILES * CB_DOTS_COLUMNS];
  block apart = *b;
  int64_t part = cb_fc_part(to - from, chain);
  apart.c = sums;
  apart.ldc = b->columns;
  add_parts(j, b, from, from + part);
  for (int64_t k = from + part; k < to; k += part) {
    memset(sums, 0, (size_t)(b->rows * b->columns) * j->element);
    add_parts(j, &apart, k, cb_min(k + part, to));
    cb_fc_add_block(j, b->rows, b->columns, sums, apart.ldc, b->c, b->ldc);
  }
}

static void forward_task(void *context, int64_t task, int worker)
{
  (void)worker;
  const cb_fc_job *j = context;
  const cb_fc *fc = j->fc;
  block b = {.i = task / j->across * IMAGES, .o = task % j->across * j->width, .ldc = fc->out};
  b.rows = cb_min(IMAGES, fc->n - b.i);
  b.columns = cb_min(j->width, fc->out - b.o);
  for (int64_t i = 0; i < b.rows; i++)
    memset(cb_fc_at(j->result, (b.i + i) * fc->out + b.o, j->element), 0, (size_t)b.columns * j->element);
  bool cut = fc->in > (int64_t)CHAIN * CHUNK_VECTORS * j->engine->lanes;
  for (int64_t i = 0, rows = cut ? LONG_ROWS : b.rows; i < b.rows; i += rows) {
    block some = b;
    some.i = b.i + i;
    some.rows = cb_min(rows, b.rows - i);
    some.c = cb_fc_at(j->result, some.i * fc->out + b.o, j->element);
    add_parts(j, &some, 0, fc->in);
  }
  for (int64_t i = 0; i < b.rows; i++)
    j->loops->bias_relu(1, b.columns, j->bias ? cb_fc_at(j->bias, b.o, j->element) : NULL, j->relu,
                        cb_fc_at(j->result, (b.i + i) * fc->out + b.o, j->element));
}

void cb_fc_forward(const cb_fc *fc, const void *bias, int relu, void *y)
{
  cb_fc_job j = cb_fc_make_job(fc, y);
  j.bias = bias;
  j.relu = relu;
  double work = (double)cb_min(fc->n, IMAGES) * (double)fc->in * j.engine->dots_columns;
  j.width = cb_fc_task_length(fc->out, j.engine->dots_columns, work, (int64_t)FORWARD_SHARES * fc->threads);
  j.across = cb_ceil_div(fc->out, j.width);
  cb_parallel_for(fc->threads, cb_ceil_div(fc->n, IMAGES) * j.across, forward_task, &j);
}
