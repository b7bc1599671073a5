/*
 * The gradients of a fully connected layer. Neither product rearranges its operands as a whole, and an element's sum depends
 * on the layer alone, as in fc_forward.c.
 *
 *   input      dx = dy w     the lanes are inputs, the rows images, a step is an output
 *   weights    dw = dy^T x   the lanes are inputs, the rows outputs, a step is an image
 */
#include "base/memory.h"
#include "base/parameters.h"
#include "layers/fc_job.h"

enum {
  STEPS = 64,      /* the terms summed in registers between two additions to the result */
  MOST_ROWS = 64,  /* the most rows of a task: images, or outputs */
  SHARES = 8,      /* tasks a thread, unless they become smaller than LEAST_WORK or larger than TILES */
  ACROSS = 8,      /* tasks of the weight gradient side by side */
  LEAST_DOWN = 16, /* the fewest tasks of the weight gradient below each other, where threads are few */
  CLASH =
      1024, /* lines whose distance is a multiple of so many bytes share a few places of the first cache: they clash */
  FEW_TILES = 3, /* fewer tiles of rows than this read lanes that clash from where they lie, without a copy */
  LINE = 64
};

/* c[r * ldc + l] = sum over s < steps of a[r * a_row + s * a_step] * b[s][l]; rows of b are `in` elements apart. */
typedef struct {
  const void *a, *b;
  void *c;
  int64_t ldc, a_row, a_step, rows, columns, steps;
  bool past; /* c may be stored past the caches */
} product;

/*
 * A task's own room. Steps or rows whose distance is a multiple of CLASH bytes lie on top of each other in the first cache;
 * if several tiles meet them, their share is moved here first. Lanes that are fewer than a vector are filled up here.
 */
typedef struct {
  double a[MOST_ROWS * STEPS];        /* [row][step] */
  double b[STEPS * CB_MAX_LANES / 2]; /* [step][lane]; CB_MAX_LANES counts floats, twice as many as doubles */
  double c[CB_MAX_ROWS * CB_MAX_LANES / CB_MAX_VECTORS]; /* [row][lane] */
  int32_t row[CB_MAX_ROWS], walk[STEPS], lanes[STEPS];
} room;

_Static_assert(STEPS == MOST_ROWS && IMAGES <= (int)MOST_ROWS, "rows are moved in runs of either");

static bool clashes(const cb_fc_job *j, int64_t distance)
{
  return distance * (int64_t)j->element % CLASH == 0;
}

/* All rows of `steps` steps, as they lie side by side: step after step or row after row. */
static void move_rows(const cb_fc_job *j, const product *p, cb_product *t, int64_t steps, room *own)
{
  bool by_rows = p->a_step == 1;
  int64_t pieces = by_rows ? p->rows : steps, distance = by_rows ? p->a_row : p->a_step;
  size_t bytes = (size_t)(by_rows ? steps : p->rows) * j->element;
  for (int i = 0; i < CB_MAX_ROWS; i++) own->row[i] = by_rows ? i * STEPS : i;
  for (int s = 0; s < STEPS; s++) own->walk[s] = by_rows ? s : s * STEPS;
  for (int64_t i = 0; i < pieces; i++)
    memcpy(cb_fc_at(own->a, i * STEPS, j->element), cb_fc_at(t->a, i * distance, j->element), bytes);
  t->a = own->a;
  t->row = own->row;
  t->a_hop = by_rows ? STEPS : 1;
  t->walk.a = own->walk;
}

/* `count` lanes of `steps` steps, `width` apart; what lies behind them is asked for. */
static void move_lanes(const cb_fc_job *j, cb_product *t, int64_t steps, int64_t count, int64_t width, room *own)
{
  for (int64_t s = 0; s < steps; s++) {
    own->lanes[s] = (int32_t)(s * width);
    const char *from = cb_fc_at(t->b, t->walk.b[s], j->element);
    memcpy(cb_fc_at(own->b, s * width, j->element), from, (size_t)count * j->element);
    for (int64_t line = 0; line < count * (int64_t)j->element; line += LINE)
      __builtin_prefetch(from + count * (int64_t)j->element + line);
    memset(cb_fc_at(own->b, s * width + count, j->element), 0, (size_t)(width - count) * j->element);
  }
  t->b = own->b;
  t->walk.b = own->lanes;
}

/* The product of all rows with a few whole vectors of lanes. */
static void multiply_vectors(const cb_fc_job *j, cb_product *t, room *own)
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

/* The product of all rows with the last `count` lanes, which are fewer than a vector. */
static void multiply_rest(const cb_fc_job *j, cb_product t, int64_t count, room *own)
{
  const cb_store store = {

      .count = count, .out = t.c, .row_step = t.ldc, .lane_step = 1, .bias_rows = true, .add = t.add};
  move_lanes(j, &t, t.walk.cut[1], count, j->engine->lanes, own);
  t.vectors = 1;
  t.c = own->c;
  t.ldc = j->engine->lanes;
  t.store = &store;
  t.add = t.past = false;
  cb_product_run(&t);
}

/* Steps [s, s + cut[1]) of all rows and lanes. */
static void multiply_chunk(const cb_fc_job *j, const product *p, int64_t s, cb_product *t, room *own)
{
  const int64_t lanes = j->engine->lanes, whole = p->columns / lanes * lanes;
  if (clashes(j, j->fc->out) && p->columns > j->vectors * lanes) move_rows(j, p, t, t->walk.cut[1], own);
  for (int64_t l = 0; l < p->columns; l += j->vectors * lanes) {
    t->vectors = (int)cb_min(j->vectors, (whole - l) / lanes);
    t->b = cb_fc_at(p->b, s * j->fc->in + l, j->element);
    t->c = cb_fc_at(p->c, l, j->element);
    if (t->vectors) multiply_vectors(j, t, own);
  }
  if (whole == p->columns) return;
  t->b = cb_fc_at(p->b, s * j->fc->in + whole, j->element);
  t->c = cb_fc_at(p->c, whole, j->element);
  multiply_rest(j, *t, p->columns - whole, own);
}

/* The chunks of steps come outermost: the share of b that they meet stays near while all rows pass it. Offsets have 32
   bits: arrays whose rows are longer go row by row, step by step. */
static void multiply_chain(const cb_fc_job *j, const product *p, room *own)
{
  int64_t in = j->fc->in, reach = INT32_MAX / cb_max(in, j->fc->out);
  int64_t steps = cb_max(1, cb_min(cb_min(STEPS, p->steps), reach));
  int64_t rows = reach < CB_MAX_ROWS ? cb_max(1, reach) : p->rows;
  int32_t row[CB_MAX_ROWS], awalk[STEPS], bwalk[STEPS], cut[2] = {0};
  for (int i = 0; i < CB_MAX_ROWS; i++) row[i] = (int32_t)(i < rows ? i * p->a_row : 0);
  for (int s = 0; s < steps; s++) {
    awalk[s] = (int32_t)(s * p->a_step);
    bwalk[s] = (int32_t)(s * in);
  }
  for (int64_t s = 0; s < p->steps; s += steps)
    for (int64_t r = 0; r < p->rows; r += rows) {
      product part = {.a_row = p->a_row, .a_step = p->a_step, .b = p->b, .columns = p->columns};
      part.rows = cb_min(rows, p->rows - r);
      part.c = cb_fc_at(p->c, r * p->ldc, j->element);
      cut[1] = (int32_t)cb_min(steps, p->steps - s);
      cb_product t = {.engine = j->engine,
                      .element = j->element,
                      .a = cb_fc_at(p->a, r * p->a_row + s * p->a_step, j->element),
                      .row = row,
                      .a_hop = p->a_row,
                      .walk = {awalk, bwalk, cut, 1},
                      .rows = part.rows,
                      .ldc = p->ldc,
                      .add = s > 0,
                      .past = p->past && steps == p->steps,
                      .ahead = j->vectors * j->engine->lanes};
      multiply_chunk(j, &part, s, &t, own);
    }
}

/* The product of a sum of any length, of at most CB_MAX_ROWS rows and one tile's lanes if it is cut. */
static void multiply_parts(const cb_fc_job *j, const product *p, room *own)
{
  if (p->steps <= CHAIN * STEPS) {
    multiply_chain(j, p, own);
    return;
  }
  double sums[CB_MAX_ROWS * CB_MAX_LANES / 2];
  product apart = *p;
  int64_t part = cb_fc_part(p->steps, CHAIN * STEPS);
  apart.steps = part;
  multiply_parts(j, &apart, own);
  apart.c = sums;
  apart.ldc = p->columns;
  for (int64_t s = part; s < p->steps; s += part) {
    apart.a = cb_fc_at(p->a, s * p->a_step, j->element);
    apart.b = cb_fc_at(p->b, s * j->fc->in, j->element);
    apart.steps = cb_min(part, p->steps - s);
    multiply_parts(j, &apart, own);
    cb_fc_add_block(j, p->rows, p->columns, sums, apart.ldc, p->c, p->ldc);
  }
}

static void multiply(const cb_fc_job *j, const product *p)
{
  room own;
  bool cut = p->steps > CHAIN * STEPS;
  int64_t rows = cut ? CB_MAX_ROWS : p->rows, columns = cut ? j->vectors * j->engine->lanes : p->columns;
  for (int64_t r = 0; r < p->rows; r += rows)
    for (int64_t l = 0; l < p->columns; l += columns) {
      product some = *p;
      some.rows = cb_min(rows, p->rows - r);
      some.columns = cb_min(columns, p->columns - l);
      some.a = cb_fc_at(p->a, r * p->a_row, j->element);
      some.b = cb_fc_at(p->b, l, j->element);
      some.c = cb_fc_at(p->c, r * p->ldc + l, j->element);
      some.past = j->past && !cut;
      multiply_parts(j, &some, &own);
    }
  if (j->past) __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void data_task(void *context, int64_t task, int worker)
{
  (void)worker;
  const cb_fc_job *j = context;
  const cb_fc *fc = j->fc;
  int64_t i = task / j->across * IMAGES, l = task % j->across * j->width;
  product p = {.ldc = fc->in, .a_row = fc->out, .a_step = 1, .steps = fc->out};
  p.rows = cb_min(IMAGES, fc->n - i);
  p.columns = cb_min(j->width, fc->in - l);
  p.a = cb_fc_at(fc->dy, i * fc->out, j->element);
  p.b = cb_fc_at(fc->w, l, j->element);
  p.c = cb_fc_at(j->result, i * fc->in + l, j->element);
  multiply(j, &p);
}

void cb_fc_backward_data(const cb_fc *fc, void *dx)
{
  cb_fc_job j = cb_fc_make_job(fc, dx);
  j.vectors = fc->n <= j.engine->rows[3] ? 3 : 2;
  int64_t lanes = j.vectors * j.engine->lanes;
  j.width = cb_fc_task_length(fc->in, lanes, (double)cb_min(fc->n, IMAGES) * (double)fc->out * (double)lanes,
                              (int64_t)SHARES * fc->threads);
  j.across = cb_ceil_div(fc->in, j.width);
  cb_parallel_for(fc->threads, cb_ceil_div(fc->n, IMAGES) * j.across, data_task, &j);
}

static void weights_task(void *context, int64_t task, int worker)
{
  (void)worker;
  const cb_fc_job *j = context;
  const cb_fc *fc = j->fc;
  int64_t o = task / j->across * j->height, l = task % j->across * j->width;
  product p = {.ldc = fc->in, .a_row = 1, .a_step = fc->out, .steps = fc->n};
  p.rows = cb_min(j->height, fc->out - o);
  p.columns = cb_min(j->width, fc->in - l);
  p.a = cb_fc_at(fc->dy, o, j->element);
  p.b = cb_fc_at(fc->x, l, j->element);
  p.c = cb_fc_at(j->result, o * fc->in + l, j->element);
  multiply(j, &p);
}

void cb_fc_backward_weights(const cb_fc *fc, void *dw)
{
  const cb_pace *pace = &cb_parameters_get()->pace;
  cb_fc_job j = cb_fc_make_job(fc, dw);
  double bytes = (double)fc->in * (double)fc->out * (double)j.element;
  j.vectors = bytes < (double)pace->asked_bytes ? 2 : 3;
  j.past = bytes >= (double)pace->past_bytes && fc->in % j.engine->lanes == 0 && (uintptr_t)dw % CB_ALIGN == 0;
  int64_t lanes = j.vectors * j.engine->lanes, rows = j.engine->rows[j.vectors];
  double work = (double)fc->n * (double)lanes * (double)rows;
  int64_t down = cb_max(LEAST_DOWN, (int64_t)SHARES * fc->threads / ACROSS);
  j.width = cb_fc_task_length(fc->in, lanes, work, ACROSS);
  j.height = cb_min(cb_fc_task_length(fc->out, rows, work * (double)cb_ceil_div(j.width, lanes), down), MOST_ROWS);
  j.across = cb_ceil_div(fc->in, j.width);
  cb_parallel_for(fc->threads, cb_ceil_div(fc->out, j.height) * j.across, weights_task, &j);
}
