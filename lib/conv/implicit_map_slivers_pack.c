/* implicit_gemm:slivers: packed weights, and the runs of pixels that slivers are packed from. */
#include "conv/implicit_map_slivers_parts.h"

int64_t cb_sliver_weights_place(const cb_slivers *st, const cb_geometry *geo, int64_t i, int64_t ig, int64_t j,
                                int64_t tile)
{
  const cb_sliver_phase *phase = &st->phase[i];
  (void)geo;
  return phase->weights_at + ig * cb_sliver_weights(st, i) + st->outputs * phase->cut[j] +
         cb_sliver_output(st, tile) * (phase->cut[j + 1] - phase->cut[j]);
}

/* Elements of plain weights from one of a sum's channels, and from one output, to the next. */
static int64_t channel_pitch(const cb_slivers *st, const cb_geometry *geo)
{
  return st->forward ? geo->taps : geo->q;
}
static int64_t output_pitch(const cb_slivers *st, const cb_geometry *geo)
{
  return st->forward ? geo->q : geo->taps;
}

/* Packs steps [from, end) within channel c, tile by tile, behind the first `done` of a chain's
   `steps`. */
static void turn_steps(const cb_slivers *st, const cb_geometry *geo, const void *w, int64_t i, int64_t c, int64_t from,
                       int64_t end, int64_t first, int64_t last, int64_t done, int64_t steps, void *to)
{
  const int64_t before = cb_sliver_output(st, first);
  for (int64_t t = first; t < last; t++) {
    int64_t k = cb_sliver_output(st, t), m = cb_sliver_output(st, t + 1) - k;
    cb_turned turned = {.to = cb_at_mut(to, (k - before) * steps + done * m, geo->element),
                        .from = cb_at(w, c * channel_pitch(st, geo), geo->element),
                        .channel_pitch = channel_pitch(st, geo),
                        .output_pitch = output_pitch(st, geo),
                        .tap = st->phase[i].tap + from,
                        .taps = end - from,
                        .channels = 1,
                        .outputs = st->outputs,
                        .tiles = st->tiles,
                        .first = t,
                        .end = t + 1};
    st->engine->pack_turned(&turned);
  }
}

/* Packs weights whose steps do not lie side by side: of an input gradient, where outputs are channels of the filters and
   steps are (filter, tap), taps in the phase's order; or of a forward where some taps reach no output. */
static void pack_turned(const cb_slivers *st, const cb_geometry *geo, const void *w, int64_t i, int64_t j,
                        int64_t first, int64_t end, void *to)
{
  const int64_t q0 = st->phase[i].cut[j], q1 = st->phase[i].cut[j + 1], taps = st->gather[i].taps;
  if (q0 % taps == 0 && q1 % taps == 0) {
    cb_turned turned = {.to = to,
                        .from = cb_at(w, q0 / taps * channel_pitch(st, geo), geo->element),
                        .channel_pitch = channel_pitch(st, geo),
                        .output_pitch = output_pitch(st, geo),
                        .tap = st->phase[i].tap,
                        .taps = taps,
                        .channels = (q1 - q0) / taps,
                        .outputs = st->outputs,
                        .tiles = st->tiles,
                        .first = first,
                        .end = end};
    st->engine->pack_turned(&turned);
    return;
  }
  for (int64_t q = q0; q < q1;) {
    /* The chain begins or ends within a channel: each channel's part of it is turned by itself. */
    int64_t c = q / taps, stop = cb_min(q1, (c + 1) * taps);
    turn_steps(st, geo, w, i, c, q - c * taps, stop - c * taps, first, end, q - q0, q1 - q0, to);
    q = stop;
  }
}

void cb_sliver_pack_weights(const cb_slivers *st, const cb_geometry *geo, const void *w, int64_t i, int64_t ig,
                            int64_t j, int64_t first, int64_t end, void *to)
{
  const int64_t q0 = st->phase[i].cut[j], steps = st->phase[i].cut[j + 1] - q0;
  const void *group = cb_at(w, ig * geo->kg * geo->q, geo->element);
  if (!st->forward || st->gather[i].taps != geo->taps) {
    pack_turned(st, geo, group, i, j, first, end, to);
    return;
  }
  const int64_t before = cb_sliver_output(st, first);
  for (int64_t t = first; t < end; t++) {
    int64_t k = cb_sliver_output(st, t), m = cb_sliver_output(st, t + 1) - k;
    st->engine->pack_rows(cb_at_mut(to, (k - before) * steps, geo->element),
                          cb_at(group, k * geo->q + q0, geo->element), geo->q, steps, m);
  }
}

/* A list of runs that is being made, and the first run of each tile. */
typedef struct {
  cb_run *run;
  int32_t *first;
  int64_t width, step; /* lanes of a tile; elements from one pixel's place to the next's */
  int64_t pixel;       /* pixels in the list so far */
  int32_t runs;        /* runs in the list so far */
  bool joins;          /* runs that meet are joined, across rows too */
} run_list;

/* Adds `count` pixels at even distances, the first at place `at`. */
static void add_run(run_list *list, int64_t at, int64_t count)
{
  while (count > 0) {
    int64_t lane = list->pixel % list->width, taken = cb_min(count, list->width - lane);
    if (lane == 0) list->first[list->pixel / list->width] = list->runs;
    cb_run *last = lane ? &list->run[list->runs - 1] : NULL;
    if (last && list->joins && last->at + last->count == at)
      last->count += (int32_t)taken;
    else
      list->run[list->runs++] = (cb_run){(int32_t)lane, (int32_t)taken, at};
    list->pixel += taken;
    at += taken * list->step;
    count -= taken;
  }
}

void cb_sliver_tables_fill(const cb_slivers *st, const cb_block_range *block, cb_sliver_tables *tables)
{
  const cb_gather_axis *a = st->gather[0].axis;
  const cb_band *band = &st->band;
  int64_t hop[3];
  for (int i = 0; i < 3; i++) hop[i] = i == 2 ? 1 : a[i].stride / band->keep[i] * band->pitch[i];
  run_list from = {tables->run, tables->first_run, st->width, 1, 0, 0, true},
           to = {tables->row, tables->first_row, st->width, a[2].out_step, 0, 0, !st->staged};
  for (int64_t in = 0; in < block->images; in++)
    for (int64_t d = 0; d < block->count[0]; d++)
      for (int64_t h = 0; h < block->count[1]; h++) {
        add_run(&from, in * band->image_pitch + d * hop[0] + h * hop[1], block->count[2]);
        int64_t row = (block->first[0] + d) * a[0].out_step * st->dest[1] + (block->first[1] + h) * a[1].out_step;
        add_run(&to, in * st->dest_image + row * st->dest[2] + block->first[2] * a[2].out_step, block->count[2]);
      }
  tables->pixels = from.pixel;
  tables->tiles = cb_ceil_div(from.pixel, st->width);
  tables->first_run[tables->tiles] = from.runs;
  tables->first_row[tables->tiles] = to.runs;
}
