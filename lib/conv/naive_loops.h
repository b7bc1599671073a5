/*
 * The naive loops for one type: included by naive.c with REAL and NAME(x) defined. The textbook's seven loops (nine
 * with depth), n k oh ow c r s, every sum in REAL. A window's taps that fall outside the image are left out by the
 * bounds of the tap loops, not by a test inside them.
 */

/* Sum of x[ic][o * stride + the tap's offset] * w[ic][tap] over one window; x and w point to their group's first
   channel. */
static REAL NAME(window_sum)(const cb_geometry *geo, const hops *hop, const window *win, const REAL *x, const REAL *w)
{
  REAL sum = 0;
  x += win->plane;
  w += win->filter;
  for (int64_t ic = 0; ic < geo->cg; ic++, x += geo->image, w += geo->taps)
    for (int64_t td = 0; td < win->taps[0]; td++)
      for (int64_t tr = 0; tr < win->taps[1]; tr++)
        for (int64_t ts = 0; ts < win->taps[2]; ts++)
          sum += x[td * hop->plane[0] + tr * hop->plane[1] + ts * hop->plane[2]] *
                 w[td * hop->filter[0] + tr * hop->filter[1] + ts];
  return sum;
}

static void NAME(forward)(const cb_call *call)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const hops hop = hops_of(geo);
  const REAL *bias = call->bias, *residual = call->residual, *bounds = call->bounds;
  for (int64_t in = 0, at = 0; in < call->n; in++)
    for (int64_t ik = 0; ik < geo->k; ik++) {
      const REAL *x = (const REAL *)call->x + (in * geo->c + ik / geo->kg * geo->cg) * geo->image;
      for (int64_t p = 0; p < geo->p; p++, at++) {
        window win = window_at(geo, p);
        REAL sum = NAME(window_sum)(geo, &hop, &win, x, (const REAL *)call->w + ik * geo->q),
             *y = (REAL *)call->out + at;
        if (call->accumulate) sum = *y + sum;
        if (bias) sum += bias[ik];
        if (residual) sum += residual[at];
        if (bounds) sum = sum < bounds[0] ? bounds[0] : sum > bounds[1] ? bounds[1] : sum;
        *y = sum;
      }
    }
}

/* dx[ic][...] += g * w[ic][tap] over one window. */
static void NAME(window_data)(const cb_geometry *geo, const hops *hop, const window *win, REAL *restrict x,
                              const REAL *w, REAL g)
{
  x += win->plane;
  w += win->filter;
  for (int64_t ic = 0; ic < geo->cg; ic++, x += geo->image, w += geo->taps)
    for (int64_t td = 0; td < win->taps[0]; td++)
      for (int64_t tr = 0; tr < win->taps[1]; tr++)
        for (int64_t ts = 0; ts < win->taps[2]; ts++)
          x[td * hop->plane[0] + tr * hop->plane[1] + ts * hop->plane[2]] +=
              g * w[td * hop->filter[0] + tr * hop->filter[1] + ts];
}

/* dw[ic][tap] += g * x[ic][...] over one window. */
static void NAME(window_weights)(const cb_geometry *geo, const hops *hop, const window *win, const REAL *x,
                                 REAL *restrict w, REAL g)
{
  x += win->plane;
  w += win->filter;
  for (int64_t ic = 0; ic < geo->cg; ic++, x += geo->image, w += geo->taps)
    for (int64_t td = 0; td < win->taps[0]; td++)
      for (int64_t tr = 0; tr < win->taps[1]; tr++)
        for (int64_t ts = 0; ts < win->taps[2]; ts++)
          w[td * hop->filter[0] + tr * hop->filter[1] + ts] +=
              g * x[td * hop->plane[0] + tr * hop->plane[1] + ts * hop->plane[2]];
}

static void NAME(backward)(const cb_call *call)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const hops hop = hops_of(geo);
  const REAL *dy = call->dy;
  const bool data = call->plan->problem.direction == CNNBLAS_BACKWARD_DATA;
  for (int64_t in = 0; in < call->n; in++)
    for (int64_t ik = 0; ik < geo->k; ik++) {
      int64_t plane = (in * geo->c + ik / geo->kg * geo->cg) * geo->image, filter = ik * geo->q;
      for (int64_t p = 0; p < geo->p; p++, dy++) {
        window win = window_at(geo, p);
        if (data)
          NAME(window_data)(geo, &hop, &win, (REAL *)call->out + plane, (const REAL *)call->w + filter, *dy);
        else
          NAME(window_weights)(geo, &hop, &win, (const REAL *)call->x + plane, (REAL *)call->out + filter, *dy);
      }
    }
}

#undef REAL
#undef NAME
