/*
 * The definition for one type: included by oracle.c with REAL, WIDE and NAME(x) defined.
 *
 * Every pair of output pixel and tap that meet inside the input adds the product of two of {x, w, y} to the place of the third. An
 * element's products are added in the order of pixels, then taps, then channels. Copies with the channels last make neighbours of
 * what is added side by side.
 */

/* from[rows][columns], in the wider type and turned: [columns][rows]. */
static WIDE *NAME(turned)(const REAL *from, int64_t rows, int64_t columns)
{
  WIDE *to = malloc((size_t)(rows * columns + 1) * sizeof *to);
  assert_non_null(to);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j];
  return to;
}

/* Sums with the channels last, zeros at first. */
typedef struct {
  WIDE *sum;
  double *magnitude;
} NAME(totals);

static NAME(totals) NAME(open)(int64_t count)
{
  NAME(totals) t = {calloc((size_t)count + 1, sizeof *t.sum), calloc((size_t)count + 1, sizeof *t.magnitude)};
  assert_true(t.sum && t.magnitude);
  return t;
}

/* Puts totals[columns][rows] where they belong, sum[rows][columns]. */
static void NAME(close)(NAME(totals) * t, int64_t rows, int64_t columns, WIDE *sum, double *magnitude)
{
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) {
      sum[i * columns + j] = t->sum[j * rows + i];
      magnitude[i * columns + j] = t->magnitude[j * rows + i];
    }
  free(t->sum);
  free(t->magnitude);
}

static void NAME(add)(const NAME(totals) * t, int64_t at, WIDE a, const WIDE *b, int64_t count)
{
  WIDE *restrict sum = t->sum + at;
  double *restrict magnitude = t->magnitude + at;
  for (int64_t i = 0; i < count; i++) {
    const WIDE product = a * b[i];
    sum[i] += product;
    magnitude[i] += fabs((double)product);
  }
}

/* The products of an output pixel and a tap that meet. x[image][c] and y[pixels][k] are turned, and so is w: in a forward
   [taps][groups][cg][kg], in an input gradient [taps][k][cg], like a weight gradient's totals. */
static void NAME(visit)(const problem *p, cnnblas_conv_direction direction, const meeting *m, const WIDE *x,
                        const WIDE *w, const WIDE *y, const NAME(totals) * t)
{
  const int64_t at_w = m->w * p->k * p->cg;
  if (direction == CNNBLAS_FORWARD) {
    for (int64_t ic = 0; ic < p->c; ic++)
      NAME(add)(t, m->y * p->k + ic / p->cg * p->kg, x[m->x * p->c + ic], w + at_w + ic * p->kg, p->kg);
    return;
  }
  for (int64_t ik = 0; ik < p->k; ik++) {
    const int64_t at_x = m->x * p->c + ik / p->kg * p->cg;
    const WIDE dy = y[m->y * p->k + ik];
    if (direction == CNNBLAS_BACKWARD_DATA)
      NAME(add)(t, at_x, dy, w + at_w + ik * p->cg, p->cg);
    else
      NAME(add)(t, at_w + ik * p->cg, dy, x + at_x, p->cg);
  }
}

/* The weights of visit(). */
static WIDE *NAME(weights)(const problem *p, cnnblas_conv_direction direction, const REAL *w)
{
  WIDE *all = NAME(turned)(w, p->k * p->cg, p->filter);
  if (direction != CNNBLAS_FORWARD) return all;
  WIDE *to = malloc((size_t)(p->w_elements + 1) * sizeof *to);
  assert_non_null(to);
  for (int64_t block = 0; block < p->filter * p->g; block++)
    for (int64_t kk = 0; kk < p->kg; kk++)
      for (int64_t cc = 0; cc < p->cg; cc++)
        to[(block * p->cg + cc) * p->kg + kk] = all[(block * p->kg + kk) * p->cg + cc];
  free(all);
  return to;
}

/* Adds an image's products. */
static void NAME(run_image)(const problem *p, cnnblas_conv_direction direction, const REAL *x, const WIDE *w,
                            const REAL *y, const NAME(totals) * t)
{
  meeting m;
  WIDE *turned_x = direction == CNNBLAS_BACKWARD_DATA ? NULL : NAME(turned)(x, p->c, p->image);
  WIDE *turned_y = direction == CNNBLAS_FORWARD ? NULL : NAME(turned)(y, p->k, p->pixels);
  for (int64_t pixel = 0; pixel < p->pixels; pixel++)
    for (int64_t tap = 0; tap < p->filter; tap++)
      if (meet(p, pixel, tap, &m)) NAME(visit)(p, direction, &m, turned_x, w, turned_y, t);
  free(turned_x);
  free(turned_y);
}

static void NAME(run)(oracle *o, WIDE *sum, const problem *p, cnnblas_conv_direction direction, int64_t n,
                      const REAL *x, const REAL *w, const REAL *y)
{
  const int64_t of_x = p->c * p->image, of_y = p->k * p->pixels;
  if (direction == CNNBLAS_BACKWARD_WEIGHTS) { /* every image adds to the same dw */
    NAME(totals) t = NAME(open)(p->w_elements);
    for (int64_t in = 0; in < n; in++) NAME(run_image)(p, direction, x + in * of_x, NULL, y + in * of_y, &t);
    NAME(close)(&t, p->k * p->cg, p->filter, sum, o->magnitude);
    return;
  }
  const bool forward = direction == CNNBLAS_FORWARD;
  const int64_t channels = forward ? p->k : p->c, pixels = forward ? p->pixels : p->image;
  WIDE *weights = NAME(weights)(p, direction, w);
  for (int64_t in = 0, at = 0; in < n; in++, at += channels * pixels) {
    NAME(totals) t = NAME(open)(channels * pixels);
    NAME(run_image)(p, direction, forward ? x + in * of_x : NULL, weights, forward ? NULL : y + in * of_y, &t);
    NAME(close)(&t, channels, pixels, sum + at, o->magnitude + at);
  }
  free(weights);
}

#undef REAL
#undef WIDE
#undef NAME
