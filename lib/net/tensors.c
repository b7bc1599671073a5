/* What a layer's row asks for while its network is made: tensors, workspace, options of plans. */
#include "base/size.h"
#include "net/network.h"
#include <stdio.h>

void cb_net_add_tensor(cnnblas_net *net, cb_net_layer *l, bool trained, const char *what, cb_net_param p)
{
  int64_t *elements = trained ? &net->param_elements : &net->state_elements;
  int64_t index = net->param_count + net->state_count;
  snprintf(p.name, sizeof p.name, "%s.%s", l->name, what);
  p.layer = l->index;
  p.elements = 1;
  for (int i = 0; i < p.rank; i++) p.elements *= p.shape[i];
  p.place = *elements;
  *elements += cb_round_up(p.elements, CB_NET_ALIGN / (int64_t)net->element);
  if (trained) net->parameters += p.elements;
  if (trained && l->weight == CB_NET_NONE) l->weight = index;
  if (!trained && l->state == CB_NET_NONE) l->state = index;
  *(trained ? &l->params : &l->states) += 1;
  net->params[index] = p;
  *(trained ? &net->param_count : &net->state_count) += 1;
}

void cb_net_need_workspace(cnnblas_net *net, const cnnblas_conv_plan *plan, bool forward)
{
  size_t needed = (cnnblas_conv_plan_workspace(plan) + CB_NET_ALIGN - 1) / CB_NET_ALIGN * CB_NET_ALIGN;
  if (needed > net->training_workspace) net->training_workspace = needed;
  if (forward && needed > net->forward_workspace) net->forward_workspace = needed;
}

static bool runs_in_parts(const cnnblas_net *net, const cb_net_layer *l)
{
  return l->index < net->split && cb_net_in_parts(net);
}

int64_t cb_net_layer_batch(const cnnblas_net *net, const cb_net_layer *l)
{
  return l->index < net->split ? net->part : net->options.batch;
}

cnnblas_conv_options cb_net_plan_options(const cnnblas_net *net, const cb_net_layer *l)
{
  cnnblas_conv_options o = {.algorithm = net->options.algorithm, .no_alloc = 1};
  o.threads = runs_in_parts(net, l) ? 1 : net->threads; /* one thread where many parts run at once */
  o.effort = net->options.effort;
  o.wisdom = net->options.wisdom;
  o.accuracy = net->options.accuracy;
  return o;
}
