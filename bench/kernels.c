/*
 * The micro-kernels alone: one of the three doors into lib/ (lib/README.md).
 *
 * A kernel of m rows and nv vectors of lanes computes (lib/gemm/engine.h)
 *
 *     c[i][j] = sum over s < k of  a[row[i] + awalk[s]] * b[bwalk[s] + j]
 *
 * Here its rows are neighbouring pixels of a padded band under 3x3 filters, as in a forward convolution, and the
 * lanes a packed panel of weights. What a walk comes across stays in L1: the band's channels and the panel's steps
 * are walked again from their beginning as often as k needs. The yardstick, multiply-adds on registers alone with the
 * same vectors, is timed as one candidate among the kernels of its level, so a slow spell of the machine meets all of
 * them.
 */
#define _GNU_SOURCE
#include "kernels.h"
#include "clock.h"
#include "gemm/engine.h"
#include "marks.h"
#include "peaks_fma.h"
#include "process_memory.h"
#include "random_data.h"
#include "report_parts.h"
#include "reports/json_numbers.h"
#include "task.h"
#include "timing.h"
#include <errno.h>
#include <float.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t depths[] = {256, 512};
enum {
  DEPTHS = 2,
  MAX_DEPTH = 512,
  TAPS = 9,
  ROW_PITCH = 16, /* of the band: 14 pixels and a zero on either side */
  CHANNEL_PITCH = 3 * ROW_PITCH,
  PEAK_ITERATIONS = 1 << 12,
  MOST_KERNELS = CB_MAX_VECTORS * CB_MAX_ROWS
};

/* Everything that the kernels of one engine read and write. */
typedef struct arena {
  void *pages;
  size_t bytes;
  void *a, *b, *c;
  int64_t channels; /* of the band */
  int64_t period;   /* steps of the panel, for one vector of lanes; nv vectors have period / nv */
  int32_t row[CB_MAX_ROWS], awalk[MAX_DEPTH], bwalk[CB_MAX_VECTORS + 1][MAX_DEPTH];
} arena;

typedef struct kernel_run {
  const cb_engine *engine;
  int m, nv;
  cb_kernel kernel;
  cb_tile tile;
  double gflops, percent, error; /* error: share of the bound */
  bench_timing timing;
  bench_load load;
} kernel_run;

typedef struct level_run {
  const cb_engine *engine;
  bench_fma fma;
  double peak_gflops;
  kernel_run runs[MOST_KERNELS * DEPTHS];
  size_t count;
} level_run;

static bool run_kernel(void *state)
{
  const kernel_run *r = state;
  r->kernel(&r->tile);
  return true;
}

static bool run_peak(void *state)
{
  volatile double keep = ((const level_run *)state)->fma.run(PEAK_ITERATIONS); /* or the chains would be dropped */
  (void)keep;
  return true;
}

/* Three eighths of L1 for the panel and one for the band leave room for c and the walks. */
static bool arena_init(arena *s, const cb_engine *engine, size_t element, size_t l1)
{
  int64_t elements = (int64_t)(l1 / 8 / element);
  s->channels = elements / CHANNEL_PITCH > 0 ? elements / CHANNEL_PITCH : 1;
  s->period = 3 * elements / engine->lanes;
  size_t a = (size_t)((s->channels + 1) * CHANNEL_PITCH) * element;
  size_t b = (size_t)((s->period + CB_MAX_VECTORS) * engine->lanes) * element;
  a = (a + 63) / 64 * 64;
  b = (b + 63) / 64 * 64;
  s->bytes = a + b + (size_t)(CB_MAX_ROWS * CB_MAX_LANES) * element;
  if (!(s->pages = bench_pages(s->bytes))) return false;
  s->a = s->pages;
  s->b = (char *)s->pages + a;
  s->c = (char *)s->b + b;
  bench_random_fill(BENCH_SEED_X, s->a, (int64_t)(a / element), element);
  bench_random_fill(BENCH_SEED_W, s->b, (int64_t)(b / element), element);
  for (int i = 0; i < CB_MAX_ROWS; i++) s->row[i] = i;
  for (int64_t k = 0; k < MAX_DEPTH; k++) {
    int64_t channel = k / TAPS % s->channels, tap = k % TAPS;
    s->awalk[k] = (int32_t)(channel * CHANNEL_PITCH + tap / 3 * ROW_PITCH + tap % 3);
    for (int nv = 1; nv <= CB_MAX_VECTORS; nv++) s->bwalk[nv][k] = (int32_t)(k % (s->period / nv) * nv * engine->lanes);
  }
  return true;
}

static double element_of(cnnblas_dtype dtype, const void *array, int64_t i)
{
  return dtype == CNNBLAS_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

/* The largest |c - sum a b| / (k u sum |a b|): at most 1, or the kernel is wrong. */
static double check(const kernel_run *r, cnnblas_dtype dtype)
{
  const cb_tile *t = &r->tile;
  double unit = dtype == CNNBLAS_F64 ? DBL_EPSILON / 2 : FLT_EPSILON / 2, worst = 0;
  r->kernel(t);
  for (int i = 0; i < r->m; i++)
    for (int j = 0; j < r->nv * r->engine->lanes; j++) {
      long double sum = 0, magnitude = 0;
      for (int64_t s = 0; s < t->steps; s++) {
        long double product =
            (long double)element_of(dtype, t->a, t->row[i] + t->awalk[s]) * element_of(dtype, t->b, t->bwalk[s] + j);
        sum += product;
        magnitude += fabsl(product);
      }
      double error =
          (double)(fabsl(element_of(dtype, t->c, i * t->ldc + j) - sum) / ((long double)t->steps * unit * magnitude));
      if (!(error <= worst)) worst = error;
    }
  return worst;
}

static double seconds_of_one(bool (*run)(void *), void *state)
{
  run(state);
  double begin = bench_now();
  for (int i = 0; i < 4; i++) run(state);
  return (bench_now() - begin) / 4;
}

static void list_kernels(level_run *l, const arena *s)
{
  l->count = 0;
  for (int nv = 1; nv <= CB_MAX_VECTORS; nv++)
    for (int m = 1; m <= l->engine->rows[nv]; m++)
      for (int d = 0; d < DEPTHS; d++) {
        kernel_run *r = &l->runs[l->count++];
        *r = (kernel_run){.engine = l->engine, .m = m, .nv = nv, .kernel = l->engine->kernel[nv][m]};
        r->tile = (cb_tile){.a = s->a,
                            .row = s->row,
                            .awalk = s->awalk,
                            .b = s->b,
                            .bwalk = s->bwalk[nv],
                            .steps = depths[d],
                            .c = s->c,
                            .ldc = CB_MAX_LANES};
      }
}

/* Checks, then times all kernels of a level and the peak in turns. */
static int measure(level_run *l, arena *s, const bench_options *options)
{
  size_t element = bench_element_bytes(options->dtype);
  cnnblas_system_info info;
  cnnblas_system_get_info(&info);
  if (!arena_init(s, l->engine, element, info.l1d_bytes)) return BENCH_NO_MEMORY;
  list_kernels(l, s);
  bench_stopwatch *watches = calloc(l->count + 1, sizeof *watches);
  int status = watches ? BENCH_OK : BENCH_NO_MEMORY;
  if (watches) {
    for (size_t i = 0; i < l->count; i++) {
      l->runs[i].error = check(&l->runs[i], options->dtype);
      if (!(l->runs[i].error <= 1)) status = BENCH_CHECK_FAILED;
      watches[i] = (bench_stopwatch){.run = run_kernel, .state = &l->runs[i]};
    }
    watches[l->count] = (bench_stopwatch){.run = run_peak, .state = l};
    for (size_t i = 0; i <= l->count; i++) watches[i].first_call = seconds_of_one(watches[i].run, watches[i].state);
    bench_load_begin(options->load);
    if (!bench_time_all(watches, l->count + 1, options->min_time)) status = BENCH_NO_MEMORY;
    bench_load_end(options->load);
    l->peak_gflops = l->fma.flops * PEAK_ITERATIONS / watches[l->count].timing.minimum * 1e-9;
  }
  for (size_t i = 0; i < l->count && status != BENCH_NO_MEMORY; i++) {
    kernel_run *r = &l->runs[i];
    r->timing = watches[i].timing;
    r->load = bench_load_of(options->load, &watches[i].clocks, 1);
    r->gflops = 2.0 * r->m * r->nv * l->engine->lanes * (double)r->tile.steps / r->timing.minimum * 1e-9;
    r->percent = 100 * r->gflops / l->peak_gflops;
  }
  free(watches);
  bench_pages_free(s->pages, s->bytes);
  return status;
}

static void print_level(const level_run *l)
{
  printf("\n%s: multiply-adds alone %.1f GFLOP/s\n", l->engine->name, l->peak_gflops);
  printf("%-14s", "rows x lanes");
  for (int d = 0; d < DEPTHS; d++) printf(" %8s k=%-4lld  %% peak ", "", (long long)depths[d]);
  putchar('\n');
  for (size_t i = 0; i < l->count; i += DEPTHS) {
    const kernel_run *r = &l->runs[i];
    char shape[32];
    snprintf(shape, sizeof shape, "%dx%d", r->m, r->nv * l->engine->lanes);
    printf("%-14s", shape);
    for (int d = 0; d < DEPTHS; d++)
      printf(" %14.1f  %6.1f%-1s", r[d].gflops, r[d].percent, bench_mark(&r[d].load, false));
    puts(r[0].error <= 1 && r[1].error <= 1 ? "" : "  WRONG");
  }
}

static json_t *row_json(const level_run *l, const kernel_run *r, const bench_options *options)
{
  char name[64];
  json_t *o = json_object();
  snprintf(name, sizeof name, "kernels/%s/%dx%d/k:%lld", l->engine->name, r->m, r->nv * l->engine->lanes,
           (long long)r->tile.steps);
  json_object_set_new(o, "name", json_string(name));
  json_object_set_new(o, "run_name", json_string(name));
  json_object_set_new(o, "run_type", json_string("iteration"));
  json_object_set_new(o, "repetitions", json_integer(1));
  json_object_set_new(o, "repetition_index", json_integer(0));
  json_object_set_new(o, "threads", json_integer(1));
  bench_timing_json(o, &r->timing);
  bench_load_json(o, &r->load);
  json_object_set_new(o, "set", json_string("kernels"));
  json_object_set_new(o, "problem", json_string(name));
  json_object_set_new(o, "algorithm", json_string(l->engine->name));
  json_object_set_new(o, "dtype", json_string(options->dtype == CNNBLAS_F64 ? "f64" : "f32"));
  json_object_set_new(o, "rows", json_integer(r->m));
  json_object_set_new(o, "vectors", json_integer(r->nv));
  json_object_set_new(o, "lanes", json_integer(r->nv * l->engine->lanes));
  json_object_set_new(o, "steps", json_integer(r->tile.steps));
  json_object_set_new(o, "gflops", io_json_number(r->gflops));
  json_object_set_new(o, "fma_peak_gflops", io_json_number(l->peak_gflops));
  json_object_set_new(o, "percent_of_peak", io_json_number(r->percent));
  json_object_set_new(o, "error_share_of_bound", io_json_number(r->error));
  json_object_set_new(o, "error_occurred", json_boolean(!(r->error <= 1)));
  if (!(r->error <= 1)) json_object_set_new(o, "error_message", json_string("wrong result"));
  return o;
}

/* Keeps the calling thread on the core where it is. Returns that core, or -1. */
static int pin(void)
{
#ifdef __linux__
  int core = sched_getcpu();
  cpu_set_t set;
  CPU_ZERO(&set);
  if (core < 0 || core >= CPU_SETSIZE) return -1;
  CPU_SET((size_t)core, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0 ? core : -1;
#else
  return -1;
#endif
}

static void print_head(const bench_context *context, int core)
{
  const cnnblas_system_info *s = &context->system;
  printf("cnnblas-bench %s kernels: %s, one thread, ", cnnblas_version_string(),
         s->cpu_model[0] ? s->cpu_model : "unknown CPU");
  printf(core < 0 ? "not pinned\n" : "pinned to core %d\n", core);
  printf("%s, %s build; panels and band in half of L1 (%zu KiB); data seeds 1 and 2\n", context->compiler,
         context->build_type, s->l1d_bytes / 1024);
  if (context->debug_build) printf("*** DEBUG BUILD (%s): these figures mean nothing ***\n", context->build_type);
}

int bench_kernels_run(const bench_options *options, bench_context *context)
{
  bench_mark_counts marks = {0};
  arena *s = calloc(1, sizeof *s);
  level_run *l = calloc(1, sizeof *l);
  json_t *rows = json_array();
  int status = s && l && rows ? BENCH_OK : BENCH_NO_MEMORY;
  print_head(context, pin());
  context->threads = 1;
  context->peaks = (bench_peaks){.gemm_gflops = NAN, .bandwidth_gbytes = NAN};
  for (int isa = CB_ISA_COUNT - 1; isa >= 0 && status != BENCH_NO_MEMORY; isa--) {
    const cb_engine *engine = cb_engine_at(options->dtype, (cb_isa)isa);
    const char *name = cb_isa_name((cb_isa)isa);
    bench_fma fma = bench_fma_at(options->dtype, name);
    if (isa > (int)cb_cpu_get()->level) {
      printf("\n%s: skipped, not this machine's (or lowered by CNNBLAS_ISA)\n", name);
      continue;
    }
    *l = (level_run){.engine = engine, .fma = fma};
    int measured = measure(l, s, options);
    if (measured != BENCH_OK) status = measured;
    if (measured == BENCH_NO_MEMORY) break;
    if (!context->peaks.fma_isa) context->peaks.fma_isa = name, context->peaks.fma_gflops = l->peak_gflops;
    print_level(l);
    fflush(stdout);
    for (size_t i = 0; i < l->count; i++) {
      bench_mark_count(&marks, &l->runs[i].load, false);
      json_array_append_new(rows, row_json(l, &l->runs[i], options));
    }
  }
  bench_mark_footnote(&marks);
  if (status == BENCH_NO_MEMORY) fputs("cnnblas-bench: out of memory\n", stderr);
  if (status == BENCH_CHECK_FAILED) puts("\nWRONG RESULTS: see the rows marked so");
  if (options->json && rows && status != BENCH_NO_MEMORY) {
    if (!bench_report_dump(options->json, bench_context_json(context), rows)) {
      fprintf(stderr, "cnnblas-bench: %s: %s\n", options->json, strerror(errno));
      status = BENCH_NO_MEMORY;
    }
  } else
    json_decref(rows);
  free(l);
  free(s);
  return status;
}
