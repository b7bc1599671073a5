/* Updates: the hook, the limit of the norm, an optimiser for each tensor, the averages. */
#include "net/update.h"
#include "base/shared.h"
#include "net/network.h"
#include <cnnblas/optimiser.h>
#include <string.h>

enum { ALONE = 65536 /* number of parameters: one thread updates fewer sooner than another wakes */ };

void cnnblas_net_step_init(cnnblas_net_step *step)
{
  if (step) memset(step, 0, sizeof *step);
}

cnnblas_status cb_net_check_step(const cnnblas_net_step *step)
{
  if (!step) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "step is NULL");
  const cnnblas_net_optimiser *o = &step->optimiser;
  int kind = (int)o->kind;
  if (kind < 0 || kind > CNNBLAS_NET_ADAMW)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "step.optimiser.kind is %d, which names no optimiser", kind);
  if (!(o->most_norm >= 0))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "step.optimiser.most_norm is %g; it must be at least 0",
                               o->most_norm);
  if (!(o->average_decay >= 0 && o->average_decay <= 1))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "step.optimiser.average_decay is %g; it must be 0 to 1",
                               o->average_decay);
  if (!(step->label_smoothing >= 0 && step->label_smoothing < 1))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                               "step.label_smoothing is %g; it must be at least 0 and below 1", step->label_smoothing);
  for (int i = 0; i < 6; i++)
    if (step->reserved[i]) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "step.reserved[%d] is not 0", i);
  for (int i = 0; i < 3; i++)
    if (o->reserved[i]) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "step.optimiser.reserved[%d] is not 0", i);
  return CNNBLAS_OK;
}

/* Checks that the network has room for what the optimiser and the averages keep. */
static cnnblas_status check_room(const cnnblas_net *net, const cnnblas_net_optimiser *o)
{
  if (o->kind == CNNBLAS_NET_ADAMW && net->options.optimiser != CNNBLAS_NET_ADAMW)
    return cnnblas_shared_fail(
        CNNBLAS_INVALID_ARGUMENT,
        "step.optimiser.kind is ADAMW, but net was made without options.optimiser = ADAMW and has no "
        "room for its second moments");
  if (o->average_decay > 0 && !net->options.average)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                               "step.optimiser.average_decay is %g, but net was made without options.average",
                               o->average_decay);
  return CNNBLAS_OK;
}

static cnnblas_status update_tensor(const cnnblas_net *net, const cnnblas_net_optimiser *o, int threads, int64_t t)
{
  const cb_net_param *p = &net->params[t];
  double decay = p->decays ? o->weight_decay : 0;
  void *value = cb_net_param_at(net, net->layout.values, t), *v = cb_net_param_at(net, net->layout.momentum, t);
  const void *gradient = cb_net_param_at(net, net->layout.gradients, t);
  if (o->kind == CNNBLAS_NET_ADAMW) {
    cnnblas_adamw_desc d = {.dtype = net->options.dtype, .threads = threads, .step = net->steps + 1, .lr = o->lr};
    d.beta1 = o->beta1;
    d.beta2 = o->beta2;
    d.epsilon = o->epsilon;
    d.weight_decay = decay;
    return cnnblas_adamw_step(&d, p->elements, value, gradient, v, cb_net_param_at(net, net->layout.second, t));
  }
  cnnblas_sgd_desc d = {.dtype = net->options.dtype, .lr = o->lr};
  d.threads = threads;
  d.momentum = o->momentum;
  d.weight_decay = decay;
  return o->kind == CNNBLAS_NET_NESTEROV ? cnnblas_nesterov_step(&d, p->elements, value, gradient, v)
                                         : cnnblas_sgd_step(&d, p->elements, value, gradient, v);
}

/* Moves the running statistics a tenth of the way to the batch's. */
static void follow(const cnnblas_net *net)
{
  const double share = 0.1;
  void *state = cb_net_at(net, net->layout.states);
  const void *batch = cb_net_at(net, net->layout.batch_states);
  for (int64_t i = 0; i < net->state_elements; i++) {
    if (net->options.dtype == CNNBLAS_F64)
      ((double *)state)[i] = (1 - share) * ((double *)state)[i] + share * ((const double *)batch)[i];
    else
      ((float *)state)[i] =
          (float)((1 - share) * (double)((float *)state)[i] + share * (double)((const float *)batch)[i]);
  }
}

static cnnblas_status update(cnnblas_net *net, const cnnblas_net_optimiser *o)
{
  int threads = net->param_elements < ALONE ? 1 : net->threads;
  void *gradients = cb_net_at(net, net->layout.gradients);
  double norm;
  cnnblas_status status = CNNBLAS_OK;
  if (o->most_norm > 0) /* all tensors are one array here: what lies between them is 0 */
    status =
        cnnblas_gradient_clip(net->options.dtype, threads, 1, &net->param_elements, &gradients, o->most_norm, &norm);
  for (int64_t t = 0; t < net->param_count && !status; t++) status = update_tensor(net, o, threads, t);
  if (status) return status;
  follow(net);
  status = cb_net_apply_maps(net, net->layout.values);
  if (!status && o->average_decay > 0)
    status = cnnblas_average_update(net->options.dtype, threads, net->param_elements, o->average_decay,
                                    cb_net_at(net, net->layout.values), cb_net_at(net, net->layout.average));
  return status;
}

cnnblas_status cnnblas_net_update(cnnblas_net *net, const cnnblas_net_step *step)
{
  cnnblas_status status = cb_net_check(net, true);
  if (!status) status = cb_net_check_step(step);
  if (status) return status;
  if (!net->has_gradient)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "net has no gradient: cnnblas_net_gradient must come first");
  status = check_room(net, &step->optimiser);
  if (!status && step->hook)
    status = step->hook(step->context, cb_net_at(net, net->layout.gradients), net->param_elements);
  if (status) return status;
  const int before = cnnblas_shared_flush(net->options.flush_denormals);
  status = update(net, &step->optimiser);
  cnnblas_shared_flush(before);
  if (!status) net->steps++;
  return status;
}

cnnblas_status cnnblas_net_swap_average(cnnblas_net *net)
{
  cnnblas_status status = cb_net_check(net, true);
  if (status) return status;
  if (net->options.mode != CNNBLAS_NET_TRAINING || !net->options.average)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "net was made without options.average and has no averages");
  char *a = cb_net_at(net, net->layout.values), *b = cb_net_at(net, net->layout.average), between[4096];
  size_t bytes = (size_t)net->param_elements * net->element;
  for (size_t at = 0; at < bytes; at += sizeof between) {
    size_t size = bytes - at < sizeof between ? bytes - at : sizeof between;
    memcpy(between, a + at, size);
    memcpy(a + at, b + at, size);
    memcpy(b + at, between, size);
  }
  return CNNBLAS_OK;
}
