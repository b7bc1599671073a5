/* Timing the candidates of a plan on arrays of its size; see measure.h. */
#include "conv/measure.h"
#include "base/memory.h"
#include "base/status.h"
#include "conv/algorithms.h"
#include "conv/execute.h"
#include <string.h>
#include <time.h>

enum { ROUNDS = 5 };

typedef struct {
  void *x, *w, *y;
} arrays;

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Small pseudo-random values around 0 (an LCG's top bits): never zeros, never denormal. */
static void *random_array(int64_t elements, const cb_geometry *geo)
{
  void *array = cb_alloc((size_t)elements * geo->element);
  uint32_t state = 1;
  for (int64_t i = 0; array && i < elements; i++) {
    state = state * 1664525u + 1013904223u;
    double value = ((double)(state >> 8) + 0.5) / (1 << 23) - 1;
    if (geo->dtype == CNNBLAS_F64)
      ((double *)array)[i] = value;
    else
      ((float *)array)[i] = (float)value;
  }
  return array;
}

static void release(arrays *a)
{
  cb_free(a->x);
  cb_free(a->w);
  cb_free(a->y);
}

static cnnblas_status acquire(arrays *a, const cb_geometry *geo)
{
  a->x = random_array(geo->n * geo->c * geo->image, geo);
  a->w = random_array(geo->k * geo->q, geo);
  a->y = random_array(geo->n * geo->k * geo->p, geo);
  if (a->x && a->w && a->y) return CNNBLAS_OK;
  release(a);
  return cb_fail(CNNBLAS_OUT_OF_MEMORY, "out of memory: scratch arrays for measuring");
}

/* A row that applies, with a plan of its own. */
typedef struct {
  const cb_algorithm *row;
  cnnblas_conv_plan trial;
  double estimate;
  double rounds[ROUNDS];
  double least, median; /* of the rounds */
} candidate;

typedef struct {
  candidate items[CB_MAX_ALGORITHMS];
  int count, prepared;
  size_t bytes; /* the largest workspace */
  int won;      /* rounds that their first winner won; fewer than all where rounds disagree */
} field;

/* Every row that applies, its estimate taken from the plan. */
static void enter(field *f, const cnnblas_conv_plan *plan)
{
  char why[128];
  for (int i = 0; cb_algorithm_at(i); i++) {
    const cb_algorithm *row = cb_algorithm_at(i);
    if (row->by_name_only || !cb_algorithm_applies(row, &plan->problem, why, sizeof why)) continue;
    candidate *c = &f->items[f->count++];
    *c = (candidate){.row = row, .trial = *plan, .estimate = plan->seconds[i]};
    c->trial.algorithm = row;
  }
}

static cnnblas_status prepare(field *f)
{
  for (; f->prepared < f->count; f->prepared++) {
    candidate *c = &f->items[f->prepared];
    cnnblas_status status = c->row->prepare(&c->trial);
    if (status) return status;
    size_t bytes = cnnblas_conv_plan_workspace(&c->trial);
    if (bytes > f->bytes) f->bytes = bytes;
  }
  return CNNBLAS_OK;
}

static void retire(field *f)
{
  for (int i = 0; i < f->prepared; i++)
    if (f->items[i].row->release) f->items[i].row->release(&f->items[i].trial);
}

static double time_call(const candidate *c, const arrays *a, void *workspace)
{
  cb_call call = {.plan = &c->trial, .n = c->trial.problem.geo.n};
  cnnblas_conv_direction direction = c->trial.problem.direction;
  call.x = direction == CNNBLAS_BACKWARD_DATA ? NULL : a->x;
  call.w = direction == CNNBLAS_BACKWARD_WEIGHTS ? NULL : a->w;
  call.dy = direction == CNNBLAS_FORWARD ? NULL : a->y;
  call.out = direction == CNNBLAS_FORWARD ? a->y : direction == CNNBLAS_BACKWARD_DATA ? a->x : a->w;
  double begin = now();
  (void)cb_execute(&call, workspace); /* it has its workspace */
  return now() - begin;
}

/* Rounds in which the candidates take turns, so that a slow spell of the machine meets them all; before each timed call one that
   warms the caches up. */
static void run_rounds(field *f, const arrays *a, void *workspace)
{
  int first = -1;
  for (int r = 0; r < ROUNDS; r++) {
    int winner = 0;
    for (int i = 0; i < f->count; i++) {
      candidate *c = &f->items[i];
      time_call(c, a, workspace);
      c->rounds[r] = time_call(c, a, workspace);
      if (c->rounds[r] < f->items[winner].rounds[r]) winner = i;
    }
    if (first < 0) first = winner;
    f->won += winner == first;
  }
}

static void sort_rounds(candidate *c)
{
  for (int i = 1; i < ROUNDS; i++)
    for (int j = i; j > 0 && c->rounds[j] < c->rounds[j - 1]; j--) {
      double moved = c->rounds[j];
      c->rounds[j] = c->rounds[j - 1];
      c->rounds[j - 1] = moved;
    }
  c->least = c->rounds[0];
  c->median = c->rounds[ROUNDS / 2];
}

/* The candidate with the least time. Where rounds disagree about who is fastest, those whose least lies below its median are within
   the noise: of them the one with the lowest estimate. */
static const candidate *choose(field *f)
{
  const candidate *best = &f->items[0], *chosen;
  for (int i = 0; i < f->count; i++) {
    sort_rounds(&f->items[i]);
    if (f->items[i].least < best->least) best = &f->items[i];
  }
  chosen = best;
  for (int i = 0; i < f->count && f->won < ROUNDS; i++)
    if (f->items[i].least <= best->median && f->items[i].estimate < chosen->estimate) chosen = &f->items[i];
  return chosen;
}

/* Prepares the candidates, times them, and fills in what the plan says of them. */
static cnnblas_status compete(field *f, cnnblas_conv_plan *plan, const arrays *a, const cb_algorithm **best)
{
  cnnblas_status status = prepare(f);
  void *workspace = f->bytes && !status ? cb_alloc(f->bytes) : NULL;
  if (f->bytes && !status && !workspace) status = cb_fail_memory(f->bytes, "a workspace for measuring");
  if (!status) {
    run_rounds(f, a, workspace);
    *best = choose(f)->row;
    for (int i = 0, c = 0; c < f->count; i++)
      if (cb_algorithm_at(i) == f->items[c].row) plan->seconds[i] = f->items[c++].least;
  }
  cb_free(workspace);
  retire(f);
  return status;
}

cnnblas_status cb_measure(cnnblas_conv_plan *plan, const cb_algorithm **best)
{
  arrays a;
  field *f = cb_alloc_zeroed(sizeof *f);
  if (!f) return cb_fail_memory(sizeof *f, "candidates for measuring");
  enter(f, plan);
  cnnblas_status status = f->count < 2 ? CNNBLAS_OK : acquire(&a, &plan->problem.geo);
  if (!status && f->count > 1) {
    status = compete(f, plan, &a, best);
    release(&a);
  }
  cb_free(f);
  return status;
}
