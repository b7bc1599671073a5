/* The table of peers. */
#include "peer.h"

extern const bench_peer bench_im2col_sgemm, bench_im2col_images, bench_loops;
#ifdef BENCH_HAVE_ONEDNN
extern const bench_peer bench_onednn_nchw, bench_onednn_best;
#endif

#ifndef BENCH_HAVE_ONEDNN
const char *bench_onednn_version(void)
{
  return "";
}
#endif

static const bench_peer *const table[] = {
    &bench_im2col_sgemm, &bench_im2col_images, &bench_loops,
#ifdef BENCH_HAVE_ONEDNN
    &bench_onednn_nchw,  &bench_onednn_best,
#endif
};

const bench_peer *bench_peer_at(size_t index)
{
  return index < sizeof table / sizeof *table ? table[index] : NULL;
}
