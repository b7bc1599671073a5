/* Executing plans: arguments checked, workspace found, BLAS kept serial, the algorithm run. */
#include "conv/execute.h"
#include "base/activation_kinds.h"
#include "base/arguments.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/status.h"
#include "conv/epilogue.h"
#include "conv/packed.h"
#include "gemm/blas.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

static cnnblas_status check_plan(const cnnblas_conv_plan *plan, cnnblas_conv_direction direction, int64_t n)
{
  if (!plan) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "plan is NULL");
  if (plan->problem.direction != direction)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "the plan's direction is %s, not %s",
                   cnnblas_conv_direction_name(plan->problem.direction), cnnblas_conv_direction_name(direction));
  if (n < 0 || n > plan->problem.geo.n)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "n is %lld; it must be 0 to the plan's n, %lld", (long long)n,
                   (long long)plan->problem.geo.n);
  return CNNBLAS_OK;
}

void cnnblas_conv_epilogue_init(cnnblas_conv_epilogue *epilogue)
{
  if (epilogue) memset(epilogue, 0, sizeof *epilogue);
}

/* Checks the epilogue, and fills in the defaults of the activation's parameters. */
static cnnblas_status check_epilogue(const cnnblas_conv_plan *plan, const cnnblas_conv_epilogue *e,
                                     cnnblas_activation *activation)
{
  cnnblas_status status = cb_activation_check(&e->activation, activation);
  if (status) return status;
  if (activation->kind != CNNBLAS_IDENTITY && plan->problem.accumulate)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                   "activation is %s, but the plan accumulates; only identity can be accumulated",
                   cb_activation_name(activation->kind));
  for (int i = 0; i < 4; i++)
    if (e->reserved[i])
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, "epilogue.reserved[%d] is %lld; it must be 0", i,
                     (long long)e->reserved[i]);
  return CNNBLAS_OK;
}

static int threads_for(const cb_call *call)
{
  const cnnblas_conv_plan *plan = call->plan;
  if (plan->options.threads == 0 && cb_in_parallel()) return 1;
  return cb_geometry_macs(&plan->problem.geo, call->n) < CB_SERIAL_MACS ? 1 : plan->team;
}

cnnblas_status cb_execute(cb_call *call, void *workspace)
{
  const cnnblas_conv_plan *plan = call->plan;
  const size_t needed = cnnblas_conv_plan_workspace(plan);
  void *own = NULL;
  if (!workspace && needed) {
    workspace = own = cb_alloc(needed);
    if (!own) return cb_fail_memory(needed, "a workspace");
  }
  call->threads = threads_for(call);
  call->accumulate |= plan->problem.accumulate;
  call->shared = workspace ? cb_align(workspace) : NULL;
  call->scratch = call->shared ? call->shared + plan->tiling.shared_bytes : NULL;
  call->loops = 0;
  call->rounds = 1;
  plan->algorithm->work(call);
  const int again = call->loops; /* loops of each round; the later ones run after the last round */
  if (call->pass) cb_activation_add(call);
  if (call->db) cb_bias_gradient_add(call);
  cb_blas_guard guard;
  if (plan->algorithm->uses_blas) cb_blas_begin(&guard);
  const bool flushed = plan->options.flush_denormals && !cb_parallel_flush(true);
  for (call->round = 0; call->round < call->rounds; call->round++)
    cb_parallel_loops(call->threads, call->loop, call->round + 1 < call->rounds ? again : call->loops);
  if (flushed) cb_parallel_flush(false);
  if (plan->algorithm->uses_blas) cb_blas_end(&guard);
  cb_free(own);
  return CNNBLAS_OK;
}

/* Checks the workspace: one that was passed must be large enough and apart from the arrays; it may be missing if we may
   allocate. */
static cnnblas_status check_workspace(const cnnblas_conv_plan *plan, const void *workspace, size_t workspace_bytes,
                                      const cb_array *arrays, int count)
{
  size_t needed = cnnblas_conv_plan_workspace(plan);
  if (!workspace && needed && plan->options.no_alloc)
    return cb_fail(CNNBLAS_OUT_OF_MEMORY, "workspace is NULL, but the plan needs %zu bytes and must not allocate",
                   needed);
  if (workspace && workspace_bytes < needed)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "workspace_bytes is %zu; the plan needs %zu", workspace_bytes, needed);
  return cb_check_apart(arrays, count, &(cb_array){"workspace", workspace, (int64_t)needed, 1, true});
}

/* A forward. `weights` is the array that the caller passed, with its name in messages; forward() checks everything but
   its contents. */
typedef struct {
  const cnnblas_conv_plan *plan;
  int64_t n;
  const void *x;
  cb_array weights;
  const void *w; /* the weights in the form that the algorithm takes */
  const cnnblas_conv_epilogue *epilogue;
  void *y, *workspace;
  size_t workspace_bytes;
} forward_call;

/*
 * Puts call->residual where the row can read it. A residual that is y itself stays there for a row that reads it where
 * it stores; for any other it is copied, into *copy. A plan that must not allocate then adds to y instead, another
 * order.
 */
static cnnblas_status place_residual(cb_call *call, const void *residual, void **copy)
{
  const cnnblas_conv_plan *plan = call->plan;
  const cb_geometry *geo = &plan->problem.geo;
  const size_t bytes = (size_t)(call->n * geo->k * geo->p) * geo->element;
  *copy = NULL;
  call->residual = residual;
  if (!residual || residual != call->out || !plan->algorithm->residual_apart || !bytes) return CNNBLAS_OK;
  if (plan->options.no_alloc) {
    call->accumulate = true;
    call->residual = NULL;
    return CNNBLAS_OK;
  }
  *copy = cb_alloc(bytes);
  if (!*copy) return cb_fail_memory(bytes, "a residual that is the output itself");
  call->residual = memcpy(*copy, residual, bytes);
  return CNNBLAS_OK;
}

static cnnblas_status forward(const forward_call *f)
{
  static const cnnblas_conv_epilogue none;
  const cnnblas_conv_epilogue *e = f->epilogue ? f->epilogue : &none;
  const cnnblas_conv_plan *plan = f->plan;
  cnnblas_activation activation;
  cnnblas_status status = check_epilogue(plan, e, &activation);
  if (status) return status;
  const cb_geometry *geo = &plan->problem.geo;
  bool in_place = e->residual == f->y;
  int64_t outputs = f->n * geo->k * geo->p;
  cb_array arrays[] = {{"y", f->y, outputs, geo->element, false},
                       {"x", f->x, f->n * geo->c * geo->image, geo->element, false},
                       f->weights,
                       {"bias", e->bias, geo->k, geo->element, true},
                       {"residual", in_place ? NULL : e->residual, outputs, geo->element, true}};
  status = cb_check_arrays(arrays, 5, 1);
  if (!status) status = check_workspace(plan, f->workspace, f->workspace_bytes, arrays, 5);
  if (status) return status;
  cb_call call = {.plan = plan, .n = f->n, .x = f->x, .w = f->w, .out = f->y};
  call.bias = e->bias;
  const bool relu = activation.kind == CNNBLAS_RELU, clip = activation.kind == CNNBLAS_CLIP;
  const double bounds[2] = {clip ? activation.alpha : 0, clip ? activation.beta : HUGE_VAL};
  const float single[2] = {(float)bounds[0], (float)bounds[1]};
  if (relu || clip)
    call.bounds = geo->dtype == CNNBLAS_F64 ? (const void *)bounds : single;
  else if (activation.kind != CNNBLAS_IDENTITY)
    call.pass = &activation;
  void *copy;
  status = place_residual(&call, e->residual, &copy);
  if (status) return status;
  status = cb_execute(&call, f->workspace);
  cb_free(copy);
  return status;
}

cnnblas_status cnnblas_conv_forward(const cnnblas_conv_plan *plan, int64_t n, const void *x, const void *w,
                                    const cnnblas_conv_epilogue *epilogue, void *y, void *workspace,
                                    size_t workspace_bytes)
{
  cnnblas_status status = check_plan(plan, CNNBLAS_FORWARD, n);
  if (status) return status;
  if (plan->options.packed_weights)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "the plan takes packed weights: cnnblas_conv_forward_packed");
  const cb_geometry *geo = &plan->problem.geo;
  cb_array weights = {"w", w, geo->k * geo->q, geo->element, false};
  return forward(&(forward_call){plan, n, x, weights, w, epilogue, y, workspace, workspace_bytes});
}

/* Finds the weights *w inside packed ones, and the array that these are. */
static cnnblas_status open_packed(const cnnblas_conv_plan *plan, const void *packed, cb_array *weights, const void **w)
{
  int64_t bytes;
  if (!plan->options.packed_weights)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "the plan was not made for packed weights (options.packed_weights)");
  *w = cb_packed_open(plan, packed, &bytes);
  if (!*w) return CNNBLAS_INVALID_ARGUMENT;
  *weights = (cb_array){"packed", packed, bytes, 1, false};
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_conv_forward_packed(const cnnblas_conv_plan *plan, int64_t n, const void *x, const void *packed,
                                           const cnnblas_conv_epilogue *epilogue, void *y, void *workspace,
                                           size_t workspace_bytes)
{
  cb_array weights = {0};
  const void *w = NULL;
  cnnblas_status status = check_plan(plan, CNNBLAS_FORWARD, n);
  if (!status) status = open_packed(plan, packed, &weights, &w);
  return status ? status : forward(&(forward_call){plan, n, x, weights, w, epilogue, y, workspace, workspace_bytes});
}

/* An input gradient. `weights` is the array that the caller passed, `w` its weights in the form that the algorithm takes;
   backward_data() checks everything but their contents. */
static cnnblas_status backward_data(const cnnblas_conv_plan *plan, int64_t n, const void *dy, cb_array weights,
                                    const void *w, void *dx, void *workspace, size_t workspace_bytes)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_array arrays[] = {{"dx", dx, n * geo->c * geo->image, geo->element, false},
                       {"dy", dy, n * geo->k * geo->p, geo->element, false},
                       weights};
  cnnblas_status status = cb_check_arrays(arrays, 3, 1);
  if (!status) status = check_workspace(plan, workspace, workspace_bytes, arrays, 3);
  if (status) return status;
  cb_call call = {.plan = plan, .n = n, .dy = dy, .w = w, .out = dx};
  return cb_execute(&call, workspace);
}

cnnblas_status cnnblas_conv_backward_data(const cnnblas_conv_plan *plan, int64_t n, const void *dy, const void *w,
                                          void *dx, void *workspace, size_t workspace_bytes)
{
  cnnblas_status status = check_plan(plan, CNNBLAS_BACKWARD_DATA, n);
  if (status) return status;
  if (plan->options.packed_weights)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "the plan takes packed weights: cnnblas_conv_backward_data_packed");
  const cb_geometry *geo = &plan->problem.geo;
  cb_array weights = {"w", w, geo->k * geo->q, geo->element, false};
  return backward_data(plan, n, dy, weights, w, dx, workspace, workspace_bytes);
}

cnnblas_status cnnblas_conv_backward_data_packed(const cnnblas_conv_plan *plan, int64_t n, const void *dy,
                                                 const void *packed, void *dx, void *workspace, size_t workspace_bytes)
{
  cb_array weights = {0};
  const void *w = NULL;
  cnnblas_status status = check_plan(plan, CNNBLAS_BACKWARD_DATA, n);
  if (!status) status = open_packed(plan, packed, &weights, &w);
  return status ? status : backward_data(plan, n, dy, weights, w, dx, workspace, workspace_bytes);
}

cnnblas_status cnnblas_conv_backward_weights(const cnnblas_conv_plan *plan, int64_t n, const void *x, const void *dy,
                                             void *dw, void *db, void *workspace, size_t workspace_bytes)
{
  cnnblas_status status = check_plan(plan, CNNBLAS_BACKWARD_WEIGHTS, n);
  if (status) return status;
  const cb_geometry *geo = &plan->problem.geo;
  cb_array arrays[] = {{"dw", dw, geo->k * geo->q, geo->element, false},
                       {"db", db, geo->k, geo->element, true},
                       {"x", x, n * geo->c * geo->image, geo->element, false},
                       {"dy", dy, n * geo->k * geo->p, geo->element, false}};
  status = cb_check_arrays(arrays, 4, 2);
  if (!status) status = check_workspace(plan, workspace, workspace_bytes, arrays, 4);
  if (status) return status;
  cb_call call = {.plan = plan, .n = n, .x = x, .dy = dy, .out = dw, .db = db};
  return cb_execute(&call, workspace);
}
