/*
 * The definition for one type: included by oracle.c with REAL, WIDE and NAME(x) defined.
 *
 * One loop serves all directions: it visits every pair of output pixel and tap that meet inside the input, and adds the
 * product of two of {x, w, y} to the place of the third.
 */

static void NAME(visit)(const problem *p, cnnblas_conv_direction direction, const meeting *m, const REAL *x,
                        const REAL *w, const REAL *y, WIDE *sum, double *magnitude)
{
  for (int64_t ik = 0; ik < p->k; ik++) {
    int64_t at_x = ik / p->kg * p->cg * p->image + m->x, at_w = ik * p->cg * p->filter + m->w,
            at_y = ik * p->pixels + m->y;
    for (int64_t cc = 0; cc < p->cg; cc++, at_x += p->image, at_w += p->filter) {
      WIDE a = direction == CNNBLAS_BACKWARD_DATA ? y[at_y] : x[at_x];
      WIDE b = direction == CNNBLAS_BACKWARD_WEIGHTS ? y[at_y] : w[at_w];
      int64_t to = direction == CNNBLAS_FORWARD ? at_y : direction == CNNBLAS_BACKWARD_DATA ? at_x : at_w;
      sum[to] += a * b;
      magnitude[to] += fabs((double)(a * b));
    }
  }
}

static void NAME(run)(oracle *o, WIDE *sum, const problem *p, cnnblas_conv_direction direction, int64_t n,
                      const REAL *x, const REAL *w, const REAL *y)
{
  int64_t image_out = direction == CNNBLAS_FORWARD ? p->k * p->pixels : p->c * p->image;
  if (direction == CNNBLAS_BACKWARD_WEIGHTS) image_out = 0; /* every image adds to the same dw */
  for (int64_t in = 0; in < n; in++)
    for (int64_t pixel = 0; pixel < p->pixels; pixel++)
      for (int64_t tap = 0; tap < p->filter; tap++) {
        meeting m;
        if (!meet(p, pixel, tap, &m)) continue;
        NAME(visit)
        (p, direction, &m, x ? x + in * p->c * p->image : NULL, w, y ? y + in * p->k * p->pixels : NULL,
         sum + in * image_out, o->magnitude + in * image_out);
      }
}

#undef REAL
#undef WIDE
#undef NAME
