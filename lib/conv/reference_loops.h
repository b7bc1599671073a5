/*
 * The reference loops for one type: included by reference.c with REAL (the arrays' type), WIDE (the accumulator's) and
 * NAME(x) (the function names) defined. One output element at a time, every sum in WIDE, rounded once at the end.
 */

/* The input position that tap t joins to output position o, or a negative number if it lies outside the input. */
static int64_t NAME(input_of)(const cb_axis *a, int64_t o, int64_t t)
{
  int64_t i = o * a->stride + a->base + t * a->step;
  return i < a->in ? i : -1;
}

/* Sum over the taps and channels of output pixel o of x[ic][i] * w[ic][t]; x and w point to their group's first
   channel. */
static WIDE NAME(forward_sum)(const cb_geometry *geo, const REAL *x, const REAL *w, const int64_t o[3])
{
  const cb_axis *a = geo->axis;
  WIDE sum = 0;
  for (int64_t ic = 0; ic < geo->cg; ic++, x += geo->image, w += geo->taps)
    for (int64_t td = 0; td < a[0].taps; td++) {
      int64_t id = NAME(input_of)(&a[0], o[0], td);
      for (int64_t tr = 0; tr < a[1].taps && id >= 0; tr++) {
        int64_t ih = NAME(input_of)(&a[1], o[1], tr);
        for (int64_t ts = 0; ts < a[2].taps && ih >= 0; ts++) {
          int64_t iw = NAME(input_of)(&a[2], o[2], ts);
          if (iw < 0) continue;
          sum += (WIDE)x[(id * a[1].in + ih) * a[2].in + iw] * (WIDE)w[(td * a[1].taps + tr) * a[2].taps + ts];
        }
      }
    }
  return sum;
}

/* Computes one plane of y: task = image * k + channel. */
static void NAME(forward_plane)(const cb_call *call, int64_t task)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_axis *a = geo->axis;
  int64_t in = task / geo->k, ik = task % geo->k;
  const REAL *x = (const REAL *)call->x + (in * geo->c + ik / geo->kg * geo->cg) * geo->image;
  const REAL *w = (const REAL *)call->w + ik * geo->q;
  const REAL *bias = call->bias, *residual = call->residual, *bounds = call->bounds;
  int64_t at = task * geo->p, o[3];
  for (o[0] = 0; o[0] < a[0].out; o[0]++)
    for (o[1] = 0; o[1] < a[1].out; o[1]++)
      for (o[2] = 0; o[2] < a[2].out; o[2]++, at++) {
        REAL *y = (REAL *)call->out + at;
        WIDE sum = NAME(forward_sum)(geo, x, w, o);
        if (call->accumulate) sum += (WIDE)*y;
        if (bias) sum += (WIDE)bias[ik];
        if (residual) sum += (WIDE)residual[at];
        if (bounds) sum = sum < (WIDE)bounds[0] ? (WIDE)bounds[0] : sum > (WIDE)bounds[1] ? (WIDE)bounds[1] : sum;
        *y = (REAL)sum;
      }
}

/* The output position that tap t joins to input position i, or -1 if there is none. */
static int64_t NAME(output_of)(const cb_axis *a, int64_t i, int64_t t)
{
  int64_t scaled = i - a->base - t * a->step;
  if (scaled < 0 || scaled % a->stride) return -1;
  return scaled / a->stride < a->out ? scaled / a->stride : -1;
}

/* Sum over the filters and taps of input position i of dy[ik][o] * w[ik][ic][t]; dy and w point to their group's first
   filter. */
static WIDE NAME(data_sum)(const cb_geometry *geo, const REAL *dy, const REAL *w, const int64_t i[3])
{
  const cb_axis *a = geo->axis;
  WIDE sum = 0;
  for (int64_t ik = 0; ik < geo->kg; ik++, w += geo->q, dy += geo->p)
    for (int64_t td = 0; td < a[0].taps; td++) {
      int64_t od = NAME(output_of)(&a[0], i[0], td);
      for (int64_t tr = 0; tr < a[1].taps && od >= 0; tr++) {
        int64_t oh = NAME(output_of)(&a[1], i[1], tr);
        for (int64_t ts = 0; ts < a[2].taps && oh >= 0; ts++) {
          int64_t ow = NAME(output_of)(&a[2], i[2], ts);
          if (ow < 0) continue;
          sum += (WIDE)dy[(od * a[1].out + oh) * a[2].out + ow] * (WIDE)w[(td * a[1].taps + tr) * a[2].taps + ts];
        }
      }
    }
  return sum;
}

/* Computes one plane of dx: task = image * c + channel. */
static void NAME(data_plane)(const cb_call *call, int64_t task)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_axis *a = geo->axis;
  int64_t in = task / geo->c, ic = task % geo->c, ig = ic / geo->cg;
  const REAL *dy = (const REAL *)call->dy + (in * geo->k + ig * geo->kg) * geo->p;
  const REAL *w = (const REAL *)call->w + ig * geo->kg * geo->q + ic % geo->cg * geo->taps;
  REAL *dx = (REAL *)call->out + task * geo->image;
  int64_t i[3];
  for (i[0] = 0; i[0] < a[0].in; i[0]++)
    for (i[1] = 0; i[1] < a[1].in; i[1]++)
      for (i[2] = 0; i[2] < a[2].in; i[2]++, dx++) {
        WIDE sum = NAME(data_sum)(geo, dy, w, i);
        *dx = (REAL)(call->accumulate ? (WIDE)*dx + sum : sum);
      }
}

/* Sum over the images and output pixels of one weight of x * dy; tap[] is the weight's place in its filter. */
static WIDE NAME(weight_sum)(const cb_call *call, int64_t ik, int64_t ic, const int64_t tap[3])
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_axis *a = geo->axis;
  WIDE sum = 0;
  for (int64_t in = 0; in < call->n; in++) {
    const REAL *x = (const REAL *)call->x + (in * geo->c + ik / geo->kg * geo->cg + ic) * geo->image;
    const REAL *dy = (const REAL *)call->dy + (in * geo->k + ik) * geo->p;
    for (int64_t od = 0; od < a[0].out; od++) {
      int64_t id = NAME(input_of)(&a[0], od, tap[0]);
      for (int64_t oh = 0; oh < a[1].out && id >= 0; oh++) {
        int64_t ih = NAME(input_of)(&a[1], oh, tap[1]);
        for (int64_t ow = 0; ow < a[2].out && ih >= 0; ow++) {
          int64_t iw = NAME(input_of)(&a[2], ow, tap[2]);
          if (iw < 0) continue;
          sum += (WIDE)x[(id * a[1].in + ih) * a[2].in + iw] * (WIDE)dy[(od * a[1].out + oh) * a[2].out + ow];
        }
      }
    }
  }
  return sum;
}

/* Computes one channel of one filter of dw: task = ik * cg + ic. */
static void NAME(weight_channel)(const cb_call *call, int64_t task)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  REAL *dw = (REAL *)call->out + task * geo->taps;
  for (int64_t t = 0; t < geo->taps; t++) {
    int64_t tap[3];
    cb_tap_coords(geo, t, tap);
    WIDE sum = NAME(weight_sum)(call, task / geo->cg, task % geo->cg, tap);
    dw[t] = (REAL)(call->accumulate ? (WIDE)dw[t] + sum : sum);
  }
}

#undef REAL
#undef WIDE
#undef NAME
