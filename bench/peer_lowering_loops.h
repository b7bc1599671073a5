/* The loops of peer_lowering.c for one element type: included with REAL and NAME(name) defined. */

static void NAME(lower_row)(const bench_geometry *g, const REAL *planes, int64_t q, REAL *row)
{
  int64_t c = q / g->taps, tap = q % g->taps;
  int64_t kx = tap % g->kernel[2], ky = tap / g->kernel[2] % g->kernel[1], kz = tap / (g->kernel[2] * g->kernel[1]);
  const REAL *plane = planes + c * g->in_pixels;
  pixel_range range = columns_inside(g, kx);
  for (int64_t oz = 0; oz < g->out[0]; oz++)
    for (int64_t oy = 0; oy < g->out[1]; oy++, row += g->out[2]) {
      int64_t z = oz * g->stride[0] - g->pad[0] + kz * g->dilation[0];
      int64_t y = oy * g->stride[1] - g->pad[1] + ky * g->dilation[1];
      if (z < 0 || z >= g->in[0] || y < 0 || y >= g->in[1]) {
        memset(row, 0, (size_t)g->out[2] * sizeof *row);
        continue;
      }
      const REAL *line = plane + (z * g->in[1] + y) * g->in[2];
      int64_t x0 = kx * g->dilation[2] - g->pad[2], stride = g->stride[2];
      memset(row, 0, (size_t)range.begin * sizeof *row);
      if (stride == 1)
        memcpy(row + range.begin, line + x0 + range.begin, (size_t)(range.end - range.begin) * sizeof *row);
      else
        for (int64_t ox = range.begin; ox < range.end; ox++) row[ox] = line[x0 + ox * stride];
      memset(row + range.end, 0, (size_t)(g->out[2] - range.end) * sizeof *row);
    }
}

static void NAME(unlower_plane)(const bench_geometry *g, const REAL *col, int64_t c, REAL *plane)
{
  memset(plane, 0, (size_t)g->in_pixels * sizeof *plane);
  const REAL *row = col + c * g->taps * g->out_pixels;
  for (int64_t kz = 0; kz < g->kernel[0]; kz++)
    for (int64_t ky = 0; ky < g->kernel[1]; ky++)
      for (int64_t kx = 0; kx < g->kernel[2]; kx++) {
        pixel_range range = columns_inside(g, kx);
        for (int64_t oz = 0; oz < g->out[0]; oz++)
          for (int64_t oy = 0; oy < g->out[1]; oy++, row += g->out[2]) {
            int64_t z = oz * g->stride[0] - g->pad[0] + kz * g->dilation[0];
            int64_t y = oy * g->stride[1] - g->pad[1] + ky * g->dilation[1];
            if (z < 0 || z >= g->in[0] || y < 0 || y >= g->in[1]) continue;
            REAL *line = plane + (z * g->in[1] + y) * g->in[2];
            int64_t x0 = kx * g->dilation[2] - g->pad[2], stride = g->stride[2];
            if (stride == 1)
              for (int64_t ox = range.begin; ox < range.end; ox++) line[x0 + ox] += row[ox];
            else
              for (int64_t ox = range.begin; ox < range.end; ox++) line[x0 + ox * stride] += row[ox];
          }
      }
}
