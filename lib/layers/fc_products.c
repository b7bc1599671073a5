/*
 * The three products of a fully connected layer. None of them rearranges its operands as a whole: weights are so many that
 * this would cost as much as the product itself while images are few. How an element is summed depends on the layer alone:
 * not on how many images there are, nor on what a task is, which follows the team.
 *
 *   forward    y  = x w^T    both operands lie along the inputs: tiles of dots, a few images by a few outputs
 *   input      dx = dy w     the lanes are inputs, the rows images, a step is an output
 *   weights    dw = dy^T x   the lanes are inputs, the rows outputs, a step is an image
 */
#include "layers/fc_products.h"
#include "base/arguments.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/parameters.h"
#include "base/size.h"
#include "gemm/product.h"
#include "layers/loops.h"
#include <string.h>

enum {
  CHUNK_VECTORS = 64, /* of inputs, in dots: a tile's share of w stays near while all images meet it */
  IMAGES = 64,        /* of a task */
  STEPS = 64,         /* of the other products between two additions to the result */
  MOST_ROWS = 64,     /* of a task of theirs: images, or outputs */
  FORWARD_SHARES = 4, /* tasks a thread, unless they become smaller than LEAST_WORK or larger than TILES */
  SHARES = 8,         /* the same of the other products */
  TILES = 16,
  ACROSS = 8,         /* tasks of the weight gradient side by side */
  LEAST_DOWN = 16,    /* its tasks below each other, where threads are few */
  LEAST_WORK = 32768, /* of a task: multiplications */
  CLASH = 1024,       /* bytes between lines that share a few places of the first cache */
  FEW_TILES = 3,      /* meet lanes that clash where they lie */
  LINE = 64
};

typedef struct {
  const cb_fc *fc;
  const cb_engine *engine;
  const cb_layer_loops *loops;
  size_t element;
  const char *bias;
  int relu;
  char *result;
  int64_t width, height; /* of a task: outputs or inputs, images or outputs */
  int64_t across;        /* tasks side by side */
  int vectors;           /* of a tile */
  bool past;             /* the result may be stored past the caches */
} job;

static void *at(const void *array, int64_t element, size_t size)
{
  return (char *)array + element * (int64_t)size;
}

static job make_job(const cb_fc *fc, void *result)
{
  return (job){.fc = fc,
               .engine = cb_engine_get(fc->dtype),
               .loops = cb_layer_loops_for(fc->dtype),
               .element = cb_element_size(fc->dtype),
               .result = result};
}

/* A task's share of `length`: tiles of `size`, each of so much work; about `tasks` shares, unless a task had too little to
   do or too many tiles. */
static int64_t task_length(int64_t length, int64_t size, double work, int64_t tasks)
{
  double least = LEAST_WORK / work;
  int64_t tiles = cb_max(cb_ceil_div(length, size) / tasks, least < TILES ? (int64_t)least : TILES);
  return size * cb_max(1, cb_min(TILES, tiles));
}

/* ---- forward ---- */

/* Outputs [o, o + columns) of images [i, i + rows). */
typedef struct {
  int64_t i, rows, o, columns;
} block;

/* y += the products of `steps` vectors of inputs from input k on. Offsets are of 32 bits: rows that are longer go one by one. */
static void add_dots(const job *j, const block *b, int64_t k, int64_t steps, const int32_t *walk)
{
  const cb_fc *fc = j->fc;
  const int64_t columns = fc->in > INT32_MAX / CB_DOTS_COLUMNS ? 1 : b->columns;
  int32_t col[CB_DOTS_COLUMNS] = {0};
  for (int c = 0; c < CB_DOTS_COLUMNS && columns > 1; c++) col[c] = (int32_t)(c * fc->in);
  for (int64_t o = b->o; o < b->o + b->columns; o += columns)
    cb_dots_run(&(cb_dots_product){.engine = j->engine,
                                   .element = j->element,
                                   .a = at(fc->x, b->i * fc->in + k, j->element),
                                   .pitch = fc->in,
                                   .b = at(fc->w, o * fc->in + k, j->element),
                                   .col = col,
                                   .b_hop = fc->in,
                                   .walk = walk,
                                   .steps = steps,
                                   .rows = b->rows,
                                   .columns = columns,
                                   .c = at(j->result, b->i * fc->out + o, j->element),
                                   .ldc = fc->out});
}

/* The last inputs, fewer than a vector, filled up with zeros. */
static void add_last_dots(const job *j, const block *b, int64_t k)
{
  enum { LANES = CB_MAX_LANES / CB_MAX_VECTORS };
  const cb_fc *fc = j->fc;
  const int64_t lanes = j->engine->lanes;
  const size_t bytes = (size_t)(fc->in - k) * j->element;
  double x[IMAGES * LANES] = {0}, w[TILES * CB_DOTS_COLUMNS * LANES] = {0};
  int32_t col[CB_DOTS_COLUMNS], walk[1] = {0};
  for (int c = 0; c < CB_DOTS_COLUMNS; c++) col[c] = (int32_t)(c * lanes);
  for (int64_t i = 0; i < b->rows; i++)
    memcpy(at(x, i * lanes, j->element), at(fc->x, (b->i + i) * fc->in + k, j->element), bytes);
  for (int64_t o = 0; o < b->columns; o++)
    memcpy(at(w, o * lanes, j->element), at(fc->w, (b->o + o) * fc->in + k, j->element), bytes);
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
                                 .c = at(j->result, b->i * fc->out + b->o, j->element),
                                 .ldc = fc->out});
}

static void forward_task(void *context, int64_t task, int worker)
{
  (void)worker;
  const job *j = context;
  const cb_fc *fc = j->fc;
  int64_t lanes = j->engine->lanes, whole = fc->in / lanes * lanes, chunk = CHUNK_VECTORS * lanes;
  block b = {.i = task / j->across * IMAGES, .o = task % j->across * j->width};
  int32_t walk[CHUNK_VECTORS];
  b.rows = cb_min(IMAGES, fc->n - b.i);
  b.columns = cb_min(j->width, fc->out - b.o);
  for (int s = 0; s < CHUNK_VECTORS; s++) walk[s] = (int32_t)(s * lanes);
  for (int64_t i = 0; i < b.rows; i++)
    memset(at(j->result, (b.i + i) * fc->out + b.o, j->element), 0, (size_t)b.columns * j->element);
  for (int64_t k = 0; k < whole; k += chunk) add_dots(j, &b, k, cb_min(chunk, whole - k) / lanes, walk);
  if (whole < fc->in) add_last_dots(j, &b, whole);
  for (int64_t i = 0; i < b.rows; i++)
    j->loops->bias_relu(1, b.columns, j->bias ? at(j->bias, b.o, j->element) : NULL, j->relu,
                        at(j->result, (b.i + i) * fc->out + b.o, j->element));
}

void cb_fc_forward(const cb_fc *fc, const void *bias, int relu, void *y)
{
  job j = make_job(fc, y);
  j.bias = bias;
  j.relu = relu;
  double work = (double)cb_min(fc->n, IMAGES) * (double)fc->in * j.engine->dots_columns;
  j.width = task_length(fc->out, j.engine->dots_columns, work, (int64_t)FORWARD_SHARES * fc->threads);
  j.across = cb_ceil_div(fc->out, j.width);
  cb_parallel_for(fc->threads, cb_ceil_div(fc->n, IMAGES) * j.across, forward_task, &j);
}

/* ---- lanes of inputs ---- */

/* c[r][l] = sum over s < steps of a[r * a_row + s * a_step] * b[s][l]; rows of b and c are `in` elements apart. */
typedef struct {
  const void *a, *b;
  void *c;
  int64_t a_row, a_step, rows, columns, steps;
} product;

/*
 * A task's own room. Steps or rows whose distance is a multiple of CLASH bytes lie on top of each other in the first cache;
 * if several tiles meet them, their share is moved here first. Lanes that are fewer than a vector are filled up here.
 */
typedef struct {
  double a[MOST_ROWS * STEPS];                           /* [row][step] */
  double b[STEPS * CB_MAX_LANES];                        /* [step][lane] */
  double c[CB_MAX_ROWS * CB_MAX_LANES / CB_MAX_VECTORS]; /* [row][lane] */
  int32_t row[CB_MAX_ROWS], walk[STEPS], lanes[STEPS];
} room;

_Static_assert(STEPS == MOST_ROWS && IMAGES <= MOST_ROWS, "rows are moved in runs of either");

static bool clashes(const job *j, int64_t distance)
{
  return distance * (int64_t)j->element % CLASH == 0;
}

/* All rows of `steps` steps, as they lie side by side: step after step or row after row. */
static void move_rows(const job *j, const product *p, cb_product *t, int64_t steps, room *own)
{
  bool by_rows = p->a_step == 1;
  int64_t pieces = by_rows ? p->rows : steps, distance = by_rows ? p->a_row : p->a_step;
  size_t bytes = (size_t)(by_rows ? steps : p->rows) * j->element;
  for (int i = 0; i < CB_MAX_ROWS; i++) own->row[i] = by_rows ? i * STEPS : i;
  for (int s = 0; s < STEPS; s++) own->walk[s] = by_rows ? s : s * STEPS;
  for (int64_t i = 0; i < pieces; i++)
    memcpy(at(own->a, i * STEPS, j->element), at(t->a, i * distance, j->element), bytes);
  t->a = own->a;
  t->row = own->row;
  t->a_hop = by_rows ? STEPS : 1;
  t->walk.a = own->walk;
}

/* `count` lanes of `steps` steps, `width` apart; what lies behind them is asked for. */
static void move_lanes(const job *j, cb_product *t, int64_t steps, int64_t count, int64_t width, room *own)
{
  for (int64_t s = 0; s < steps; s++) {
    own->lanes[s] = (int32_t)(s * width);
    const char *from = at(t->b, t->walk.b[s], j->element);
    memcpy(at(own->b, s * width, j->element), from, (size_t)count * j->element);
    for (int64_t line = 0; line < count * (int64_t)j->element; line += LINE)
      __builtin_prefetch(from + count * (int64_t)j->element + line);
    memset(at(own->b, s * width + count, j->element), 0, (size_t)(width - count) * j->element);
  }
  t->b = own->b;
  t->walk.b = own->lanes;
}

/* All rows with a few whole vectors of lanes, */
static void multiply_vectors(const job *j, cb_product *t, room *own)
{
  const void *b = t->b;
  const int32_t *walk = t->walk.b;
  int64_t lanes = t->vectors * j->engine->lanes;
  if (t->rows > (int64_t)FEW_TILES * j->engine->rows[j->vectors] && clashes(j, j->fc->in))
    move_lanes(j, t, t->walk.cut[1], lanes, lanes, own);
  cb_product_run(t);
  t->b = b;
  t->walk.b = walk;
}

/* and with the last `count` lanes, fewer than a vector. */
static void multiply_rest(const job *j, cb_product t, int64_t count, room *own)
{
  const cb_store store = {
      .count = count, .out = t.c, .row_step = j->fc->in, .lane_step = 1, .bias_rows = true, .add = t.add};
  move_lanes(j, &t, t.walk.cut[1], count, j->engine->lanes, own);
  t.vectors = 1;
  t.c = own->c;
  t.ldc = j->engine->lanes;
  t.store = &store;
  t.add = t.past = false;
  cb_product_run(&t);
}

/* Steps [s, s + cut[1]) of all rows and lanes. */
static void multiply_chunk(const job *j, const product *p, int64_t s, cb_product *t, room *own)
{
  const int64_t lanes = j->engine->lanes, whole = p->columns / lanes * lanes;
  if (clashes(j, j->fc->out) && p->columns > j->vectors * lanes) move_rows(j, p, t, t->walk.cut[1], own);
  for (int64_t l = 0; l < p->columns; l += j->vectors * lanes) {
    t->vectors = (int)cb_min(j->vectors, (whole - l) / lanes);
    t->b = at(p->b, s * j->fc->in + l, j->element);
    t->c = at(p->c, l, j->element);
    if (t->vectors) multiply_vectors(j, t, own);
  }
  if (whole == p->columns) return;
  t->b = at(p->b, s * j->fc->in + whole, j->element);
  t->c = at(p->c, whole, j->element);
  multiply_rest(j, *t, p->columns - whole, own);
}

/* The chunks of steps come outermost: the share of b that they meet stays near while all rows pass it. Offsets are of 32
   bits: arrays whose rows are longer go row by row, step by step. */
static void multiply(const job *j, const product *p)
{
  int64_t in = j->fc->in, reach = INT32_MAX / cb_max(in, j->fc->out);
  int64_t steps = cb_max(1, cb_min(cb_min(STEPS, p->steps), reach));
  int64_t rows = reach < CB_MAX_ROWS ? cb_max(1, reach) : p->rows;
  int32_t row[CB_MAX_ROWS], awalk[STEPS], bwalk[STEPS], cut[2] = {0};
  room own;
  for (int i = 0; i < CB_MAX_ROWS; i++) row[i] = (int32_t)(i < rows ? i * p->a_row : 0);
  for (int s = 0; s < steps; s++) {
    awalk[s] = (int32_t)(s * p->a_step);
    bwalk[s] = (int32_t)(s * in);
  }
  for (int64_t s = 0; s < p->steps; s += steps)
    for (int64_t r = 0; r < p->rows; r += rows) {
      product part = {.a_row = p->a_row, .a_step = p->a_step, .b = p->b, .columns = p->columns};
      part.rows = cb_min(rows, p->rows - r);
      part.c = at(p->c, r * in, j->element);
      cut[1] = (int32_t)cb_min(steps, p->steps - s);
      cb_product t = {.engine = j->engine,
                      .element = j->element,
                      .a = at(p->a, r * p->a_row + s * p->a_step, j->element),
                      .row = row,
                      .a_hop = p->a_row,
                      .walk = {awalk, bwalk, cut, 1},
                      .rows = part.rows,
                      .ldc = in,
                      .add = s > 0,
                      .past = j->past && steps == p->steps,
                      .ahead = j->vectors * j->engine->lanes};
      multiply_chunk(j, &part, s, &t, &own);
    }
  if (j->past) __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void data_task(void *context, int64_t task, int worker)
{
  (void)worker;
  const job *j = context;
  const cb_fc *fc = j->fc;
  int64_t i = task / j->across * IMAGES, l = task % j->across * j->width;
  product p = {.a_row = fc->out, .a_step = 1, .steps = fc->out};
  p.rows = cb_min(IMAGES, fc->n - i);
  p.columns = cb_min(j->width, fc->in - l);
  p.a = at(fc->dy, i * fc->out, j->element);
  p.b = at(fc->w, l, j->element);
  p.c = at(j->result, i * fc->in + l, j->element);
  multiply(j, &p);
}

void cb_fc_backward_data(const cb_fc *fc, void *dx)
{
  job j = make_job(fc, dx);
  j.vectors = fc->n <= j.engine->rows[3] ? 3 : 2;
  int64_t lanes = j.vectors * j.engine->lanes;
  j.width = task_length(fc->in, lanes, (double)cb_min(fc->n, IMAGES) * (double)fc->out * (double)lanes,
                        (int64_t)SHARES * fc->threads);
  j.across = cb_ceil_div(fc->in, j.width);
  cb_parallel_for(fc->threads, cb_ceil_div(fc->n, IMAGES) * j.across, data_task, &j);
}

static void weights_task(void *context, int64_t task, int worker)
{
  (void)worker;
  const job *j = context;
  const cb_fc *fc = j->fc;
  int64_t o = task / j->across * j->height, l = task % j->across * j->width;
  product p = {.a_row = 1, .a_step = fc->out, .steps = fc->n};
  p.rows = cb_min(j->height, fc->out - o);
  p.columns = cb_min(j->width, fc->in - l);
  p.a = at(fc->dy, o, j->element);
  p.b = at(fc->x, l, j->element);
  p.c = at(j->result, o * fc->in + l, j->element);
  multiply(j, &p);
}

void cb_fc_backward_weights(const cb_fc *fc, void *dw)
{
  const cb_pace *pace = &cb_parameters_get()->pace;
  job j = make_job(fc, dw);
  double bytes = (double)fc->in * (double)fc->out * (double)j.element;
  j.vectors = bytes < (double)pace->asked_bytes ? 2 : 3;
  j.past = bytes >= (double)pace->past_bytes && fc->in % j.engine->lanes == 0 && (uintptr_t)dw % CB_ALIGN == 0;
  int64_t lanes = j.vectors * j.engine->lanes, rows = j.engine->rows[j.vectors];
  double work = (double)fc->n * (double)lanes * (double)rows;
  int64_t down = cb_max(LEAST_DOWN, (int64_t)SHARES * fc->threads / ACROSS);
  j.width = task_length(fc->in, lanes, work, ACROSS);
  j.height = cb_min(task_length(fc->out, rows, work * (double)cb_ceil_div(j.width, lanes), down), MOST_ROWS);
  j.across = cb_ceil_div(fc->in, j.width);
  cb_parallel_for(fc->threads, cb_ceil_div(fc->out, j.height) * j.across, weights_task, &j);
}
