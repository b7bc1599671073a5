/*
 * The products at Winograd's points (gemm/winograd.h): tiles on the rows, broadcast, two vectors of filters on the
 * lanes.
 *
 *     for each block of channels whose weights fit half of L1
 *       for some tiles                     kernels of 1 to ROWS rows
 *         for each chain of channels       sums in registers, added to those of their group, and groups to m
 *           for each L channels, each of them: load the lanes, broadcast the rows' elements, multiply-add
 *
 * Rows lie L elements apart and the next L channels at a fixed distance, so the kernel needs no table of addresses. The
 * length of a chain is a constant: one that the compiler does not know took 5 to 8% more (Zen 3).
 */
#include "gemm/vectors.h"
#include "gemm/winograd_build.h"

/* Beside the lanes and a broadcast, 32 vector registers hold 28 sums and 16 hold 12. */
#if CB_REGISTERS == 32
#define ROWS    14
#define EACH(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#else
#define ROWS    6
#define EACH(X) X(1) X(2) X(3) X(4) X(5) X(6)
#endif

enum {
  VECTORS = 2,
  LINE = 64 / sizeof(real), /* elements of a cache line */
#if defined __FMA__ || defined __ARM_FEATURE_FMA
  CHAIN = CB_WINOGRAD_CHAIN,
#else
  CHAIN = CB_WINOGRAD_CHAIN / 2, /* half of it, since products are rounded too */
#endif
  GROUP = CB_WINOGRAD_GROUP,
  BLOCK = (16 << 10) / (VECTORS * CB_VECTOR_BYTES) /* channels of a block, whose weights are 16 KiB */
};
_Static_assert(CHAIN % LANES == 0 && BLOCK % GROUP == 0 && GROUP % CHAIN == 0,
               "chains are cut at L channels, groups at chains, blocks at groups");

/* The product of some tiles with one block of channels. */
typedef struct {
  const real *v, *u;
  int64_t group_pitch, channels;
  real *m;
  bool add;
  int64_t ahead; /* elements from u to the weights that are asked for early */
} piece;

/* The multiply-adds of channel Z of those at a and b. */
#define STEP(Z)                                                                                                        \
  {                                                                                                                    \
    vector lane[VECTORS];                                                                                              \
    UNROLL for (int v = 0; v < nv; v++)                                                                                \
    {                                                                                                                  \
      lane[v] = *(const vector *)(b + ((Z)*nv + v) * LANES);                                                           \
      OPAQUE_VECTOR(lane[v]);                                                                                          \
    }                                                                                                                  \
    if (ahead)                                                                                                         \
      UNROLL for (int j = 0; j < nv * LANES; j += LINE) __builtin_prefetch(b + (Z)*nv * LANES + j + distance, 0, 2);   \
    UNROLL for (int i = 0; i < rows; i++)                                                                              \
    {                                                                                                                  \
      const real x = a[i * LANES + (Z)];                                                                               \
      UNROLL for (int v = 0; v < nv; v++) sum[i][v] += x * lane[v];                                                    \
    }                                                                                                                  \
  }

INLINE void multiply_rows(const piece *p, const int rows, const int nv, const bool ahead)
{
  const real *a = p->v, *b = p->u;
  const int64_t pitch = p->group_pitch, distance = p->ahead;
  real *const m = p->m;
  bool add = p->add;
  vector group[ROWS][VECTORS]; /* the sums of the group's chains so far */
  int64_t done = 0;            /* the channels of the group that these sums have */
  UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < nv; v++) group[i][v] = (vector){0};
  for (int64_t left = p->channels; left > 0; left -= CHAIN) {
    vector sum[ROWS][VECTORS];
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < nv; v++) sum[i][v] = (vector){0};
    if (left >= CHAIN) {
      for (int s = 0; s < CHAIN; s += LANES) {
        UNROLL for (int z = 0; z < LANES; z++) STEP(z);
        a += pitch;
        b += LANES * nv * LANES;
        __asm__ volatile("" : "+r"(a)); /* one address register for all rows */
      }
    } else {
      int64_t s = left;
      for (; s >= LANES; s -= LANES) {
        UNROLL for (int z = 0; z < LANES; z++) STEP(z);
        a += pitch;
        b += LANES * nv * LANES;
      }
      for (int64_t z = 0; z < s; z++) STEP(z);
    }
    if (done) UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < nv; v++) sum[i][v] += group[i][v];
    done += CHAIN;
    if (done < GROUP && left > CHAIN) {
      UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < nv; v++) group[i][v] = sum[i][v];
      continue;
    }
    if (add)
      UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < nv; v++) sum[i][v] +=
          *(const vector *)(m + (i * nv + v) * LANES);
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < nv; v++) * (vector *)(m + (i * nv + v) * LANES) =
        sum[i][v];
    add = true;
    done = 0;
  }
}

#define DEFINE(M)                                                                                                      \
  static void rows_##M##x1(const piece *p)                                                                             \
  {                                                                                                                    \
    multiply_rows(p, M, 1, false);                                                                                     \
  }                                                                                                                    \
  static void rows_##M##x2(const piece *p)                                                                             \
  {                                                                                                                    \
    multiply_rows(p, M, 2, false);                                                                                     \
  }                                                                                                                    \
  static void ahead_##M##x2(const piece *p)                                                                            \
  {                                                                                                                    \
    multiply_rows(p, M, 2, true);                                                                                      \
  }
EACH(DEFINE)

#define ENTRY_1(M)     [M] = rows_##M##x1,
#define ENTRY_2(M)     [M] = rows_##M##x2,
#define ENTRY_AHEAD(M) [M] = ahead_##M##x2,
static void (*const kernels[3][ROWS + 1])(const piece *) = {{EACH(ENTRY_1)}, {EACH(ENTRY_2)}, {EACH(ENTRY_AHEAD)}};

void CB_NAME(cb_winograd_multiply)(const cb_winograd_product *t)
{
  const int64_t width = (int64_t)t->vectors * LANES, parts = (t->tiles + ROWS - 1) / ROWS;
  void (*const *kernel)(const piece *) = kernels[t->vectors == 1 ? 0 : t->ahead ? 2 : 1];
  for (int64_t c = 0; c < t->channels; c += BLOCK) {
    piece p = {.u = (const real *)t->u + c * width,
               .group_pitch = t->group_pitch,
               .channels = t->channels - c < BLOCK ? t->channels - c : BLOCK,
               .m = t->m,
               .add = t->add || c > 0};
    p.v = (const real *)t->v + c / LANES * t->group_pitch;
    p.ahead = p.channels * width;
    int64_t least = t->tiles / parts, more = t->tiles % parts;
    for (int64_t i = 0; i < parts; i++) {
      const int64_t rows = least + (i < more);
      kernel[rows](&p);
      p.v += rows * LANES;
      p.m += rows * width;
    }
  }
}
