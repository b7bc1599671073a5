/* The loops of peer_loops.c in one type: included with REAL and NAME defined. */

/*
 * out[x] += sum over ky < size, kx < size of rows[ky][x + kx - pad] * w[ky * size + kx], for x in [0, width) and a filter of
 * size x size taps at stride 1; rows have `in` elements, what lies outside them counts as 0. Where size is a constant the compiler
 * unrolls both loops of taps and vectorises the one over x.
 */
static inline __attribute__((always_inline)) void NAME(square)(REAL *restrict out, int64_t width,
                                                               const REAL *const *restrict rows, int64_t in,
                                                               const REAL *restrict w, int64_t pad, int size)
{
  int64_t begin = pad < width ? pad : width, end = in - size + 1 + pad;
  if (end > width) end = width;
  if (end < begin) end = begin;
  for (int64_t x = begin; x < end; x++) {
    REAL sum = out[x];
    for (int ky = 0; ky < size; ky++)
      for (int kx = 0; kx < size; kx++) sum += rows[ky][x - pad + kx] * w[ky * size + kx];
    out[x] = sum;
  }
  for (int64_t x = begin ? 0 : end; x < width; x = x + 1 == begin ? end : x + 1)
    for (int ky = 0; ky < size; ky++)
      for (int64_t kx = 0; kx < size; kx++) {
        int64_t i = x - pad + kx;
        if (i >= 0 && i < in) out[x] += rows[ky][i] * w[ky * size + kx];
      }
}

/* Of the rows of a plane, the one that output row o and tap r meet; zeros if it lies outside. */
static inline const REAL *NAME(row)(const loops_shape *s, const REAL *plane, int64_t z, int64_t oy, int64_t r,
                                    const REAL *zeros)
{
  int64_t y = oy * s->stride[1] - s->pad[1] + r * s->dilation[1];
  return y >= 0 && y < s->in[1] ? plane + (z * s->in[1] + y) * s->in[2] : zeros;
}

/* out[width of a row] += one channel's part; plane [in], w [taps]. */
static void NAME(add_channel)(const loops_shape *s, REAL *restrict out, const REAL *plane, const REAL *w, int64_t oz,
                              int64_t oy, const REAL *zeros)
{
  const int64_t *k = s->kernel;
  int64_t width = s->out[2], in = s->in[2], pad = s->pad[2], step = s->stride[2];
  int64_t size = k[1] == k[2] && step == 1 && s->dilation[2] == 1 ? k[1] : 0;
  for (int64_t rz = 0; rz < k[0]; rz++, w += k[1] * k[2]) {
    int64_t z = oz * s->stride[0] - s->pad[0] + rz * s->dilation[0];
    if (z < 0 || z >= s->in[0]) continue;
    if (size == 3 || size == 5) {
      const REAL *rows[5];
      for (int64_t r = 0; r < size; r++) rows[r] = NAME(row)(s, plane, z, oy, r, zeros);
      if (size == 3)
        NAME(square)(out, width, rows, in, w, pad, 3);
      else
        NAME(square)(out, width, rows, in, w, pad, 5);
      continue;
    }
    for (int64_t r = 0; r < k[1]; r++) {
      const REAL *row = NAME(row)(s, plane, z, oy, r, zeros);
      if (row == zeros) continue;
      for (int64_t c = 0; c < k[2]; c++) {
        int64_t at = c * s->dilation[2] - pad, begin, end; /* of the input, for output 0 */
        inside(at, step, in, width, &begin, &end);
        REAL weight = w[r * k[2] + c];
        if (step == 1)
          for (int64_t x = begin; x < end; x++) out[x] += row[at + x] * weight;
        else
          for (int64_t x = begin; x < end; x++) out[x] += row[at + x * step] * weight;
      }
    }
  }
}

/* out[n][k][out] = the convolution of x[n][c][in] with w[k][cg][taps], s->add_up channels a group. */
static void NAME(convolve)(const loops_shape *s, const void *from, const void *weights, void *to, const void *zeros)
{
  const REAL *x = from, *w = weights;
  REAL *out = to;
  int64_t in_pixels = s->in[0] * s->in[1] * s->in[2], taps = s->kernel[0] * s->kernel[1] * s->kernel[2];
  for (int64_t n = 0; n < s->n; n++)
    for (int64_t k = 0; k < s->groups * s->outputs; k++)
      for (int64_t oz = 0; oz < s->out[0]; oz++)
        for (int64_t oy = 0; oy < s->out[1]; oy++, out += s->out[2]) {
          const REAL *plane = x + (n * s->groups + k / s->outputs) * s->inputs * in_pixels;
          memset(out, 0, (size_t)s->out[2] * sizeof *out);
          for (int64_t c = 0; c < s->inputs; c++)
            NAME(add_channel)(s, out, plane + c * in_pixels, w + (k * s->inputs + c) * taps, oz, oy, zeros);
        }
}

/* turned[c][k][taps] = w[k][c][the taps in reverse], a group after the other. */
static void NAME(turn)(const bench_geometry *g, const void *weights, void *turned)
{
  const REAL *w = weights;
  REAL *to = turned;
  for (int64_t group = 0; group < g->groups; group++, w += g->kg * g->cg * g->taps)
    for (int64_t c = 0; c < g->cg; c++)
      for (int64_t k = 0; k < g->kg; k++)
        for (int64_t t = 0; t < g->taps; t++) *to++ = w[(k * g->cg + c + 1) * g->taps - 1 - t];
}

/* dx = the input gradient at any stride: each row of dy is added to the rows that it came from. */
static void NAME(scatter)(const bench_geometry *g, const void *from, const void *weights, void *to)
{
  const REAL *dy = from, *w = weights;
  REAL *dx = to;
  memset(dx, 0, (size_t)(g->n * g->c * g->in_pixels) * sizeof *dx);
  for (int64_t row = 0; row < g->n * g->k * g->out[0] * g->out[1]; row++, dy += g->out[2]) {
    int64_t oy = row % g->out[1], oz = row / g->out[1] % g->out[0], k = row / (g->out[0] * g->out[1]) % g->k;
    int64_t n = row / (g->out[0] * g->out[1]) / g->k;
    for (int64_t q = 0; q < g->q; q++) {
      int64_t c = q / g->taps, t = q % g->taps, rx = t % g->kernel[2], ry = t / g->kernel[2] % g->kernel[1];
      int64_t z = oz * g->stride[0] - g->pad[0] + t / (g->kernel[1] * g->kernel[2]) * g->dilation[0];
      int64_t y = oy * g->stride[1] - g->pad[1] + ry * g->dilation[1], at = rx * g->dilation[2] - g->pad[2], begin, end;
      if (z < 0 || z >= g->in[0] || y < 0 || y >= g->in[1]) continue;
      REAL *plane = dx + (n * g->c + k / g->kg * g->cg + c) * g->in_pixels, weight = w[k * g->q + q];
      REAL *line = plane + (z * g->in[1] + y) * g->in[2];
      inside(at, g->stride[2], g->in[2], g->out[2], &begin, &end);
      for (int64_t x = begin; x < end; x++) line[at + x * g->stride[2]] += dy[x] * weight;
    }
  }
}

/* dw: each tap's sum over all rows of a row of dy times the row of x that the tap meets. */
static void NAME(weights)(const bench_geometry *g, const void *planes, const void *from, void *to)
{
  const REAL *x = planes, *dy = from;
  REAL *dw = to;
  for (int64_t i = 0; i < g->k * g->q; i++) {
    int64_t k = i / g->q, c = i % g->q / g->taps, t = i % g->taps, rx = t % g->kernel[2];
    int64_t ry = t / g->kernel[2] % g->kernel[1], rz = t / (g->kernel[1] * g->kernel[2]);
    int64_t at = rx * g->dilation[2] - g->pad[2], step = g->stride[2], begin, end;
    inside(at, step, g->in[2], g->out[2], &begin, &end);
    double all = 0;
    for (int64_t row = 0; row < g->n * g->out[0] * g->out[1]; row++) {
      int64_t oy = row % g->out[1], oz = row / g->out[1] % g->out[0], n = row / (g->out[0] * g->out[1]);
      int64_t z = oz * g->stride[0] - g->pad[0] + rz * g->dilation[0];
      int64_t y = oy * g->stride[1] - g->pad[1] + ry * g->dilation[1];
      if (z < 0 || z >= g->in[0] || y < 0 || y >= g->in[1]) continue;
      const REAL *line = x + ((n * g->c + k / g->kg * g->cg + c) * g->in[0] + z) * g->in[1] * g->in[2] + y * g->in[2];
      const REAL *delta = dy + ((n * g->k + k) * g->out[0] + oz) * g->out[1] * g->out[2] + oy * g->out[2];
      REAL sum = 0;
      if (step == 1)
        for (int64_t o = begin; o < end; o++) sum += line[at + o] * delta[o];
      else
        for (int64_t o = begin; o < end; o++) sum += line[at + o * step] * delta[o];
      all += (double)sum;
    }
    dw[i] = (REAL)all;
  }
}
