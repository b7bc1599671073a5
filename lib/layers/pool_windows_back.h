/*
 * The gradient of pooling by windows of 2 x 2 that neither overlap nor leave the image: every element of dx belongs to
 * one output at most, so that dx is written once, a vector of outputs becoming two of dx in each of two rows. The end of
 * pool_windows.h.
 */

/* Elements of a and b in turn. */
INLINE void NAME(put_pairs)(real *to, int64_t room, vec a, vec b)
{
  NAME(put)(to, room, FIRST_PAIRS(LANES, a, b));
  NAME(put)(to + LANES, room - LANES, LAST_PAIRS(LANES, a, b));
}

/* The two rows under LANES windows. Returns the lanes whose index is none of their window. */
INLINE mask NAME(spread)(const cb_pool_geometry *g, vec dy, ivec at, ivec corner, real *dx, int64_t room, int placed)
{
  vec tap[4], nothing = {0};
  mask found = NAME(mask_of)((ivec){0});
  UNROLL for (int u = 0; u < 4; u++)
  {
    tap[u] = placed ? nothing : dy / 4;
    if (!placed) continue;
    mask here = NAME(same)(at, corner + (place)(u / 2 * g->size[2] + u % 2));
    tap[u] = NAME(choose)(here, dy, nothing);
    found |= here;
  }
  NAME(put_pairs)(dx, room, tap[0], tap[1]);
  NAME(put_pairs)(dx + g->size[2], room - g->size[2], tap[2], tap[3]);
  return (mask)~found;
}

/* Zeros for the columns and rows behind the last window. */
static __attribute__((noinline)) void NAME(clear_rest)(const cb_pool_geometry *g, real *dx)
{
  int64_t h = g->size[1], w = g->size[2];
  for (int64_t i = 0; i < h; i++)
    for (int64_t j = i < 2 * g->out[1] ? 2 * g->out[2] : 0; j < w; j++) dx[i * w + j] = 0;
}

INLINE void NAME(backward)(const cb_pool_run *p, int placed)
{
  static const place counting[] = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
  const cb_pool_geometry *g = p->geo;
  int64_t ow = g->out[2], last = ow > LANES ? ow - LANES : 0;
  int rest = g->out[1] * 2 < g->size[1] || ow * 2 < g->size[2];
  ivec lane = *(const ivec *)counting;
  mask real_lanes = NAME(mask_of)(lane < (place)(2 * ow));
  for (int64_t i = 0; i < p->planes; i++) {
    const real *dy = (const real *)p->dy + i * g->out_plane;
    const int32_t *at = placed ? p->indices_in + i * g->out_plane : NULL;
    real *dx = (real *)p->dx + i * g->plane;
    int64_t left = (p->planes - i) * g->out_plane, room = (p->planes - i) * g->plane;
    mask astray = NAME(mask_of)((ivec){0});
    for (int64_t oh = 0; oh < g->out[1]; oh++)
      for (int64_t j = 0; j < ow; j += LANES) {
        int64_t first = j < last ? j : last, out = oh * ow + first, in = 2 * oh * g->size[2] + 2 * first;
        vec error = NAME(load)(dy, out, 0, left);
        ivec places = placed ? NAME(load_places)(at, out, left) : lane;
        astray |= NAME(spread)(g, error, places, lane + (place)in, dx + in, room - in, placed);
      }
    if (rest) NAME(clear_rest)(g, dx);
    if (placed && NAME(any)(astray & real_lanes)) pool_redo_back(p, i);
  }
}

static void NAME(backward_windows)(cnnblas_pool_kind kind, const cb_pool_run *p)
{
  if (kind == CNNBLAS_POOL_AVG)
    NAME(backward)(p, 0);
  else
    NAME(backward)(p, 1);
}
