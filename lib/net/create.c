/* Making and freeing networks: options checked, text parsed, plans made, weights initialised. */
#include "base/denormals.h"
#include "base/size.h"
#include "net/network.h"
#include "net/notation.h"
#include "net/support.h"
#include <cnnblas/system.h>
#include <stdio.h>
#include <string.h>

enum { DEFAULT_BATCH = 64 };

void cnnblas_net_options_init(cnnblas_net_options *options)
{
  if (options) memset(options, 0, sizeof *options);
}

static cnnblas_status out_of_range(const char *name, long long value)
{
  return cb_net_fail(CNNBLAS_INVALID_ARGUMENT, "options.%s is %lld, which it cannot be", name, value);
}

static cnnblas_status check_options(const cnnblas_net_options *o)
{
  if (o->dtype == CNNBLAS_BF16) return cb_net_fail(CNNBLAS_UNSUPPORTED, "options.dtype is bf16, which is reserved");
  if ((int)o->dtype < 0 || o->dtype > CNNBLAS_F64) return out_of_range("dtype", o->dtype);
  if ((int)o->mode < 0 || o->mode > CNNBLAS_NET_DESIGN) return out_of_range("mode", o->mode);
  if ((int)o->loss < 0 || o->loss > CNNBLAS_NET_SIGMOID) return out_of_range("loss", o->loss);
  if ((int)o->init < 0 || o->init > CNNBLAS_INIT_ZERO) return out_of_range("init", o->init);
  if ((int)o->effort < 0 || o->effort > CNNBLAS_MEASURE) return out_of_range("effort", o->effort);
  if (o->batch < 0) return out_of_range("batch", o->batch);
  if (o->c < 0) return out_of_range("c", o->c);
  if (o->classes < 0) return out_of_range("classes", o->classes);
  if (o->threads < 0) return out_of_range("threads", o->threads);
  for (int i = 0; i < 3; i++)
    if (o->size[i] < 0 || (o->size[i] && (!o->c || (i && !o->size[i - 1])))) return out_of_range("size", o->size[i]);
  if (o->packed_weights < 0 || o->packed_weights > 1) return out_of_range("packed_weights", o->packed_weights);
  if (o->packed_weights && o->mode == CNNBLAS_NET_TRAINING)
    return cb_net_fail(CNNBLAS_INVALID_ARGUMENT,
                       "options.packed_weights is 1, but options.mode is training, where weights change");
  if (o->flush_denormals < 0 || o->flush_denormals > 1) return out_of_range("flush_denormals", o->flush_denormals);
  if (o->flush_denormals && !CB_FLUSHES)
    return cb_net_fail(CNNBLAS_UNSUPPORTED, "options.flush_denormals is 1, which this architecture's build cannot do");
  if (!cnnblas_accuracy_policy_name(o->accuracy)) return out_of_range("accuracy", o->accuracy);
  for (int i = 0; i < 21; i++)
    if (o->reserved[i]) return out_of_range("reserved", o->reserved[i]);
  return CNNBLAS_OK;
}

/* ---- layers and parameters ---- */

/* Threads of a convolution's plans: one where many parts are under way at once. */
static int32_t layer_threads(const cnnblas_net *net, const cb_net_layer *layer)
{
  return layer - net->layers < net->split && net->part < net->options.batch ? 1 : net->threads;
}

static cnnblas_status make_plans(cnnblas_net *net, cb_net_layer *layer, bool first)
{
  cnnblas_conv_desc *d = &layer->spec.conv;
  cnnblas_conv_options o = {.algorithm = net->options.algorithm, .no_alloc = 1};
  o.threads = layer_threads(net, layer);
  o.effort = net->options.effort;
  o.wisdom = net->options.wisdom;
  o.accuracy = net->options.accuracy;
  d->dtype = net->options.dtype;
  d->n = layer - net->layers < net->split ? net->part : net->options.batch;
  for (int direction = 0; direction < 3; direction++) {
    if (first && direction == CNNBLAS_BACKWARD_DATA) continue;
    cnnblas_conv_plan **plan = &layer->plans[direction];
    cnnblas_status status = cnnblas_conv_plan_create(d, (cnnblas_conv_direction)direction, &o, plan);
    if (status) return status;
    snprintf(layer->algorithms[direction], sizeof layer->algorithms[0], "%s", cnnblas_conv_plan_algorithm(*plan));
    cb_net_need_workspace(&net->training_workspace, *plan);
    if (direction == CNNBLAS_FORWARD) cb_net_need_workspace(&net->forward_workspace, *plan);
    if (direction != CNNBLAS_FORWARD && net->options.mode == CNNBLAS_NET_INFERENCE) {
      cnnblas_conv_plan_destroy(*plan);
      *plan = NULL;
    }
  }
  return net->options.packed_weights ? cb_net_make_packed_plan(net, layer) : CNNBLAS_OK;
}

static void add_param(cnnblas_net *net, const cb_net_layer *layer, const char *what, cb_net_param p)
{
  snprintf(p.name, sizeof p.name, "%s.%s", layer->name, what);
  p.layer = layer - net->layers;
  p.elements = 1;
  for (int i = 0; i < p.rank; i++) p.elements *= p.shape[i];
  p.place = net->param_elements;
  net->param_elements += cb_round_up(p.elements, CB_NET_ALIGN / (int64_t)net->element);
  net->parameters += p.elements;
  net->params[net->param_count++] = p;
}

static void add_conv_params(cnnblas_net *net, cb_net_layer *layer)
{
  const cnnblas_conv_desc *d = &layer->spec.conv;
  cb_net_param w = {.rank = 2 + d->rank}, b = {.rank = 1, .shape = {d->k}};
  int64_t taps = 1;
  w.shape[0] = d->k;
  w.shape[1] = d->c / (d->groups ? d->groups : 1);
  for (int i = 0; i < d->rank; i++) taps *= w.shape[2 + i] = d->kernel[i];
  w.fan_in = w.shape[1] * taps;
  w.fan_out = d->k / (d->groups ? d->groups : 1) * taps;
  add_param(net, layer, "weight", w);
  add_param(net, layer, "bias", b);
}

static cnnblas_status make_layer(cnnblas_net *net, int64_t i, bool *first)
{
  cb_net_layer *layer = &net->layers[i], *before = i ? layer - 1 : NULL;
  cb_net_spec *s = &layer->spec;
  *s = net->design.layers[i];
  layer->weight = CB_NET_NONE;
  snprintf(layer->name, sizeof layer->name, "%s%d", cb_net_kind_name(s->kind), s->place);
  if (s->kind == CB_NET_CONV || s->kind == CB_NET_FC) {
    layer->weight = net->param_count;
    layer->flops = 2.0 * (double)s->in.elements * (double)s->out.elements;
  }
  if (s->kind == CB_NET_CONV) {
    cnnblas_status status = make_plans(net, layer, *first);
    if (status) return status;
    cnnblas_conv_shape shape;
    cnnblas_conv_get_shape(&s->conv, &shape);
    layer->flops = shape.flops / (double)s->conv.n;
    add_conv_params(net, layer);
    *first = false;
  } else if (s->kind == CB_NET_FC) {
    cnnblas_fc_desc d = cb_net_fc_desc(net, layer);
    add_param(net, layer, "weight",
              (cb_net_param){.rank = 2, .shape = {d.out, d.in}, .fan_in = d.in, .fan_out = d.out});
    add_param(net, layer, "bias", (cb_net_param){.rank = 1, .shape = {d.out}});
    *first = false;
  } else if (s->kind == CB_NET_POOL) {
    s->pool.dtype = net->options.dtype;
    s->pool.n = net->options.batch;
    cnnblas_pool_shape shape;
    return cnnblas_pool_get_shape(&s->pool, &shape);
  } else {
    s->activation.dtype = net->options.dtype;
    layer->in_place = before && (before->spec.kind == CB_NET_CONV || before->spec.kind == CB_NET_FC);
    layer->fused = before && layer->in_place && s->kind == CB_NET_RELU;
    if (layer->fused) before->relu = true;
  }
  return CNNBLAS_OK;
}

static cnnblas_status make_layers(cnnblas_net *net)
{
  net->count = net->design.count;
  size_t layer_bytes = (size_t)net->count * sizeof *net->layers;
  size_t param_bytes = (size_t)net->count * 2 * sizeof *net->params;
  net->layers = cnnblas_shared_alloc(layer_bytes, 1);
  net->params = cnnblas_shared_alloc(param_bytes, 1);
  if (!net->layers || !net->params) return cb_net_no_memory(layer_bytes + param_bytes, "the layers' descriptions");
  bool first = true;
  cnnblas_status status = CNNBLAS_OK;
  cb_net_choose_parts(net);
  for (int64_t i = 0; i < net->count && !status; i++) status = make_layer(net, i, &first);
  net->classes = net->design.layers[net->count - 1].out.elements;
  return status;
}

/* ---- parameters' values ---- */

cnnblas_status cnnblas_net_initialise(cnnblas_net *net, cnnblas_init init, uint64_t seed)
{
  cnnblas_status status = cb_net_check(net, true);
  if (status) return status;
  if ((int)init < 0 || init > CNNBLAS_INIT_ZERO)
    return cb_net_fail(CNNBLAS_INVALID_ARGUMENT, "init is %d, which names no initialisation", (int)init);
  size_t bytes = (size_t)net->param_elements * net->element;
  bool training = net->options.mode == CNNBLAS_NET_TRAINING;
  memset(cb_net_at(net, net->layout.values), 0, bytes);
  if (training) memset(cb_net_at(net, net->layout.gradients), 0, bytes);
  if (training) memset(cb_net_at(net, net->layout.momentum), 0, bytes);
  if (training) memset(cb_net_at(net, net->layout.partial), 0, net->layout.partial_bytes);
  for (int64_t t = 0; t < net->param_count && !status; t++) {
    const cb_net_param *p = &net->params[t];
    if (!p->fan_in) continue;
    cnnblas_init_desc d = {.dtype = net->options.dtype, .kind = init, .fan_in = p->fan_in, .fan_out = p->fan_out};
    d.seed = seed;
    d.stream = (uint64_t)t;
    d.threads = net->threads;
    status = cnnblas_init_fill(&d, p->elements, cb_net_param_at(net, net->layout.values, t));
  }
  net->options.seed = seed;
  net->options.init = init;
  net->steps = 0;
  net->has_gradient = false;
  net->packed = false;
  net->last_n = CB_NET_NONE;
  return status ? status : cb_net_apply_maps(net, net->layout.values);
}

/* ---- the whole ---- */

static int default_threads(void)
{
  cnnblas_system_info info;
  return cnnblas_system_get_info(&info) ? 1 : info.threads;
}

static cnnblas_status copy_text(cnnblas_net *net, const char *text)
{
  size_t bytes = strlen(text) + 1;
  net->text = cnnblas_shared_alloc(bytes, 0);
  if (!net->text) return cb_net_no_memory(bytes, "the network's text");
  memcpy(net->text, text, bytes);
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_net_create(const char *text, const cnnblas_net_options *options, cnnblas_net **out)
{
  static const cnnblas_net_options defaults;
  const cnnblas_net_options *o = options ? options : &defaults;
  if (!text) return cb_net_fail(CNNBLAS_INVALID_ARGUMENT, "text is NULL");
  if (!out) return cb_net_fail(CNNBLAS_INVALID_ARGUMENT, "net is NULL");
  cnnblas_status status = check_options(o);
  if (status) return status;
  cnnblas_net *net = cnnblas_shared_alloc(sizeof *net, 1);
  if (!net) return cb_net_no_memory(sizeof *net, "a network");
  net->options = *o;
  if (!net->options.batch) net->options.batch = DEFAULT_BATCH;
  net->element = o->dtype == CNNBLAS_F64 ? 8 : 4;
  net->threads = o->threads ? o->threads : default_threads();
  net->last_n = CB_NET_NONE;
  status = copy_text(net, text);
  if (!status) status = cb_notation_parse(text, &net->options, &net->design);
  if (!status) status = make_layers(net);
  if (!status) status = cb_net_make_block(net);
  net->options.algorithm = NULL;
  net->options.wisdom = NULL;
  if (!status && net->block) status = cnnblas_net_initialise(net, o->init, o->seed);
  if (status) {
    cnnblas_net_destroy(net);
    return status;
  }
  *out = net;
  return CNNBLAS_OK;
}

void cnnblas_net_destroy(cnnblas_net *net)
{
  if (!net) return;
  for (int64_t i = 0; net->layers && i < net->count; i++) {
    for (int direction = 0; direction < 3; direction++) cnnblas_conv_plan_destroy(net->layers[i].plans[direction]);
    cnnblas_conv_plan_destroy(net->layers[i].packed_plan);
  }
  cb_design_free(&net->design);
  cnnblas_shared_free(net->layers);
  cnnblas_shared_free(net->params);
  cnnblas_shared_free(net->block);
  cnnblas_shared_free(net->text);
  cnnblas_shared_free(net);
}
