/* Making calls with every array trapped; see rig.h. */
#include "support/rig.h"
#include "support/names.h"
#include <stdio.h>
#include <string.h>

void variant_text(const variant *v, char text[VARIANT_TEXT])
{
  static const char *const policies[] = {"default", "limit", "none"};
  snprintf(text, VARIANT_TEXT, "%s, accuracy %s, threads %d, workspace %s %zu%s%s%s%s%s%s%s%s, arrays against the %s",
           v->algorithm ? v->algorithm : "auto", cnnblas_accuracy_policy_name(v->accuracy), (int)v->threads,
           policies[v->policy], v->limit, v->no_workspace ? " allocated by the call" : "",
           v->accumulate ? ", accumulate" : "", v->bias ? ", bias" : "", v->residual ? ", residual" : "",
           v->in_place ? ", residual in place" : "", v->relu ? ", relu" : "", v->packed ? ", packed weights" : "",
           v->db ? ", db" : "", v->where == AGAINST_END ? "end" : "start");
}

void variant_random(variant *v, cnnblas_conv_direction direction, rng *r)
{
  memset(v, 0, sizeof *v);
  v->threads = (int32_t)rng_range(r, 0, 3);
  v->policy = rng_chance(r, 50)   ? CNNBLAS_WORKSPACE_DEFAULT
              : rng_chance(r, 50) ? CNNBLAS_WORKSPACE_LIMIT
                                  : CNNBLAS_WORKSPACE_NONE;
  if (v->policy == CNNBLAS_WORKSPACE_LIMIT) v->limit = (size_t)rng_range(r, 0, rng_chance(r, 50) ? 10000 : 1000000);
  v->accumulate = rng_chance(r, 25);
  v->no_workspace = rng_chance(r, 20);
  v->where = rng_chance(r, 60) ? AGAINST_END : AGAINST_START;
  if (direction == CNNBLAS_FORWARD) {
    v->bias = rng_chance(r, 40);
    v->residual = rng_chance(r, 20);
    v->in_place = !v->residual && !v->accumulate && rng_chance(r, 20);
    v->relu = !v->accumulate && rng_chance(r, 40);
    v->packed = v->policy == CNNBLAS_WORKSPACE_DEFAULT && rng_chance(r, 25);
  }
  v->db = direction == CNNBLAS_BACKWARD_WEIGHTS && rng_chance(r, 60);
  v->accuracy = (cnnblas_accuracy_policy)rng_range(r, 0, 2);
}

enum { INPUTS = 6 };

static void fill(guarded *array, const problem *p, int64_t count, rng *r, bool integers, placement where)
{
  guarded_protect(array, false);
  guarded_reset(array, (size_t)count * p->element, where);
  (integers ? array_fill_integers : array_fill_reals)(p->desc.dtype, array->data, count, r);
}

static int64_t largest(const problem *p)
{
  int64_t a = p->x_elements > p->y_elements ? p->x_elements : p->y_elements,
          b = p->w_elements > p->k ? p->w_elements : p->k;
  return a > b ? a : b;
}

static void inputs_of(rig *g, guarded *inputs[INPUTS])
{
  guarded *const all[INPUTS] = {&g->x, &g->w, &g->y, &g->bias, &g->residual, &g->old};
  memcpy(inputs, all, sizeof all);
}

/* Whether the inputs still are what they would be filled with. */
static bool is_filled(rig *g, const problem *p, const rng *r, bool integers, placement where)
{
  const rig_contents *f = &g->filled;
  guarded *inputs[INPUTS];
  bool opened = false;
  inputs_of(g, inputs);
  for (int i = 0; i < INPUTS; i++) opened |= inputs[i]->opened;
  return f->whole && !opened && f->before.state == r->state && f->integers == integers && f->where == where &&
         memcmp(&f->p, p, sizeof *p) == 0;
}

void rig_fill(rig *g, const problem *p, rng *r, bool integers, placement where)
{
  if (is_filled(g, p, r, integers, where)) {
    *r = g->filled.after;
    return;
  }
  g->filled = (rig_contents){.before = *r, .whole = true, .integers = integers, .where = where};
  memcpy(&g->filled.p, p, sizeof *p); /* its padding too, which is compared */
  fill(&g->x, p, p->x_elements, r, integers, where);
  fill(&g->w, p, p->w_elements, r, integers, where);
  fill(&g->y, p, p->y_elements, r, integers, where);
  fill(&g->bias, p, p->k, r, integers, where);
  fill(&g->residual, p, p->y_elements, r, integers, where);
  fill(&g->old, p, largest(p), r, integers, where);
  rig_lock(g, true);
  g->filled.after = *r;
  guarded *inputs[INPUTS];
  inputs_of(g, inputs);
  for (int i = 0; i < INPUTS; i++) inputs[i]->opened = false;
}

void rig_lock(rig *g, bool lock)
{
  guarded *inputs[INPUTS];
  inputs_of(g, inputs);
  for (int i = 0; i < INPUTS; i++) guarded_protect(inputs[i], lock);
}

void rig_expect(const rig *g, const problem *p, cnnblas_conv_direction direction, int64_t n, const variant *v,
                oracle *want, oracle *want_db)
{
  oracle_run(want, p, direction, n, g->x.data, g->w.data, g->y.data);
  if (v->accumulate || v->in_place) oracle_add(want, g->old.data);
  if (v->bias) oracle_add_bias(want, p, g->bias.data);
  if (v->residual) oracle_add(want, g->residual.data);
  if (v->relu) oracle_relu(want);
  if (!v->db) return;
  oracle_bias_gradient(want_db, p, n, g->y.data);
  if (v->accumulate) oracle_add(want_db, g->old.data);
}

/* What a row may keep once a call besides: transformed weights, the points' margins included. A weight gradient keeps its partial
   sums, as many as wait at once, and the transformed tiles of a block. */
static size_t once(const problem *p, cnnblas_conv_direction direction, const cnnblas_algorithm_info *row)
{
  enum { POINTS = 36, MARGIN = 96, LEAF = 1024, TILES = 8 << 20 };
  if (strncmp(row->name, WINOGRAD, strlen(WINOGRAD)) != 0) return 0;
  const int64_t filters = (p->kg + 31) / 32 * 32, channels = (p->cg + 31) / 32 * 32;
  const int64_t pairs = p->kg * channels > p->cg * filters ? p->kg * channels : p->cg * filters;
  if (direction != CNNBLAS_BACKWARD_WEIGHTS)
    return (size_t)(p->g * (4 * p->filter * pairs + POINTS * MARGIN)) * p->element;
  int64_t slots = 1;
  for (int64_t leaves = p->n * p->pixels / LEAF + 1; leaves > 1; leaves /= 2) slots++;
  return (size_t)(p->g * (16 * filters * channels + POINTS * MARGIN) * slots) * p->element + TILES;
}

static void check_workspace(const cnnblas_conv_plan *plan, const problem *p, cnnblas_conv_direction direction,
                            const variant *v)
{
  const cnnblas_algorithm_info row = algorithm_info(cnnblas_conv_plan_algorithm(plan));
  size_t bytes = cnnblas_conv_plan_workspace(plan), threads = (size_t)cnnblas_conv_plan_threads(plan);
  size_t limit = (size_t)row.workspace * threads + once(p, direction, &row);
  if (v->policy == CNNBLAS_WORKSPACE_LIMIT) limit = v->limit * threads;
  if (v->policy == CNNBLAS_WORKSPACE_NONE) limit = 0;
  if (bytes > limit)
    FAIL("the plan wants %zu bytes of workspace for %zu threads; the policy allows %zu", bytes, threads, limit);
}

cnnblas_conv_plan *rig_plan(const problem *p, cnnblas_conv_direction direction, const variant *v)
{
  cnnblas_conv_options options = {.algorithm = v->algorithm,
                                  .threads = v->threads,
                                  .workspace = v->policy,
                                  .workspace_limit = v->limit,
                                  .accumulate = v->accumulate,
                                  .packed_weights = v->packed,
                                  .accuracy = v->accuracy};
  cnnblas_conv_plan *plan = NULL;
  cnnblas_status status = cnnblas_conv_plan_create(&p->desc, direction, &options, &plan);
  if (status == CNNBLAS_UNSUPPORTED && v->algorithm) {
    assert_null(plan);
    if (!strstr(cnnblas_last_error(), v->algorithm))
      FAIL("the message does not name the algorithm: %s", cnnblas_last_error());
    return NULL;
  }
  ASSERT_OK(status);
  if (v->algorithm) assert_algorithm(cnnblas_conv_plan_algorithm(plan), v->algorithm);
  if (v->threads) assert_in_range(cnnblas_conv_plan_threads(plan), 1, v->threads);
  check_workspace(plan, p, direction, v);
  return plan;
}

/* Sizes an output and gives it its contents before the call: NaN, or what is to be added to. */
static void ready_output(guarded *array, const rig *g, const problem *p, int64_t count, const variant *v)
{
  guarded_reset(array, (size_t)count * p->element, v->where);
  if (v->accumulate || v->in_place)
    memcpy(array->data, g->old.data, (size_t)count * p->element);
  else
    array_fill_nan(p->desc.dtype, array->data, count);
}

/* The weights packed, against a page on one side. */
static const void *pack(rig *g, const cnnblas_conv_plan *plan)
{
  size_t bytes;
  ASSERT_OK(cnnblas_conv_plan_packed_bytes(plan, &bytes));
  guarded_reset(&g->packed, bytes, AGAINST_START);
  memset(g->packed.data, 0xff, bytes);
  ASSERT_OK(cnnblas_conv_plan_pack_weights(plan, g->w.data, g->packed.data, bytes));
  if (!guarded_intact(&g->packed)) FAIL("bytes next to the packed weights were written");
  return g->packed.data;
}

static cnnblas_status call(rig *g, cnnblas_conv_direction direction, int64_t n, const variant *v,
                           const cnnblas_conv_plan *plan, void *workspace, size_t bytes)
{
  if (direction == CNNBLAS_BACKWARD_DATA)
    return cnnblas_conv_backward_data(plan, n, g->y.data, g->w.data, g->out.data, workspace, bytes);
  if (direction == CNNBLAS_BACKWARD_WEIGHTS)
    return cnnblas_conv_backward_weights(plan, n, g->x.data, g->y.data, g->out.data, v->db ? g->db.data : NULL,
                                         workspace, bytes);
  cnnblas_conv_epilogue epilogue = {.bias = v->bias ? g->bias.data : NULL,
                                    .residual = v->in_place   ? g->out.data
                                                : v->residual ? g->residual.data
                                                              : NULL,
                                    .activation.kind = v->relu ? CNNBLAS_RELU : CNNBLAS_IDENTITY};
  if (v->packed)
    return cnnblas_conv_forward_packed(plan, n, g->x.data, pack(g, plan), &epilogue, g->out.data, workspace, bytes);
  return cnnblas_conv_forward(plan, n, g->x.data, g->w.data, &epilogue, g->out.data, workspace, bytes);
}

void rig_execute(rig *g, const problem *p, cnnblas_conv_direction direction, int64_t n, const variant *v,
                 const cnnblas_conv_plan *plan)
{
  size_t bytes = cnnblas_conv_plan_workspace(plan);
  g->row = algorithm_info(cnnblas_conv_plan_algorithm(plan));
  ready_output(&g->out, g, p, problem_outputs(p, direction, n), v);
  ready_output(&g->db, g, p, p->k, v);
  guarded_reset(&g->workspace, bytes, v->where);
  memset(g->workspace.data, 0xff, bytes); /* NaNs: whoever reads scratch before writing it shows */
  bool pass = bytes && !v->no_workspace;
  ASSERT_OK(call(g, direction, n, v, plan, pass ? g->workspace.data : NULL, pass ? bytes : 0));
  const guarded *arrays[] = {&g->x, &g->w, &g->y, &g->bias, &g->residual, &g->out, &g->db, &g->workspace};
  static const char *const names[] = {"x", "w", "y", "bias", "residual", "the output", "db", "the workspace"};
  for (int i = 0; i < 8; i++)
    if (!guarded_intact(arrays[i])) FAIL("bytes next to %s were written", names[i]);
}

void rig_check(const rig *g, const variant *v, const oracle *want, const oracle *want_db, bool integers,
               const char *what)
{
  char name[96];
  snprintf(name, sizeof name, "%s of %s", what, g->row.name);
  oracle_check(want, g->out.data, &g->row, integers, name);
  snprintf(name, sizeof name, "%s of %s, bias gradient", what, g->row.name);
  if (v->db) oracle_check_sum(want_db, g->db.data, integers, name);
}

bool rig_run(rig *g, const problem *p, cnnblas_conv_direction direction, int64_t n, const variant *v)
{
  cnnblas_conv_plan *plan = rig_plan(p, direction, v);
  if (!plan) return false;
  rig_execute(g, p, direction, n, v, plan);
  cnnblas_conv_plan_destroy(plan);
  return true;
}

void rig_free(rig *g)
{
  guarded *arrays[] = {&g->x,   &g->w,   &g->y,  &g->bias,      &g->residual,
                       &g->old, &g->out, &g->db, &g->workspace, &g->packed};
  for (int i = 0; i < 10; i++) guarded_free(arrays[i]);
  g->filled.whole = false;
}
