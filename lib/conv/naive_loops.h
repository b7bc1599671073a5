/*
 * The naive loops for one type: included by naive.c with REAL and NAME(x) defined. The textbook's seven loops (nine with
 * depth), n k oh ow c r s, every sum in REAL.
 */

static void NAME(forward)(const cb_call *call)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_axis *a = geo->axis;
  const REAL *bias = call->bias, *residual = call->residual;
  int64_t at = 0;
  for (int64_t in = 0; in < call->n; in++)
    for (int64_t ik = 0; ik < geo->k; ik++) {
      const REAL *x = (const REAL *)call->x + (in * geo->c + ik / geo->kg * geo->cg) * geo->image;
      for (int64_t od = 0; od < a[0].out; od++)
        for (int64_t oh = 0; oh < a[1].out; oh++)
          for (int64_t ow = 0; ow < a[2].out; ow++, at++) {
            const REAL *w = (const REAL *)call->w + ik * geo->q;
            REAL sum = 0;
            for (int64_t ic = 0; ic < geo->cg; ic++)
              for (int64_t td = 0; td < a[0].taps; td++)
                for (int64_t tr = 0; tr < a[1].taps; tr++)
                  for (int64_t ts = 0; ts < a[2].taps; ts++, w++) {
                    int64_t id = od * a[0].stride + a[0].base + td * a[0].step;
                    int64_t ih = oh * a[1].stride + a[1].base + tr * a[1].step;
                    int64_t iw = ow * a[2].stride + a[2].base + ts * a[2].step;
                    if (id < 0 || id >= a[0].in || ih < 0 || ih >= a[1].in || iw < 0 || iw >= a[2].in) continue;
                    sum += x[((ic * a[0].in + id) * a[1].in + ih) * a[2].in + iw] * *w;
                  }
            REAL *y = (REAL *)call->out + at;
            if (call->accumulate) sum = *y + sum;
            if (bias) sum += bias[ik];
            if (residual) sum += residual[at];
            *y = call->activation == CNNBLAS_RELU && sum < 0 ? 0 : sum;
          }
    }
}

/* Both gradients in one walk: each (output pixel, channel, tap) adds dy * w to dx, or dy * x to dw. */
static void NAME(backward)(const cb_call *call)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_axis *a = geo->axis;
  const REAL *dy = call->dy;
  const bool data = call->plan->problem.direction == CNNBLAS_BACKWARD_DATA;
  for (int64_t in = 0; in < call->n; in++)
    for (int64_t ik = 0; ik < geo->k; ik++) {
      int64_t plane = (in * geo->c + ik / geo->kg * geo->cg) * geo->image;
      for (int64_t od = 0; od < a[0].out; od++)
        for (int64_t oh = 0; oh < a[1].out; oh++)
          for (int64_t ow = 0; ow < a[2].out; ow++, dy++) {
            int64_t tap = ik * geo->q;
            for (int64_t ic = 0; ic < geo->cg; ic++)
              for (int64_t td = 0; td < a[0].taps; td++)
                for (int64_t tr = 0; tr < a[1].taps; tr++)
                  for (int64_t ts = 0; ts < a[2].taps; ts++, tap++) {
                    int64_t id = od * a[0].stride + a[0].base + td * a[0].step;
                    int64_t ih = oh * a[1].stride + a[1].base + tr * a[1].step;
                    int64_t iw = ow * a[2].stride + a[2].base + ts * a[2].step;
                    if (id < 0 || id >= a[0].in || ih < 0 || ih >= a[1].in || iw < 0 || iw >= a[2].in) continue;
                    int64_t pixel = plane + ((ic * a[0].in + id) * a[1].in + ih) * a[2].in + iw;
                    if (data)
                      ((REAL *)call->out)[pixel] += *dy * ((const REAL *)call->w)[tap];
                    else
                      ((REAL *)call->out)[tap] += *dy * ((const REAL *)call->x)[pixel];
                  }
          }
    }
}

#undef REAL
#undef NAME
