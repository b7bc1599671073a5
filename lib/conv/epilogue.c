/* The epilogue of tiles that GEMM has stored, and the bias gradient. */
#include "conv/epilogue.h"
#include "conv/sum_tree.h"
#include "gemm/activations.h"
#include "gemm/engine.h"

enum { PART = 1 << 13 /* elements that a task of an activation goes over: worth a task, and still near the core */ };

#define REAL    float
#define NAME(x) x##_f32
#include "conv/epilogue_loops.h"

#define REAL    double
#define NAME(x) x##_f64
#include "conv/epilogue_loops.h"

void cb_epilogue_apply(const cb_call *call, int64_t in, int64_t k0, int64_t k1, int64_t p0, int64_t p1)
{
  if (!call->bias && !call->residual && !call->bounds) return;
  const cb_geometry *geo = &call->plan->problem.geo;
  const int64_t at = (in * geo->k + k0) * geo->p + p0;
  void *y = cb_at_mut(call->out, at, geo->element);
  cb_engine_get(geo->dtype)
      ->store(&(cb_store){.c = y,
                          .ldc = geo->p,
                          .m = k1 - k0,
                          .count = p1 - p0,
                          .out = y,
                          .row_step = geo->p,
                          .lane_step = 1,
                          .bias = call->bias ? cb_at(call->bias, k0, geo->element) : NULL,
                          .bias_rows = true,
                          .residual = call->residual ? cb_at(call->residual, at, geo->element) : NULL,
                          .bounds = call->bounds});
}

/* The activation of neighbours in y, wherever one plane ends and the next begins. */
static void activate_part(void *context, int64_t part, int worker)
{
  const cb_call *call = context;
  const cb_geometry *geo = &call->plan->problem.geo;
  const int64_t from = part * PART, all = call->n * geo->k * geo->p;
  void *y = cb_at_mut(call->out, from, geo->element);
  (void)worker;
  cb_activations_for(geo->dtype)->forward(call->pass, cb_min(PART, all - from), y, y);
}

void cb_activation_add(cb_call *call)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  cb_call_add(call, cb_ceil_div(call->n * geo->k * geo->p, PART), activate_part);
}

/* The sum of one channel: each image's sum in double, joined in a tree of images. */
typedef struct {
  const cb_call *call;
  int64_t channel;
  double slot[CB_TREE_MOST_SLOTS];
} bias_sum;

static void sum_image(void *context, int64_t in, int slot)
{
  bias_sum *sum = context;
  const cb_geometry *geo = &sum->call->plan->problem.geo;
  const void *plane = cb_at(sum->call->dy, (in * geo->k + sum->channel) * geo->p, geo->element);
  sum->slot[slot] = geo->dtype == CNNBLAS_F64 ? sum_plane_f64(plane, geo->p) : sum_plane_f32(plane, geo->p);
}

static void join_images(void *context, int slot)
{
  bias_sum *sum = context;
  sum->slot[slot] += sum->slot[slot + 1];
}

static void bias_channel(void *context, int64_t ik, int worker)
{
  const cb_call *call = context;
  bool add = call->plan->problem.accumulate;
  bias_sum sum = {.call = call, .channel = ik};
  (void)worker;
  if (call->n > 0) cb_tree_sum(&(cb_tree){&sum, sum_image, join_images}, 0, call->n, 0);
  if (call->plan->problem.geo.dtype == CNNBLAS_F64) {
    double *db = call->db;
    db[ik] = add ? db[ik] + sum.slot[0] : sum.slot[0];
  } else {
    float *db = call->db;
    db[ik] = add ? db[ik] + (float)sum.slot[0] : (float)sum.slot[0];
  }
}

void cb_bias_gradient_add(cb_call *call)
{
  cb_call_add(call, call->plan->problem.geo.k, bias_channel);
}
