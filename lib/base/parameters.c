/* The table of what depends on the machine; see parameters.h. */
#include "base/parameters.h"
#include <pthread.h>
#include <string.h>

/* The figures of AVX-512, which the other levels share where their rows say nothing else. They were measured on one
   core and on two of a Zen 4 and a Zen 5 EPYC. */
static const cb_parameters common = {
    .order =
        {
            .chunk_steps = 512,
            .lowered_bytes = 1 << 20,
            .segment_bytes = 512 << 10,
            .task_macs = 1 << 17,
            .lowered_macs = 1 << 20,
            .gradient_band = 768 << 10,
            .far_rows_bytes = INT64_MAX,
            .gathered_bytes = 12 << 20,
            .band_bytes = 768 << 10,
            .block_pixels = 448,
            .lane_pixels = 3136,
            .staged_pixels = 1024,
            .shared_panels = 2560 << 10,
            .direct_pixels = 2048,
        },
    .pace =
        {
            .far_bytes = 12 << 20,
            .near_bytes = 512 << 10,
            .past_bytes = 12 << 20,
            .asked_bytes = 1 << 20,
        },
};

static void order_avx2(cb_order *order)
{
  order->chunk_steps = 288; /* a sliver of [288][16] floats takes 18 KiB of L1 */
  order->whole_channels = true;
  order->far_rows_bytes = 4 << 20; /* packed rows of more won 1.1 to 1.8 (Zen 3), of 3 MiB nothing, of 1 MiB .8 to 1 */
}
static void pace_avx2(cb_pace *pace)
{
  pace->past_bytes = INT64_MAX; /* stores past the caches stalled: 31 ms where 21 were taken otherwise (Zen 3) */
}
static void order_avx512(cb_order *order)
{
  order->chunk_steps = common.order.chunk_steps;
  order->whole_channels = false;
  order->far_rows_bytes = common.order.far_rows_bytes;
}
static void pace_avx512(cb_pace *pace)
{
  pace->past_bytes = common.pace.past_bytes;
}

/* What levels have of their own, and what makers have at a level; a level takes what those below it have, and then its
   own. A maker's row may change the pace alone. */
static const struct {
  const char *level;
  cb_maker maker; /* whose processors take the row; CB_MAKER_ANY: all */
  void (*order)(cb_order *order);
  void (*pace)(cb_pace *pace);
} rows[] = {
    {"baseline", CB_MAKER_ANY, NULL, NULL},
    {"avx2", CB_MAKER_ANY, order_avx2, pace_avx2},
    {"avx512", CB_MAKER_ANY, order_avx512, pace_avx512},
};

static void take_level(cb_parameters *p, const char *level, cb_maker maker)
{
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (strcmp(rows[i].level, level) != 0) continue;
    if (rows[i].order && rows[i].maker == CB_MAKER_ANY) rows[i].order(&p->order);
    if (rows[i].pace && (rows[i].maker == CB_MAKER_ANY || rows[i].maker == maker)) rows[i].pace(&p->pace);
  }
}

cb_parameters cb_parameters_of(const cb_cpu *cpu)
{
  enum { MOST_OF_LAST = 4 << 20 };
  cb_parameters p = common;
  for (int isa = 0; isa <= (int)cpu->level; isa++) take_level(&p, cb_isa_name((cb_isa)isa), cpu->maker);
  p.pace.l2_bytes = (int64_t)cpu->l2;
  p.pace.last_bytes = cpu->l3 < MOST_OF_LAST ? (int64_t)cpu->l3 : MOST_OF_LAST;
  return p;
}

static cb_parameters parameters;

static void find(void)
{
  parameters = cb_parameters_of(cb_cpu_get());
}

const cb_parameters *cb_parameters_get(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, find);
  return &parameters;
}
