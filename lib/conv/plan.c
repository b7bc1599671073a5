/* Making and freeing plans: options checked, algorithm chosen, tiles and workspace fixed. */
#include "base/denormals.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/status.h"
#include "conv/algorithms.h"
#include "conv/measure.h"
#include "conv/row.h"
#include "conv/wisdom.h"
#include <string.h>

enum { LEAST_BUDGET = 4 << 10 /* the least bytes of workspace: fewer count as none, since no useful tile fits */ };

void cnnblas_conv_options_init(cnnblas_conv_options *options)
{
  if (options) memset(options, 0, sizeof *options);
}

static cnnblas_status check_flag(const char *name, int32_t value)
{
  if (value == 0 || value == 1) return CNNBLAS_OK;
  return cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s is %d; it must be 0 or 1", name, (int)value);
}

static cnnblas_status check_options(const cnnblas_conv_options *o)
{
  if (o->threads < 0) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "threads is %d; it must be at least 0", (int)o->threads);
  if ((int)o->workspace < 0 || o->workspace > CNNBLAS_WORKSPACE_NONE)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "workspace is %d, which names no policy", (int)o->workspace);
  if (o->workspace != CNNBLAS_WORKSPACE_LIMIT && o->workspace_limit)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                   "workspace_limit is %zu, but the workspace policy is not CNNBLAS_WORKSPACE_LIMIT",
                   o->workspace_limit);
  if ((int)o->effort < 0 || o->effort > CNNBLAS_MEASURE)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "effort is %d, which names no effort", (int)o->effort);
  if (!cnnblas_accuracy_policy_name(o->accuracy))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "accuracy is %d, which names no accuracy", (int)o->accuracy);
  for (int i = 0; i < 14; i++)
    if (o->reserved[i])
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, "options.reserved[%d] is %d; it must be 0", i, (int)o->reserved[i]);
  cnnblas_status status = check_flag("no_alloc", o->no_alloc);
  if (!status) status = check_flag("accumulate", o->accumulate);
  if (!status) status = check_flag("packed_weights", o->packed_weights);
  if (!status) status = check_flag("flush_denormals", o->flush_denormals);
  if (!status && o->flush_denormals && !CB_FLUSHES)
    status = cb_fail(CNNBLAS_UNSUPPORTED, "flush_denormals is 1, which this architecture's build cannot do");
  return status;
}

static size_t budget_of(const cnnblas_conv_options *o)
{
  size_t budget = o->workspace == CNNBLAS_WORKSPACE_NONE    ? 0
                  : o->workspace == CNNBLAS_WORKSPACE_LIMIT ? o->workspace_limit
                                                            : CB_WORKSPACE;
  return budget < LEAST_BUDGET ? 0 : budget;
}

/* Makes the measured choice: takes the wisdom's, if it has one, else measures anew, and the wisdom keeps the choice. */
static cnnblas_status choose_measured(cnnblas_conv_plan *plan, cnnblas_wisdom *wisdom, const cb_algorithm **best)
{
  const cb_algorithm *known = wisdom ? cb_wisdom_find(wisdom, &plan->problem) : NULL;
  plan->recalled = known != NULL;
  if (known) *best = known;
  cnnblas_status status = known ? CNNBLAS_OK : cb_measure(plan, best);
  return status || known || !wisdom ? status : cb_wisdom_keep(wisdom, &plan->problem, best);
}

/* Picks and prepares the algorithm of a plan whose problem and options are filled in. */
static cnnblas_status choose(cnnblas_conv_plan *plan, const char *name, cnnblas_wisdom *wisdom)
{
  char why[128];
  plan->forced = name && strcmp(name, "auto") != 0;
  if (!plan->forced) name = NULL;
  const cb_algorithm *asked = name ? cb_algorithm_find(name) : NULL;
  if (name && !asked)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                   "algorithm is \"%.64s\", which is none that cnnblas_conv_algorithm_name lists", name);
  plan->forced_family = asked && strcmp(asked->full_name, name) != 0;
  const cb_algorithm *best = cb_algorithm_choose(&plan->problem, name, plan->seconds, why, sizeof why);
  if (!best && name) return cb_fail(CNNBLAS_UNSUPPORTED, "algorithm \"%s\" does not apply: %s", name, why);
  if (!best) return cb_fail(CNNBLAS_UNSUPPORTED, "no algorithm that takes packed weights applies");
  cnnblas_status status = CNNBLAS_OK;
  if (!plan->forced && plan->options.effort == CNNBLAS_MEASURE && plan->problem.geo.n > 0 && !plan->problem.packed)
    status = choose_measured(plan, wisdom, &best);
  plan->algorithm = best;
  return status ? status : best->prepare(plan);
}

cnnblas_status cnnblas_conv_plan_create(const cnnblas_conv_desc *desc, cnnblas_conv_direction direction,
                                        const cnnblas_conv_options *options, cnnblas_conv_plan **out)
{
  static const cnnblas_conv_options defaults;
  const cnnblas_conv_options *o = options ? options : &defaults;
  cb_geometry geo;
  if (!out) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "plan is NULL");
  if ((int)direction < 0 || direction > CNNBLAS_BACKWARD_WEIGHTS)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "direction is %d, which names no direction", (int)direction);
  cnnblas_status status = cb_geometry_init(&geo, desc);
  if (!status) status = check_options(o);
  if (!status && o->packed_weights && direction == CNNBLAS_BACKWARD_WEIGHTS)
    status = cb_fail(CNNBLAS_INVALID_ARGUMENT, "packed_weights is 1, but the direction is %s, which reads no weights",
                     cnnblas_conv_direction_name(direction));
  if (status) return status;

  cnnblas_conv_plan *plan = cb_alloc_zeroed(sizeof *plan);
  if (!plan) return cb_fail_memory(sizeof *plan, "a plan");
  plan->problem = (cb_problem){.geo = geo,
                               .direction = direction,
                               .accumulate = o->accumulate != 0,
                               .packed = o->packed_weights && cb_geometry_packs(&geo),
                               .accuracy = o->accuracy,
                               .limited = o->workspace == CNNBLAS_WORKSPACE_LIMIT,
                               .budget = budget_of(o)};
  plan->options = *o;
  plan->c = desc->c;
  int rank = desc->rank ? desc->rank : 2;
  for (int i = 0; i < 3; i++) plan->kernel[i] = i < 3 - rank ? 1 : desc->kernel[i - (3 - rank)];
  plan->options.algorithm = NULL;
  plan->options.wisdom = NULL;
  plan->threads = o->threads ? o->threads : cb_threads_default();
  plan->team = cb_geometry_macs(&geo, geo.n) < CB_SERIAL_MACS ? 1 : plan->threads;
  status = choose(plan, o->algorithm, o->wisdom);
  if (status) {
    cb_free(plan);
    return status;
  }
  *out = plan;
  return CNNBLAS_OK;
}

void cnnblas_conv_plan_destroy(cnnblas_conv_plan *plan)
{
  if (!plan) return;
  if (plan->algorithm->release) plan->algorithm->release(plan);
  cb_free(plan);
}
