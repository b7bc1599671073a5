/*
 * Bands and walks alone: over random convolutions of ranks 1 to 3, with strides, dilations, asymmetric padding, both
 * modes and groups, cut into blocks of many sizes, every (pixel, tap) address is compared with the definition: the
 * source holds its own indices + 1, so the value found at  band + row(pixel) + walk(tap)  names the element that was
 * read; 0 is padding.
 *
 *     forward          pixel o meets tap t at input position   o * stride - pad + t * dilation
 *     input gradient   pixel i meets tap t at output position  (i + pad - t * dilation) / stride, if that is whole
 *
 * with t counted from the filter's other end in true convolution. Also: every pixel of the destination belongs to
 * exactly one block of one phase; taps that a phase leaves out meet no output; limits hold; bands end at pages that
 * trap; boxes share the outputs out and leave out just the taps that meet padding.
 */
#include "conv/boxes.h"
#include "support/guarded.h"
#include "support/oracle.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBLEMS = 1500, MAX_MACS = 60000 };

/* One direction of one problem. */
typedef struct {
  const problem *p;
  cb_geometry geo;
  bool forward;
  int64_t channels, plane;     /* source channels of a group, elements of one */
  int64_t dest[3], dest_plane; /* the destination's size on each axis */
  int64_t grid[3];             /* the same as the gather sees it: pointwise, one row of pixels */
  int64_t source_size[3];      /* and the source's */
  int64_t group, source_image; /* the group looked at; elements of an image of the source, all groups */
  int64_t dest_image;          /* displacement of images in the destination */
  const cb_gather *gathers;
  int64_t phases;
  cb_band band;
  unsigned char *seen; /* of [n][dest_plane]: how often */
} view;

static uint64_t seed;
static guarded source, band_memory;
static long pairs_checked, blocks_checked, in_place_count, phase_count, box_count;

/* The source element (index in its plane) that destination position `at` meets at filter tap t; -1: none. */
static int64_t definition(const view *v, const int64_t at[3], int64_t t)
{
  const problem *p = v->p;
  int64_t taps[3] = {t / p->taps[2] / p->taps[1], t / p->taps[2] % p->taps[1], t % p->taps[2]}, index = 0;
  for (int i = 0; i < 3; i++) {
    int64_t tap = p->desc.mode == CNNBLAS_CROSS_CORRELATION ? taps[i] : p->taps[i] - 1 - taps[i];
    int64_t place = tap * p->dilation[i] - p->begin[i];
    int64_t position = v->forward ? at[i] * p->stride[i] + place : at[i] - place;
    if (!v->forward) {
      if (position < 0 || position % p->stride[i] != 0) return -1;
      position /= p->stride[i];
    }
    if (position < 0 || position >= v->source_size[i]) return -1;
    index = index * v->source_size[i] + position;
  }
  return index;
}

static double source_value(const view *v, int64_t image, int64_t channel, int64_t index)
{
  return index < 0 ? 0 : (double)(image * v->source_image + (v->group * v->channels + channel) * v->plane + index + 1);
}

static void check_pixel(const view *v, const cb_gather *gather, const int32_t *walk, const void *found, int64_t image,
                        int64_t index)
{
  int64_t at[3] = {index / v->dest[2] / v->dest[1], index / v->dest[2] % v->dest[1], index % v->dest[2]};
  bool met[4096] = {false};
  for (int64_t t = 0; t < gather->taps; t++) {
    int64_t tap = cb_gather_tap(gather, &v->geo, t);
    if (tap < 0 || tap >= v->p->filter || met[tap])
      FAIL("tap %lld of the gather is tap %lld", (long long)t, (long long)tap);
    met[tap] = true;
    int64_t element = definition(v, at, tap);
    for (int64_t c = 0; c < v->channels; c++) {
      double got = array_get(v->p->desc.dtype, found, walk[c * gather->taps + t]);
      double want = source_value(v, image, c, element);
      if (got != want)
        FAIL("image %lld pixel %lld channel %lld tap %lld: reads element %g, expected %g", (long long)image,
             (long long)index, (long long)c, (long long)tap, got - 1, want - 1);
    }
  }
  for (int64_t tap = 0; tap < v->p->filter; tap++)
    if (!met[tap] && definition(v, at, tap) >= 0)
      FAIL("pixel %lld: tap %lld is left out and meets an output", (long long)index, (long long)tap);
  pairs_checked += v->channels * v->p->filter;
}

static void check_block(const view *v, const cb_gather *gather, int64_t b, const int32_t *walk, bool side_by_side)
{
  size_t element = v->p->element;
  cb_block_range block = cb_band_block(gather, &v->band, v->p->n, b);
  int64_t pixels = block.images * block.count[0] * block.count[1] * block.count[2];
  if (pixels == 0) return;
  assert_true(pixels > 0 && pixels <= v->band.pixels);
  int32_t *rows = malloc((size_t)pixels * sizeof *rows);
  int64_t *position = malloc((size_t)pixels * sizeof *position);
  assert_true(rows && position);
  cb_band_positions(gather, &block, v->grid, (int64_t[3]){0, 0, 0}, v->dest_image, position);
  const char *found = NULL;
  if (gather->q) {
    const char *from = (const char *)source.data +
                       (size_t)(block.image * v->source_image + v->group * v->channels * v->plane) * element;
    cb_band_rows(gather, &v->band, block.first, &block, rows);
    memset(band_memory.data, 0xff, band_memory.bytes); /* NaN: what is read must have been written */
    found = cb_band_open(gather, &v->band, &block, from, v->source_image, element, band_memory.data);
    if (!guarded_intact(&band_memory)) FAIL("block %lld: written in front of the band", (long long)b);
    assert_true((v->band.elements == 0) == (found != band_memory.data));
  }
  for (int64_t i = 0; i < pixels; i++) {
    int64_t image = block.image + i / (pixels / block.images),
            index = position[i] - i / (pixels / block.images) * v->dest_image;
    if (index < 0 || index >= v->dest_plane)
      FAIL("block %lld: pixel %lld is at %lld", (long long)b, (long long)i, (long long)index);
    v->seen[image * v->dest_plane + index]++;
    if (side_by_side && gather->q && i % block.count[2] && rows[i] != rows[i - 1] + 1)
      FAIL("block %lld: pixels %lld and the one before are not side by side", (long long)b, (long long)i);
    check_pixel(v, gather, walk, found ? found + (size_t)rows[i] * element : NULL, image, index);
  }
  blocks_checked++;
  free(rows);
  free(position);
}

/* Random limits, from one pixel a block to everything at once. */
static cb_band_limits random_limits(const view *v, rng *r)
{
  cb_band_limits limits = {.n = v->p->n,
                           .pixels = RNG_PICK(r, 1, 2, 5, 14, 60, 512, 100000),
                           .elements = RNG_PICK(r, 1, 100, 1000, 20000, 200000),
                           .source_image = v->source_image,
                           .side_by_side = rng_chance(r, 30),
                           .tiled = rng_chance(r, 20),
                           .tile = RNG_PICK(r, 0, 6, 12, 14, 48)};
  if (limits.side_by_side || !limits.tile) limits.tiled = false;
  return limits;
}

static void check_cut(view *v, const cb_band_limits *limits)
{
  const cb_band *band = &v->band;
  bool smallest = band->outs[0] * band->outs[1] * band->outs[2] == 1 && band->images == 1;
  if (band->pixels > cb_max(limits->pixels, 1))
    FAIL("a block has %lld pixels, the limit is %lld", (long long)band->pixels, (long long)limits->pixels);
  if (band->elements > limits->elements && !smallest)
    FAIL("a band has %lld elements, the limit is %lld", (long long)band->elements, (long long)limits->elements);
  int64_t blocks = cb_band_blocks(band, v->p->n);
  size_t places = (size_t)(v->p->n * v->dest_plane);
  v->seen = calloc(places + 1, 1);
  assert_non_null(v->seen);
  guarded_reset(&band_memory, (size_t)band->elements * v->p->element, AGAINST_END);
  for (int64_t i = 0; i < v->phases; i++) {
    const cb_gather *gather = &v->gathers[i];
    int32_t *walk = malloc((size_t)(gather->q + 1) * sizeof *walk);
    assert_non_null(walk);
    if (gather->q) cb_band_walk(gather, band, walk);
    for (int64_t b = 0; b < blocks; b++) check_block(v, gather, b, walk, limits->side_by_side);
    free(walk);
  }
  for (size_t i = 0; i < places; i++)
    if (v->seen[i] != 1) FAIL("pixel %zu belongs to %d blocks", i, v->seen[i]);
  free(v->seen);
  in_place_count += band->elements == 0;
  phase_count += v->phases;
}

/* True if output o and tap j of the axis meet inside the source. */
static bool meets(const cb_gather_axis *a, int64_t o, int64_t j)
{
  int64_t at = o * a->stride + a->off0 + j * a->off_step;
  return at >= 0 && at < a->in;
}

/* Every output is in one box; there, on the axes that are cut, exactly the taps that it meets count; the steps name them. */
static void check_boxes(const cb_gather *gather, unsigned axes)
{
  const cb_gather_axis *a = gather->axis;
  cb_box box[CB_MAX_BOXES];
  int boxes = cb_boxes_cut(gather, axes, box);
  int64_t outputs = 0;
  assert_true(boxes >= 0 && boxes <= CB_MAX_BOXES);
  assert_true(axes || boxes == 1);
  box_count += boxes;
  for (int b = 0; b < boxes; b++) {
    outputs += box[b].count[0] * box[b].count[1] * box[b].count[2];
    int64_t last = -1, steps = gather->channels * cb_box_taps(&box[b]);
    int32_t *step = malloc((size_t)(steps + 1) * sizeof *step);
    assert_non_null(step);
    assert_int_equal(cb_box_steps(gather, &box[b], step), steps);
    for (int64_t s = 0; s < steps; last = step[s++])
      if (step[s] <= last || step[s] >= gather->q) FAIL("step %lld of a box is %d", (long long)s, step[s]);
    for (int i = 0; i < 3; i++) {
      int64_t before = i == 2 ? 1 : i == 1 ? a[2].taps : a[1].taps * a[2].taps;
      for (int64_t o = box[b].first[i]; o < box[b].first[i] + box[b].count[i]; o++)
        for (int64_t j = 0; j < a[i].taps; j++) {
          bool counts = j >= box[b].tap[i] && j < box[b].tap[i] + box[b].taps[i];
          if (counts != (!(axes >> i & 1) || meets(&a[i], o, j)))
            FAIL("axes %u: on axis %d output %lld and tap %lld", axes, i, (long long)o, (long long)j);
        }
      for (int64_t s = 0; s < steps; s++) {
        int64_t j = step[s] / before % a[i].taps;
        if (j < box[b].tap[i] || j >= box[b].tap[i] + box[b].taps[i])
          FAIL("step %lld has a tap of another box", (long long)s);
      }
    }
    free(step);
  }
  if (boxes && outputs != a[0].outs * a[1].outs * a[2].outs)
    FAIL("axes %u: %lld outputs in boxes", axes, (long long)outputs);
  for (int i = 0; i < 3; i++)
    for (int64_t j = 0; j < a[i].taps; j++) {
      int64_t lo, hi;
      cb_outputs_of_tap(&a[i], j, &lo, &hi);
      for (int64_t o = 0; o < a[i].outs; o++)
        if ((o >= lo && o < hi) != meets(&a[i], o, j)) FAIL("axis %d: outputs of tap %lld", i, (long long)j);
    }
}

static void check_direction(const problem *p, bool forward, const char *text, rng *r)
{
  view v = {.p = p, .forward = forward, .channels = forward ? p->cg : p->kg, .plane = forward ? p->image : p->pixels};
  ASSERT_OK(cb_geometry_init(&v.geo, &p->desc));
  if (v.geo.taps != p->filter) return; /* an image that the geometry takes for one pixel: not the problem's numbers */
  v.dest_plane = forward ? p->pixels : p->image;
  for (int i = 0; i < 3; i++) {
    v.source_size[i] = forward ? p->in[i] : p->out[i];
    v.dest[i] = forward ? p->out[i] : p->in[i];
  }
  v.source_image = v.channels * p->g * v.plane;
  v.dest_image = v.dest_plane + rng_range(r, 0, 5);
  v.group = rng_range(r, 0, p->g - 1);
  v.phases = forward ? 1 : cb_gather_phases(&v.geo);
  if (v.phases > 64 || p->filter > 4096 || p->n * v.source_image >= 1 << 24) return; /* indices must be exact in f32 */
  cb_gather *gathers = calloc((size_t)v.phases, sizeof *gathers);
  assert_non_null(gathers);
  v.gathers = gathers;
  if (forward) cb_gather_forward(gathers, &v.geo);
  for (int64_t i = 0; !forward && i < v.phases; i++) cb_gather_phase(&gathers[i], &v.geo, i);
  harness_doing("%s %s: boxes", text, cnnblas_conv_direction_name(forward ? CNNBLAS_FORWARD : CNNBLAS_BACKWARD_DATA));
  for (int64_t i = 0; i < v.phases; i++)
    for (unsigned axes = 0; axes < 8; axes++)
      if (gathers[i].q && gathers[i].axis[0].outs && gathers[i].axis[1].outs && gathers[i].axis[2].outs)
        check_boxes(&gathers[i], axes);
  const int64_t row[3] = {1, 1, v.dest_plane};
  memcpy(v.grid, cb_geometry_is_pointwise(&v.geo) ? row : v.dest, sizeof v.grid);
  guarded_reset(&source, (size_t)(p->n * v.source_image) * p->element, rng_chance(r, 50) ? AGAINST_END : AGAINST_START);
  for (int64_t i = 0; i < p->n * v.source_image; i++) array_set(p->desc.dtype, source.data, i, (double)(i + 1));
  guarded_protect(&source, true);
  for (int cut = 0; cut < 3; cut++) {
    cb_band_limits limits = random_limits(&v, r);
    harness_doing("%s %s (cut %d: pixels %lld elements %lld side by side %d tiled %d tile %lld)", text,
                  cnnblas_conv_direction_name(forward ? CNNBLAS_FORWARD : CNNBLAS_BACKWARD_DATA), cut,
                  (long long)limits.pixels, (long long)limits.elements, limits.side_by_side, limits.tiled,
                  (long long)limits.tile);
    cb_band_cut(&v.band, gathers, v.phases, &limits);
    check_cut(&v, &limits);
  }
  guarded_protect(&source, false);
  free(gathers);
}

/* Moves the axes of one element and one tap to the front, as the geometry does. */
static void fold_axes(problem *p)
{
  const problem was = *p;
  int last = 3;
  for (int i = 2; i >= -3; i--) { /* first the others from the end, then these */
    const int a = i < 0 ? i + 3 : i;
    const bool one = was.in[a] == 1 && was.taps[a] == 1 && was.out[a] == 1 && was.begin[a] == 0;
    if (one == (i >= 0)) continue;
    p->in[--last] = was.in[a], p->taps[last] = was.taps[a], p->out[last] = was.out[a];
    p->stride[last] = was.stride[a], p->dilation[last] = was.dilation[a], p->begin[last] = was.begin[a];
  }
}

static void test_gather(void **state)
{
  (void)state;
  for (uint64_t item = 0; item < PROBLEMS; item++) {
    problem p;
    char text[PROBLEM_TEXT + 64];
    rng r = rng_at(seed, item);
    problem_random(&p, &r, MAX_MACS);
    bool near = true; /* the bands of the others have more elements than the machine has room for */
    for (int i = 0; i < 3; i++) near &= p.stride[i] <= 4096 && p.dilation[i] <= 4096;
    if (!near) continue;
    fold_axes(&p);
    problem_text(&p, text);
    snprintf(text + strlen(text), 64, " | CNNBLAS_TEST_SEED=%llu item %llu", (unsigned long long)seed,
             (unsigned long long)item);
    check_direction(&p, true, text, &r);
    check_direction(&p, false, text, &r);
  }
  printf("  %ld pairs of pixel and tap in %ld blocks; %ld cuts read the source in place; %ld phases; %ld boxes\n",
         pairs_checked, blocks_checked, in_place_count, phase_count, box_count);
  assert_true(box_count > 20000);
  assert_true(pairs_checked > 1000000 && blocks_checked > 10000 && in_place_count > 100 && phase_count > 2 * PROBLEMS);
  guarded_free(&source);
  guarded_free(&band_memory);
}

int main(void)
{
  seed = rng_seed(20240613);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_gather)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
