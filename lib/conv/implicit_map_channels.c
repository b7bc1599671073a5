/*
 * implicit_gemm, forward and input gradient, with channels on the lanes: a tile is up to 14 pixels x 2 vectors of
 * outputs. It wastes nothing when images are small and needs no neighbouring pixels; the store transposes.
 *
 *     for each panel (two vectors of outputs)
 *       for each box of pixels that reach the same taps (conv/boxes.h)
 *         for each tile of pixels                 the panel stays in L2, the tile's part of the band in L1
 *           ask for the next tile's places in the output
 *           for each chunk of at most 512 steps   fresh sums, added in order: the error stays that of blocked summation
 *             kernel
 *           store, transposed to NCHW, with the epilogue
 */
/*
 * Why it is done so. The plain path writes the lowered matrix and OpenBLAS packs it again: every pixel is written r*s
 * times, twice. Here a pixel is copied once, into the band, and the addresses do the rest. One core of a Zen 4 EPYC
 * (multiply-adds on registers 118 GFLOP/s, SGEMM 2048^3 102, the kernels with both operands streaming from L2 114 to
 * 117), batch 8: 3x3 layers of ResNet-50 104-116 with the padding counted, 1x1 layers 97-112, where tiles of im2col and
 * GEMM give 35-65.
 *
 * Rejected, with what was seen:
 *   - rows at even distances only (an address mode for each row instead of row[i]): 113 against 112 for the general
 *     kernel, which alone does rows that cross lines, images and strides
 *   - bands of at most half an L2 cache: 28x28x512 took 167 on two cores where 768 KiB took 192; the panel needs the
 *     L2, a tile touches only its own part of the band
 *   - pixels on the lanes without asking early for pixels and places: 56x56x64 in eight images, 60-66 on one core; with
 *     it 86-96. The same in the 14 x 2 kernel, which has no slot to spare: a tenth slower; asking between the tiles
 *     instead, a tile early and with prefetchw: 1x1 256->1024 at 14x14 95 -> 100
 *   - all taps everywhere: 3x3 at 7x7 multiplies 18% zeros, 5x5 31%; boxes took 96 -> 110 and 109 -> 137
 *   - blocks of 448 pixels with pixels on the lanes: 784 pixels became two times eight tiles and a remainder, 99;
 *     blocks of whole tiles, 110
 *   - channels on the lanes everywhere: 1x1 layers with 64 channels 108-119 on two cores, pixels on the lanes 166-187
 *   - packed pixels (a copy of a tile in the kernel's order) at AVX-512: 3 to 24% slower than reading in place; at
 *     AVX2, whose tiles use a third of each cache line, 3 to 31% faster, so there they are (gather.h, "in tiles")
 *   - one pass over dx a phase: stride-2 stores into lines that three other passes touch again; the stage instead
 *   - sums over all of q in one chain: an RMS error 2.5 times that of im2col in input gradients
 */
#include "conv/implicit_map_state.h"

void cb_map_channels(const cb_map_tiles *j, const cb_panel *panel, const void *lanes)
{
  cb_store store = cb_map_store(j, panel->first, 0);
  store.count = panel->count;
  store.lane_step = j->plane;
  cb_product product = {.engine = j->st->engine,
                        .element = j->call->plan->problem.geo.element,
                        .a = j->band,
                        .b = lanes,
                        .vectors = panel->vectors,
                        .c = j->sums,
                        .ldc = panel->width,
                        .store = &store,
                        .ask = true};
  for (int i = 0; i < j->parts; i++) {
    const cb_part *part = &j->part[i];
    const cb_walks *walks = part->walks;
    product.rows = part->count;
    product.row = j->rows + part->first;
    product.walk = (cb_walk){walks->walk, walks->lane[panel->vectors], walks->cut, walks->chunks};
    store.place = j->position + part->first;
    cb_product_run(&product);
  }
}
