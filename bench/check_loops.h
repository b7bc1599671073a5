/* One output element in the type WIDE, with the sum of its terms' magnitudes: included with REAL, WIDE and NAME defined. */

/* y[n][k][oz][oy][ox] = sum over the group's c, r: x[n][c][o*stride - pad + r*dilation] * w[k][c][r] */
static void NAME(forward)(const bench_task *t, int64_t index, WIDE *value, WIDE *magnitude)
{
  const bench_geometry *g = &t->geometry;
  const REAL *x = t->x, *w = t->w;
  int64_t o[3], k, n;
  split(index, g->out, g->k, o, &k, &n);
  for (int64_t c = 0; c < g->cg; c++) {
    const REAL *plane = x + (n * g->c + k / g->kg * g->cg + c) * g->in_pixels;
    const REAL *filter = w + (k * g->cg + c) * g->taps;
    for (int64_t rz = 0; rz < g->kernel[0]; rz++)
      for (int64_t ry = 0; ry < g->kernel[1]; ry++)
        for (int64_t rx = 0; rx < g->kernel[2]; rx++) {
          int64_t z = input_at(g, 0, o[0], rz), y = input_at(g, 1, o[1], ry), xx = input_at(g, 2, o[2], rx);
          if (z < 0 || y < 0 || xx < 0) continue;
          WIDE term = (WIDE)plane[(z * g->in[1] + y) * g->in[2] + xx] *
                      (WIDE)filter[(rz * g->kernel[1] + ry) * g->kernel[2] + rx];
          *value += term;
          *magnitude += term < 0 ? -term : term;
        }
  }
}

/* dx[n][c][z][y][x] = sum over the group's k and r of dy[n][k][o] * w[k][c][r], o*stride - pad + r*dilation the element */
static void NAME(backward_data)(const bench_task *t, int64_t index, WIDE *value, WIDE *magnitude)
{
  const bench_geometry *g = &t->geometry;
  const REAL *dy = t->dy, *w = t->w;
  int64_t i[3], c, n;
  split(index, g->in, g->c, i, &c, &n);
  int64_t group = c / g->cg;
  for (int64_t rz = 0; rz < g->kernel[0]; rz++)
    for (int64_t ry = 0; ry < g->kernel[1]; ry++)
      for (int64_t rx = 0; rx < g->kernel[2]; rx++) {
        int64_t oz = output_at(g, 0, i[0], rz), oy = output_at(g, 1, i[1], ry), ox = output_at(g, 2, i[2], rx);
        if (oz < 0 || oy < 0 || ox < 0) continue;
        for (int64_t k = group * g->kg; k < (group + 1) * g->kg; k++) {
          WIDE term = (WIDE)dy[(n * g->k + k) * g->out_pixels + (oz * g->out[1] + oy) * g->out[2] + ox] *
                      (WIDE)w[(k * g->cg + c % g->cg) * g->taps + (rz * g->kernel[1] + ry) * g->kernel[2] + rx];
          *value += term;
          *magnitude += term < 0 ? -term : term;
        }
      }
}

/* dw[k][c][r] = sum over n and o of dy[n][k][o] * x[n][c][o*stride - pad + r*dilation] */
static void NAME(backward_weights)(const bench_task *t, int64_t index, WIDE *value, WIDE *magnitude)
{
  const bench_geometry *g = &t->geometry;
  const REAL *x = t->x, *dy = t->dy;
  int64_t r[3], c, k;
  split(index, g->kernel, g->cg, r, &c, &k);
  for (int64_t n = 0; n < g->n; n++) {
    const REAL *plane = x + (n * g->c + k / g->kg * g->cg + c) * g->in_pixels;
    const REAL *row = dy + (n * g->k + k) * g->out_pixels;
    for (int64_t oz = 0; oz < g->out[0]; oz++)
      for (int64_t oy = 0; oy < g->out[1]; oy++, row += g->out[2]) {
        int64_t z = input_at(g, 0, oz, r[0]), y = input_at(g, 1, oy, r[1]);
        if (z < 0 || y < 0) continue;
        const REAL *line = plane + (z * g->in[1] + y) * g->in[2];
        for (int64_t ox = 0; ox < g->out[2]; ox++) {
          int64_t xx = input_at(g, 2, ox, r[2]);
          if (xx < 0) continue;
          WIDE term = (WIDE)line[xx] * (WIDE)row[ox];
          *value += term;
          *magnitude += term < 0 ? -term : term;
        }
      }
  }
}
