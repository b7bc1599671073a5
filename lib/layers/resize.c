/*
 * Resizing, forward and backward. Each axis has a table of the inputs that an output is made of, and of the outputs that an input went
 * to. Axes before the last are joined first, rows of the image at a time; a task is some rows of the written array.
 */
#include "base/arguments.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/size.h"
#include "gemm/dispatch.h"
#include "layers/loops.h"
#include "layers/resize_loops.h"
#include "layers/teams.h"
#include <cnnblas/resize.h>
#include <string.h>

CB_LEVEL_TABLES(cb_resize_loops, loops);

enum { AXES = 3, LAST = 2 };

/* One axis. Output o is made of inputs low[o] and high[o] = low[o] + 1, the latter by share[o], or of low[o] = high[o] alone where
   share[o] is 0. Input i went to outputs first[i], ..., end[i] - 1. */
typedef struct {
  int64_t in, out;
  int32_t *low, *high, *first, *end;
  double *share;
} axis;

typedef struct {
  const cb_resize_loops *loops;
  axis axes[AXES];
  cb_resize_row row;
  cb_resize_case special;
  size_t element;
  int64_t rows_of_task, rows;
  bool back;
  const char *from;
  char *to, *lines; /* what is written; and a line of memory for each worker */
  size_t line_bytes;
} job;

void cnnblas_resize_desc_init(cnnblas_resize_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

/* ---- the tables ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
  return a / b - (a % b < 0);
}

/* Output o's place is *above / *below. */
static void place(const cnnblas_resize_desc *d, const axis *a, int64_t o, int64_t *above, int64_t *below)
{
  *above = o * a->in, *below = a->out;
  if (d->coordinates == CNNBLAS_RESIZE_HALF_PIXEL) *above = (2 * o + 1) * a->in - a->out, *below = 2 * a->out;
  if (d->coordinates == CNNBLAS_RESIZE_ALIGN_CORNERS) *above = o * (a->in - 1), *below = cb_max(1, a->out - 1);
}

static int64_t nearest(cnnblas_resize_rounding rounding, int64_t above, int64_t below)
{
  switch (rounding) {
  case CNNBLAS_RESIZE_FLOOR:
    return floor_div(above, below);
  case CNNBLAS_RESIZE_CEIL:
    return -floor_div(-above, below);
  case CNNBLAS_RESIZE_PREFER_FLOOR:
    return -floor_div(below - 2 * above, 2 * below);
  default:
    return floor_div(2 * above + below, 2 * below);
  }
}

static void fill_axis(const cnnblas_resize_desc *d, axis *a)
{
  for (int64_t o = 0; o < a->out; o++) {
    int64_t above, below, low;
    place(d, a, o, &above, &below);
    above = cb_max(0, cb_min(above, (a->in - 1) * below));
    low = d->kind == CNNBLAS_RESIZE_NEAREST ? nearest(d->rounding, above, below) : above / below;
    a->low[o] = (int32_t)low;
    a->share[o] = d->kind == CNNBLAS_RESIZE_NEAREST ? 0 : (double)(above - low * below) / (double)below;
    a->high[o] = (int32_t)(low + (a->share[o] != 0));
  }
  int64_t first = 0, end = 0;
  for (int64_t i = 0; i < a->in; i++) {
    while (first < a->out && a->high[first] < i) first++;
    while (end < a->out && a->low[end] <= i) end++;
    a->first[i] = (int32_t)first;
    a->end[i] = (int32_t)cb_max(first, end);
  }
}

/* What output o takes of input i, which is one of its two. */
static double weight_of(const axis *a, int64_t o, int64_t i)
{
  return a->low[o] == i ? 1 - a->share[o] : a->share[o];
}

/* ---- rows ---- */

/* Rows of an array, their weights, and where their sum belongs. */
typedef struct {
  const job *j;
  int64_t width;
  int count;
  bool add; /* some have been summed already */
  const void *from[CB_RESIZE_ROWS];
  double weight[CB_RESIZE_ROWS];
  char *line;
} sum;

static void join(sum *s)
{
  if (s->count == 0) return;
  s->j->loops->join(s->width, s->count, s->from, s->weight, s->add, s->line);
  s->add = true;
  s->count = 0;
}

static void add_row(sum *s, int64_t row, double weight)
{
  if (s->count == CB_RESIZE_ROWS) join(s);
  s->from[s->count] = s->j->from + (size_t)(row * s->width) * s->j->element;
  s->weight[s->count++] = weight;
}

/* The sum: a row as it lies where it is alone with weight 1, NULL if there is none. */
static const void *close_sum(sum *s)
{
  if (!s->add && s->count == 1 && s->weight[0] == 1) return s->from[0];
  join(s);
  return s->add ? s->line : NULL;
}

/* The next row of planes that have `depth` times `height` rows. */
static inline void next_row(int64_t *plane, int64_t *d, int64_t *h, int64_t depth, int64_t height)
{
  if (++*h < height) return;
  *h = 0;
  if (++*d < depth) return;
  *d = 0;
  ++*plane;
}

static void forward_rows(void *context, int64_t task, int worker)
{
  const job *j = context;
  const axis *a = j->axes;
  const int64_t begin = task * j->rows_of_task, end = cb_min(begin + j->rows_of_task, j->rows);
  int64_t plane = begin / (a[0].out * a[1].out), od = begin / a[1].out % a[0].out, oh = begin % a[1].out;
  for (int64_t r = begin; r < end; r++, next_row(&plane, &od, &oh, a[0].out, a[1].out)) {
    sum s = {.j = j, .width = j->row.in, .line = j->lines + (size_t)worker * j->line_bytes};
    for (int64_t d = a[0].low[od]; d <= a[0].high[od]; d++)
      for (int64_t h = a[1].low[oh]; h <= a[1].high[oh]; h++)
        add_row(&s, (plane * a[0].in + d) * a[1].in + h, weight_of(&a[0], od, d) * weight_of(&a[1], oh, h));
    j->loops->forward(&j->row, close_sum(&s), j->to + (size_t)(r * j->row.out) * j->element);
  }
}

static void backward_rows(void *context, int64_t task, int worker)
{
  const job *j = context;
  const axis *a = j->axes;
  const int64_t begin = task * j->rows_of_task, end = cb_min(begin + j->rows_of_task, j->rows);
  int64_t plane = begin / (a[0].in * a[1].in), d = begin / a[1].in % a[0].in, h = begin % a[1].in;
  for (int64_t r = begin; r < end; r++, next_row(&plane, &d, &h, a[0].in, a[1].in)) {
    char *dx = j->to + (size_t)(r * j->row.in) * j->element;
    sum s = {.j = j, .width = j->row.out, .line = j->lines + (size_t)worker * j->line_bytes};
    for (int64_t od = a[0].first[d]; od < a[0].end[d]; od++)
      for (int64_t oh = a[1].first[h]; oh < a[1].end[h]; oh++)
        add_row(&s, (plane * a[0].out + od) * a[1].out + oh, weight_of(&a[0], od, d) * weight_of(&a[1], oh, h));
    const void *row = close_sum(&s);
    if (row)
      j->loops->backward(&j->row, row, dx);
    else
      memset(dx, 0, (size_t)j->row.in * j->element);
  }
}

/* Rows of planes with a case of their own, in either direction. */
static void twice_rows(void *context, int64_t task, int worker)
{
  const job *j = context;
  const int64_t begin = task * j->rows_of_task, end = cb_min(begin + j->rows_of_task, j->rows);
  (void)worker;
  (j->back ? j->loops->twice_back : j->loops->twice)(j->special, j->axes[1].in, j->row.in, begin, end, j->from, j->to);
}

/* ---- a call ---- */

static cnnblas_status check(const cnnblas_resize_desc *d, int64_t n)
{
  if (!d) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_dtype(d->dtype);
  if (!status) status = cb_check_threads(d->threads);
  if (!status) status = cb_check_reserved(d->reserved, sizeof d->reserved);
  if (!status) status = cb_check_size("desc.n", d->n, 0);
  if (!status) status = cb_check_size("c", d->c, 1);
  if (!status) status = cb_check_batch(n, d->n);
  if (status) return status;
  if (d->kind != CNNBLAS_RESIZE_NEAREST && d->kind != CNNBLAS_RESIZE_LINEAR)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "kind is %d; it must be nearest (0) or linear (1)", (int)d->kind);
  if ((int)d->coordinates < 0 || d->coordinates > CNNBLAS_RESIZE_ASYMMETRIC)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "coordinates is %d; it must be 0 to 2", (int)d->coordinates);
  if ((int)d->rounding < 0 || d->rounding > (d->kind == CNNBLAS_RESIZE_NEAREST ? CNNBLAS_RESIZE_CEIL : 0))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "rounding is %d; it must be 0 to 3, and 0 for linear", (int)d->rounding);
  if (d->rank < 0 || d->rank > AXES)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "rank is %d; it must be 1 to 3, or 0 for 2", (int)d->rank);
  return CNNBLAS_OK;
}

/* Fills in the axes, the last at the end. *x, *y: the elements of a batch of desc->n. */
static cnnblas_status set_axes(const cnnblas_resize_desc *d, axis axes[AXES], int64_t *x, int64_t *y)
{
  int rank = d->rank ? d->rank : 2;
  int64_t bytes;
  bool fits = cb_mul(d->n, d->c, x);
  *y = *x;
  for (int i = 0; i < AXES; i++) {
    if (i >= rank && (d->size[i] || d->output[i]))
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, "axis %d has a size, but the rank is %d", i, rank);
    axes[i] = (axis){.in = 1, .out = 1};
  }
  for (int i = 0; i < rank; i++) {
    cnnblas_status status = cb_check_size("size[]", d->size[i], 1);
    if (!status) status = cb_check_size("output[]", d->output[i], 1);
    if (status) return status;
    if (cb_max(d->size[i], d->output[i]) > 1 << 30)
      return cb_fail(CNNBLAS_UNSUPPORTED, "axis %d has %lld elements; resizing takes at most 2^30", i,
                     (long long)cb_max(d->size[i], d->output[i]));
    axes[AXES - rank + i].in = d->size[i];
    axes[AXES - rank + i].out = d->output[i];
    fits = fits && cb_mul(*x, d->size[i], x) && cb_mul(*y, d->output[i], y);
  }
  if (!fits || !cb_mul(cb_max(*x, *y), 8, &bytes))
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "the arrays' bytes do not fit in 63 bits");
  return CNNBLAS_OK;
}

/* Bytes of the axes' tables and of the last axis's shares in the arrays' type. */
static size_t table_bytes(const job *j)
{
  size_t bytes = cb_aligned_size((size_t)j->row.out * j->element);
  for (int i = 0; i < AXES; i++)
    bytes += cb_aligned_size((size_t)j->axes[i].out * 8) + 2 * cb_aligned_size((size_t)j->axes[i].out * 4) +
             2 * cb_aligned_size((size_t)j->axes[i].in * 4);
  return bytes;
}

static void *part(char **memory, int64_t count, size_t bytes)
{
  char *found = *memory;
  *memory += cb_aligned_size((size_t)count * bytes);
  return found;
}

/* Which case of its own the layer has; its tables are filled in. */
static cb_resize_case special_of(const cnnblas_resize_desc *d, const axis *axes)
{
  if (axes[0].in != 1 || axes[0].out != 1 || d->coordinates == CNNBLAS_RESIZE_ALIGN_CORNERS) return CB_RESIZE_ANY;
  if (d->kind == CNNBLAS_RESIZE_LINEAR && d->coordinates != CNNBLAS_RESIZE_HALF_PIXEL) return CB_RESIZE_ANY;
  for (const axis *a = axes + 1; a < axes + AXES; a++) {
    if (a->out != 2 * a->in) return CB_RESIZE_ANY;
    for (int64_t o = 0; o < a->out && d->kind == CNNBLAS_RESIZE_NEAREST; o++)
      if (a->low[o] != o / 2) return CB_RESIZE_ANY;
  }
  return d->kind == CNNBLAS_RESIZE_LINEAR ? CB_RESIZE_LINEAR_TWICE : CB_RESIZE_NEAREST_TWICE;
}

/* Fills in the tables, which begin at memory; returns where the lines begin. */
static char *set_tables(job *j, const cnnblas_resize_desc *d, char *memory)
{
  for (int i = 0; i < AXES; i++) {
    axis *a = &j->axes[i];
    a->share = part(&memory, a->out, 8);
    a->low = part(&memory, a->out, 4);
    a->high = part(&memory, a->out, 4);
    a->first = part(&memory, a->in, 4);
    a->end = part(&memory, a->in, 4);
    fill_axis(d, a);
  }
  const axis *last = &j->axes[LAST];
  void *share = part(&memory, last->out, j->element);
  for (int64_t o = 0; o < last->out; o++)
    if (d->dtype == CNNBLAS_F64)
      ((double *)share)[o] = last->share[o];
    else
      ((float *)share)[o] = (float)last->share[o];
  j->row.low = last->low;
  j->row.high = last->high;
  j->row.share = d->kind == CNNBLAS_RESIZE_LINEAR ? share : NULL;
  j->special = special_of(d, j->axes);
  return memory;
}

/* x is read and y written, or backward the other way about. */
static cnnblas_status run(const cnnblas_resize_desc *d, int64_t n, const void *from, void *to, bool back)
{
  job j = {.back = back};
  int64_t x = 0, y = 0;
  cnnblas_status status = check(d, n);
  if (!status) status = set_axes(d, j.axes, &x, &y);
  if (status) return status;
  const axis *a = j.axes;
  const int64_t planes = n * d->c, in = a[0].in * a[1].in * a[2].in, out = a[0].out * a[1].out * a[2].out;
  j.element = cb_element_size(d->dtype);
  cb_array arrays[] = {{back ? "dx" : "y", to, planes * (back ? in : out), j.element, false},
                       {back ? "dy" : "x", from, planes * (back ? out : in), j.element, false}};
  status = cb_check_arrays(arrays, 2, 1);
  if (status || n == 0) return status;
  j.loops = CB_LEVEL_CHOICE(loops, d->dtype);
  j.row = (cb_resize_row){.in = a[LAST].in, .out = a[LAST].out};
  j.from = from;
  j.to = to;
  j.rows = planes * (back ? in / a[LAST].in : out / a[LAST].out);
  j.rows_of_task = cb_ceil_div(CB_CHUNK, cb_max(a[LAST].in, a[LAST].out));
  double bytes = (double)planes * (double)(in + 2 * out) * (double)j.element;
  int threads = cb_layer_threads(d->threads, bytes * CB_BYTE_NANOSECONDS);
  threads = (int)cb_min(threads, cb_ceil_div(j.rows, j.rows_of_task));
  j.line_bytes = cb_aligned_size((size_t)(back ? a[LAST].out : a[LAST].in) * j.element);
  const size_t bytes_needed = table_bytes(&j) + (size_t)threads * j.line_bytes;
  char *memory = cb_alloc(bytes_needed);
  if (!memory) return cb_fail_memory(bytes_needed, "the tables of a resized image");
  j.lines = set_tables(&j, d, memory);
  cb_parallel_for(threads, cb_ceil_div(j.rows, j.rows_of_task),
                  j.special != CB_RESIZE_ANY ? twice_rows
                  : back                     ? backward_rows
                                             : forward_rows,
                  &j);
  cb_free(memory);
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_resize_forward(const cnnblas_resize_desc *desc, int64_t n, const void *x, void *y)
{
  return run(desc, n, x, y, false);
}

cnnblas_status cnnblas_resize_backward(const cnnblas_resize_desc *desc, int64_t n, const void *dy, void *dx)
{
  return run(desc, n, dy, dx, true);
}
