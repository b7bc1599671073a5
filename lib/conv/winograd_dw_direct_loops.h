/* The loops of winograd_dw_direct.c for one type: included with REAL and NAME(x) defined. */

/* Sum of dy * x over the images and the outputs whose tap (r, s) lies inside x. */
static double NAME(sum)(const cb_call *call, int64_t group, int64_t k, int64_t c, int64_t r, int64_t s)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_axis *h = &geo->axis[1], *w = &geo->axis[2];
  const int64_t down = h->base + r * h->step, along = w->base + s * w->step;
  double sum = 0;
  for (int64_t in = 0; in < call->n; in++) {
    const REAL *x = (const REAL *)call->x + (in * geo->c + group * geo->cg + c) * geo->image;
    const REAL *dy = (const REAL *)call->dy + (in * geo->k + group * geo->kg + k) * geo->p;
    for (int64_t i = cb_max(0, -down); i < cb_min(h->out, h->in - down); i++)
      for (int64_t j = cb_max(0, -along); j < cb_min(w->out, w->in - along); j++)
        sum += (double)dy[i * w->out + j] * (double)x[(i + down) * w->in + j + along];
  }
  return sum;
}

#undef REAL
#undef NAME
