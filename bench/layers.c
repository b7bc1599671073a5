/* The layers around the convolution, timed; see layers.h. */
#include "layers.h"
#include "clock.h"
#include "layers_case.h"
#include "layers_check.h"
#include "layers_more.h"
#include "marks.h"
#include "process_memory.h"
#include "random_data.h"
#include "report_parts.h"
#include "reports/json_numbers.h"
#include "task.h"
#include "timing.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  cnnblas_activation_kind kind;
  const char *name;
} activations[] = {{CNNBLAS_RELU, "relu"},       {CNNBLAS_LEAKY_RELU, "leaky relu"},
                   {CNNBLAS_SIGMOID, "sigmoid"}, {CNNBLAS_TANH, "tanh"},
                   {CNNBLAS_ELU, "elu"},         {CNNBLAS_SOFTPLUS, "softplus"},
                   {CNNBLAS_SWISH, "swish"},     {CNNBLAS_HSWISH, "hswish"},
                   {CNNBLAS_GELU, "gelu"}};
static const char *const pool_names[] = {"max pool", "avg pool", "l2 pool"};

/* Feature maps of ResNet-50's first stages and VGG's first layer: in the last-level cache, and in memory. */
static const struct {
  int64_t c, size;
} activation_shapes[] = {{64, 56}, {64, 224}};

/* A digit network's two, VGG's first, ResNet's, GoogLeNet's inception; averages of a DenseNet and at a network's end. */
static const layer_case pools[] = {
    {LAYER_POOL, CNNBLAS_POOL_MAX, LAYER_FORWARD, 8, 24, 2, 2, 0},
    {LAYER_POOL, CNNBLAS_POOL_MAX, LAYER_FORWARD, 16, 8, 2, 2, 0},
    {LAYER_POOL, CNNBLAS_POOL_MAX, LAYER_FORWARD, 64, 224, 2, 2, 0},
    {LAYER_POOL, CNNBLAS_POOL_MAX, LAYER_FORWARD, 64, 112, 3, 2, 1},
    {LAYER_POOL, CNNBLAS_POOL_MAX, LAYER_FORWARD, 480, 14, 3, 1, 1},
    {LAYER_POOL, CNNBLAS_POOL_AVG, LAYER_FORWARD, 128, 56, 2, 2, 0},
    {LAYER_POOL, CNNBLAS_POOL_AVG, LAYER_FORWARD, 2048, 7, 7, 1, 0},
    {LAYER_POOL, CNNBLAS_POOL_L2, LAYER_FORWARD, 64, 112, 2, 2, 0},
};

/* A digit network's two, and VGG's second. */
static const layer_case connected[] = {
    {LAYER_FC, 0, LAYER_FORWARD, 256, 64, 0, 0, 0},
    {LAYER_FC, 0, LAYER_FORWARD, 64, 10, 0, 0, 0},
    {LAYER_FC, 0, LAYER_FORWARD, 4096, 4096, 0, 0, 0},
};

enum {
  SHAPES = sizeof activation_shapes / sizeof *activation_shapes,
  POOLS = sizeof pools / sizeof *pools,
  CONNECTED = sizeof connected / sizeof *connected,
  ACTIVATIONS = sizeof activations / sizeof *activations,
  MOST_MORE = 32,
  MOST_CASES = ACTIVATIONS * 2 * SHAPES + 2 * POOLS + 3 * CONNECTED + 1 + MOST_MORE * SHAPES,
  DEFAULT_BATCH = 8
};

static size_t list_cases(layer_case *cases)
{
  size_t count = 0;
  for (int s = 0; s < SHAPES; s++)
    for (int kind = 0; kind < ACTIVATIONS; kind++)
      for (int d = 0; d < 2; d++)
        cases[count++] = (layer_case){.family = LAYER_ACTIVATION,
                                      .kind = kind,
                                      .direction = (layer_direction)d,
                                      .c = activation_shapes[s].c,
                                      .size = activation_shapes[s].size};
  for (int p = 0; p < POOLS; p++)
    for (int d = 0; d < 2; d++) {
      cases[count] = pools[p];
      cases[count++].direction = (layer_direction)d;
    }
  for (int f = 0; f < CONNECTED; f++)
    for (int d = 0; d < 3; d++) {
      cases[count] = connected[f];
      cases[count++].direction = (layer_direction)d;
    }
  cases[count++] = (layer_case){.family = LAYER_SGD, .c = 1 << 22};
  for (int s = 0; s < SHAPES; s++)
    for (int kind = 0; kind < bench_more_count() && kind < MOST_MORE; kind++)
      cases[count++] = (layer_case){
          .family = LAYER_MORE, .kind = kind, .c = activation_shapes[s].c, .size = activation_shapes[s].size};
  return count;
}

/* As many bytes read and written as the layer's call reads and writes, in equal parts a thread. */
static bool copy_call(void *state)
{
  const layer_rig *r = state;
  size_t part = (r->copy_bytes / (size_t)r->threads + 63) / 64 * 64;
#pragma omp parallel for num_threads(r->threads) schedule(static)
  for (int t = 0; t < r->threads; t++) {
    size_t begin = part * (size_t)t, end = begin + part < r->copy_bytes ? begin + part : r->copy_bytes;
    if (begin < end) memcpy((char *)r->to + begin, (const char *)r->from + begin, end - begin);
  }
  return true;
}

static bool gemm_call(void *state)
{
  bench_gemm(&((const layer_rig *)state)->gemm);
  return true;
}

static void release(layer_rig *r)
{
  for (int i = 0; i < r->page_count; i++) bench_pages_free(r->pages[i], r->page_bytes[i]);
  r->page_count = 0;
}

static void *take(layer_rig *r, size_t bytes)
{
  void *pages = bench_pages(bytes);
  if (!pages) return NULL;
  r->page_bytes[r->page_count] = bytes;
  return r->pages[r->page_count++] = pages;
}

static void *take_random(layer_rig *r, uint64_t seed, int64_t count)
{
  void *array = take(r, (size_t)count * r->element);
  if (array) bench_random_fill(seed, array, count, r->element);
  return array;
}

static void set_sizes(layer_rig *r)
{
  const layer_case *l = r->layer;
  switch (l->family) {
  case LAYER_ACTIVATION:
    r->inputs = r->outputs = r->n * l->c * l->size * l->size;
    r->activation =
        (cnnblas_activation_desc){.dtype = r->dtype, .threads = r->threads, .function.kind = activations[l->kind].kind};
    r->moved_bytes = (size_t)r->inputs * r->element * (l->direction == LAYER_FORWARD ? 2 : 3);
    break;
  case LAYER_POOL:
    r->out = (l->size + 2 * l->pad - l->kernel) / l->stride + 1;
    r->inputs = r->n * l->c * l->size * l->size;
    r->outputs = r->n * l->c * r->out * r->out;
    r->pool = (cnnblas_pool_desc){.dtype = r->dtype,
                                  .kind = (cnnblas_pool_kind)l->kind,
                                  .threads = r->threads,
                                  .n = r->n,
                                  .c = l->c,
                                  .size = {l->size, l->size},
                                  .kernel = {l->kernel, l->kernel},
                                  .stride = {l->stride, l->stride},
                                  .pad_begin = {l->pad, l->pad},
                                  .pad_end = {l->pad, l->pad}};
    r->moved_bytes = (size_t)(r->inputs + r->outputs) * r->element;
    if (l->kind == CNNBLAS_POOL_MAX) r->moved_bytes += (size_t)r->outputs * sizeof *r->indices;
    if (l->kind == CNNBLAS_POOL_L2 && l->direction == LAYER_BACKWARD)
      r->moved_bytes += (size_t)(r->inputs + r->outputs) * r->element;
    break;
  case LAYER_FC:
    r->inputs = r->n * l->c;
    r->outputs = r->n * l->size;
    r->weights = l->c * l->size;
    r->fc = (cnnblas_fc_desc){.dtype = r->dtype, .threads = r->threads, .n = r->n, .in = l->c, .out = l->size};
    r->moved_bytes = (size_t)(r->inputs + r->outputs + r->weights) * r->element;
    break;
  case LAYER_SGD:
    r->inputs = r->weights = l->c;
    r->sgd =
        (cnnblas_sgd_desc){.dtype = r->dtype, .threads = r->threads, .lr = 1e-6, .momentum = 0.9, .weight_decay = 1e-4};
    r->moved_bytes = (size_t)r->inputs * r->element * 5;
    break;
  case LAYER_MORE:
    bench_more_set(r);
    break;
  }
}

/* y [n][out] = x w^T, dx [n][in] = dy w, dw [out][in] = dy^T x: into arrays of the yardstick's own. */
static void set_gemm(layer_rig *r)
{
  int64_t in = r->layer->c, out = r->layer->size;
  bench_gemm_args forward = {r->dtype, false, true, false, r->n, out, in, r->x, r->w, r->to};
  bench_gemm_args backward = {r->dtype, false, false, false, r->n, in, out, r->dy, r->w, r->to};
  bench_gemm_args weights = {r->dtype, true, false, false, out, in, r->n, r->dy, r->x, r->to};
  r->gemm = r->layer->direction == LAYER_FORWARD ? forward : r->layer->direction == LAYER_BACKWARD ? backward : weights;
}

static bool fill(layer_rig *r)
{
  bool fc = r->layer->family == LAYER_FC, max = r->layer->family == LAYER_POOL && r->layer->kind == CNNBLAS_POOL_MAX;
  bool ok = (r->x = take_random(r, BENCH_SEED_X, r->inputs)) && (r->dx = take_random(r, BENCH_SEED_DY, r->inputs));
  if (ok && r->outputs)
    ok = (r->y = take(r, (size_t)r->outputs * r->element)) && (r->dy = take_random(r, BENCH_SEED_DY, r->outputs));
  if (ok && r->weights) ok = (r->w = take_random(r, BENCH_SEED_W, r->weights));
  if (ok && fc) ok = (r->dw = take(r, (size_t)r->weights * r->element));
  if (ok && max) ok = (r->indices = take(r, (size_t)r->outputs * sizeof *r->indices));
  if (!ok) return false;
  r->copy_bytes = r->moved_bytes / 2;
  if (!fc)
    return (r->from = take_random(r, BENCH_SEED_W, (int64_t)(r->copy_bytes / r->element) + 1)) &&
           (r->to = take(r, r->copy_bytes));
  int64_t most = r->inputs > r->outputs ? r->inputs : r->outputs;
  if (!(r->to = take(r, (size_t)(most > r->weights ? most : r->weights) * r->element))) return false;
  set_gemm(r);
  return true;
}

static void name_case(const layer_rig *r, char *name, size_t size)
{
  const layer_case *l = r->layer;
  long long n = r->n, c = l->c, s = l->size;
  const char *full =
      cnnblas_conv_direction_name((cnnblas_conv_direction)l->direction); /* layers without weights have one way back */
  const char *direction = l->direction == LAYER_FORWARD ? full : "backward";
  if (l->family == LAYER_ACTIVATION)
    snprintf(name, size, "%s %s %lldx%lldx%lldx%lld", activations[l->kind].name, direction, n, c, s, s);
  else if (l->family == LAYER_POOL)
    snprintf(name, size, "%s %lld/%lld %s %lldx%lldx%lldx%lld", pool_names[l->kind], (long long)l->kernel,
             (long long)l->stride, direction, n, c, s, s);
  else if (l->family == LAYER_FC)
    snprintf(name, size, "fc %s %lldx%lld -> %lld", full, n, c, s);
  else if (l->family == LAYER_MORE)
    snprintf(name, size, "%s %lldx%lldx%lldx%lld", bench_more_name(l->kind), n, c, s, s);
  else
    snprintf(name, size, "sgd with momentum %lld", c);
}

/* What one case gave. */
typedef struct layer_row {
  char name[64];
  double error; /* share of the bound */
  bench_timing timing, yardstick;
  const char *yardstick_name;
  bool one_pass;         /* every array is read or written once, by definition: the copy is a fair yardstick */
  double gbytes, gflops; /* a second; gflops 0 unless a matrix product */
  bench_load load;
} layer_row;

static int measure(const layer_case *layer, const bench_options *options, layer_row *row)
{
  layer_rig r = {.layer = layer,
                 .dtype = options->dtype,
                 .element = bench_element_bytes(options->dtype),
                 .n = options->batch ? options->batch : DEFAULT_BATCH,
                 .threads = options->threads};
  bool fc = layer->family == LAYER_FC;
  set_sizes(&r);
  name_case(&r, row->name, sizeof row->name);
  if (!fill(&r)) {
    release(&r);
    return BENCH_NO_MEMORY;
  }
  row->error = bench_layer_check(&r);
  bench_stopwatch watches[2] = {{.run = bench_layer_call, .state = &r},
                                {.run = fc ? gemm_call : copy_call, .state = &r, .rest_afterwards = fc}};
  for (int i = 0; i < 2; i++) {
    watches[i].run(&r);
    double begin = bench_now();
    watches[i].run(&r);
    watches[i].first_call = bench_now() - begin;
  }
  bench_load_begin(options->load);
  int status = bench_time_all(watches, 2, options->min_time) ? BENCH_OK : BENCH_NO_MEMORY;
  bench_load_end(options->load);
  row->load = bench_load_of(options->load, &watches[0].clocks, options->threads);
  row->timing = watches[0].timing;
  row->yardstick = watches[1].timing;
  row->yardstick_name = fc ? "gemm" : "copy";
  row->one_pass = !fc && (layer->family != LAYER_MORE || bench_more_one_pass(layer->kind));
  row->gbytes = (double)r.moved_bytes / row->timing.minimum * 1e-9;
  row->gflops = fc ? 2.0 * (double)r.n * (double)r.weights / row->timing.minimum * 1e-9 : 0;
  release(&r);
  return status == BENCH_OK && !(row->error <= 1) ? BENCH_CHECK_FAILED : status;
}

static json_t *row_json(const layer_row *row, const bench_options *options)
{
  json_t *o = json_object();
  json_object_set_new(o, "name", json_sprintf("layers/%s", row->name));
  json_object_set_new(o, "run_name", json_sprintf("layers/%s", row->name));
  json_object_set_new(o, "run_type", json_string("iteration"));
  json_object_set_new(o, "repetitions", json_integer(1));
  json_object_set_new(o, "repetition_index", json_integer(0));
  json_object_set_new(o, "threads", json_integer(options->threads));
  bench_timing_json(o, &row->timing);
  bench_load_json(o, &row->load);
  json_object_set_new(o, "set", json_string("layers"));
  json_object_set_new(o, "problem", json_string(row->name));
  json_object_set_new(o, "algorithm", json_string("layer"));
  json_object_set_new(o, "dtype", json_string(options->dtype == CNNBLAS_F64 ? "f64" : "f32"));
  json_object_set_new(o, "gbytes_per_second", io_json_number(row->gbytes));
  if (row->gflops > 0) json_object_set_new(o, "gflops", io_json_number(row->gflops));
  json_object_set_new(o, "yardstick", json_string(row->yardstick_name));
  json_object_set_new(o, "yardstick_us", io_json_number(row->yardstick.minimum * 1e6));
  json_object_set_new(o, "times_yardstick", io_json_number(row->timing.minimum / row->yardstick.minimum));
  json_object_set_new(o, "one_pass", json_boolean(row->one_pass));
  json_object_set_new(o, "error_share_of_bound", io_json_number(row->error));
  json_object_set_new(o, "error_occurred", json_boolean(!(row->error <= 1)));
  if (!(row->error <= 1)) json_object_set_new(o, "error_message", json_string("wrong result"));
  return o;
}

static void print_head(const bench_context *context, int threads)
{
  const cnnblas_system_info *s = &context->system;
  printf("cnnblas-bench %s layers: %s, %d threads, %s\n", cnnblas_version_string(),
         s->cpu_model[0] ? s->cpu_model : "unknown CPU", threads, s->isa);
  printf("%s, %s build; yardsticks: a copy that moves as many bytes, or OpenBLAS's product alone; data seeds 1 to 3\n",
         context->compiler, context->build_type);
  if (context->debug_build) printf("*** DEBUG BUILD (%s): these figures mean nothing ***\n", context->build_type);
  printf("\n%-42s %9s %8s %8s %18s %7s\n", "layer", "us", "GB/s", "GFLOP/s", "yardstick us", "ratio");
}

static void print_row(const layer_row *r)
{
  printf("%-42s %9.1f %8.1f ", r->name, r->timing.minimum * 1e6, r->gbytes);
  if (r->gflops > 0)
    printf("%8.1f ", r->gflops);
  else
    printf("%8s ", "");
  printf("%8s %9.1f %7.2f %-8s %s%s\n", r->yardstick_name, r->yardstick.minimum * 1e6,
         r->timing.minimum / r->yardstick.minimum, r->one_pass ? "one pass" : "", bench_mark(&r->load, false),
         r->error <= 1 ? "" : "  WRONG");
  fflush(stdout);
}

/* The rows of one pass so far: how many, of them those of at most 1.5 times their yardstick, and the sum of all ratios. */
typedef struct {
  int count, within;
  double ratios;
} one_pass_rows;

static void count_one_pass(one_pass_rows *all, const layer_row *row)
{
  double ratio = row->timing.minimum / row->yardstick.minimum;
  if (!row->one_pass) return;
  all->count++;
  all->within += ratio <= 1.5;
  all->ratios += ratio;
}

int bench_layers_run(const bench_options *options, bench_context *context)
{
  layer_case cases[MOST_CASES];
  size_t count = list_cases(cases);
  json_t *rows = json_array();
  bench_mark_counts marks = {0};
  one_pass_rows one_pass = {0};
  int status = rows ? BENCH_OK : BENCH_NO_MEMORY;
  context->threads = options->threads;
  context->peaks = (bench_peaks){.fma_gflops = NAN, .gemm_gflops = NAN, .bandwidth_gbytes = NAN, .fma_isa = ""};
  bench_set_threads(options->threads);
  print_head(context, options->threads);
  for (size_t i = 0; i < count && status != BENCH_NO_MEMORY; i++) {
    layer_row row;
    int measured = measure(&cases[i], options, &row);
    if (measured != BENCH_OK) status = measured;
    if (measured == BENCH_NO_MEMORY) break;
    print_row(&row);
    bench_mark_count(&marks, &row.load, false);
    count_one_pass(&one_pass, &row);
    json_array_append_new(rows, row_json(&row, options));
  }
  if (one_pass.count > 0)
    printf("\nof one pass over the layer's arrays: %d rows, mean ratio %.2f, %d at most 1.5\n", one_pass.count,
           one_pass.ratios / one_pass.count, one_pass.within);
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
  return status;
}
