/* Making and freeing networks: options checked, text parsed, plans made, weights initialised. */
#include "base/denormals.h"
#include "base/shared.h"
#include "net/design.h"
#include "net/kind.h"
#include "net/notation.h"
#include "net/presets.h"
#include "net/sinks.h"
#include <cnnblas/system.h>
#include <string.h>

enum { DEFAULT_BATCH = 64, TENSORS_OF_A_LAYER = 4 };

void cnnblas_net_options_init(cnnblas_net_options *options)
{
  if (options) memset(options, 0, sizeof *options);
}

static cnnblas_status out_of_range(const char *name, long long value)
{
  return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "options.%s is %lld, which it cannot be", name, value);
}

static cnnblas_status check_options(const cnnblas_net_options *o)
{
  if (o->dtype == CNNBLAS_BF16)
    return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED, "options.dtype is bf16, which is reserved");
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
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                               "options.packed_weights is 1, but options.mode is training, where weights change");
  if (o->flush_denormals < 0 || o->flush_denormals > 1) return out_of_range("flush_denormals", o->flush_denormals);
  if (o->flush_denormals && !CB_FLUSHES)
    return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED,
                               "options.flush_denormals is 1, which this architecture's build cannot do");
  if (!cnnblas_accuracy_policy_name(o->accuracy)) return out_of_range("accuracy", o->accuracy);
  if ((int)o->optimiser < 0 || o->optimiser > CNNBLAS_NET_ADAMW) return out_of_range("optimiser", o->optimiser);
  if (o->average < 0 || o->average > 1) return out_of_range("average", o->average);
  if (o->segments < 0 || o->segments > CB_NET_MOST_SEGMENTS || o->segments & (o->segments - 1))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                               "options.segments is %d; it must be 0 or a power of two up to %d", (int)o->segments,
                               CB_NET_MOST_SEGMENTS);
  for (int i = 0; i < 18; i++)
    if (o->reserved[i]) return out_of_range("reserved", o->reserved[i]);
  return CNNBLAS_OK;
}

/* ---- layers and parameters ---- */

/* Adds the tensors that are trained, layer by layer, then those that are not. */
static cnnblas_status make_tensors(cnnblas_net *net)
{
  size_t bytes = (size_t)net->count * TENSORS_OF_A_LAYER * sizeof *net->params;
  net->params = cnnblas_shared_alloc(bytes, 1);
  if (!net->params) return cnnblas_shared_no_memory(bytes, "the tensors' descriptions");
  for (int64_t i = 0; i < net->count; i++) {
    cb_net_layer *l = cb_net_layer_at(net, i);
    if (l->row->parameters) l->row->parameters(net, l);
  }
  for (int64_t i = 0; i < net->count; i++) {
    cb_net_layer *l = cb_net_layer_at(net, i);
    if (l->row->state) l->row->state(net, l);
  }
  return CNNBLAS_OK;
}

static cnnblas_status make_layers(cnnblas_net *net)
{
  size_t workspace;
  net->count = net->design.graph.node_count;
  net->classes = cb_net_layer_at(net, net->count - 1)->out.elements;
  cb_net_plan_sinks(&net->design);
  cnnblas_status status = make_tensors(net);
  if (status) return status;
  cb_net_choose_parts(net);
  return cnnblas_graph_prepare(&net->design.graph, net, &workspace);
}

/* ---- parameters' values ---- */

static void clear_tensors(const cnnblas_net *net)
{
  const cb_net_layout *at = &net->layout;
  size_t bytes = (size_t)net->param_elements * net->element;
  memset(cb_net_at(net, at->values), 0, bytes);
  memset(cb_net_at(net, at->states), 0, (size_t)net->state_elements * net->element);
  if (net->options.mode != CNNBLAS_NET_TRAINING) return;
  memset(cb_net_at(net, at->batch_states), 0, (size_t)net->state_elements * net->element);
  memset(cb_net_at(net, at->gradients), 0, bytes);
  memset(cb_net_at(net, at->momentum), 0, bytes);
  if (net->options.optimiser == CNNBLAS_NET_ADAMW) memset(cb_net_at(net, at->second), 0, bytes);
  memset(cb_net_at(net, at->partial), 0, at->partial_bytes);
}

/* Fills tensor t with its initial elements: random weights from stream t of the seed, or one value. */
static cnnblas_status begin_tensor(cnnblas_net *net, cnnblas_init init, uint64_t seed, int64_t t)
{
  const cb_net_param *p = &net->params[t];
  cnnblas_init_desc d = {.dtype = net->options.dtype, .kind = init, .fan_in = p->fan_in, .fan_out = p->fan_out};
  void *value = cb_net_param_at(net, t < net->param_count ? net->layout.values : net->layout.states, t);
  d.seed = seed;
  d.stream = (uint64_t)t;
  d.threads = net->threads;
  if (p->fan_in) return cnnblas_init_fill(&d, p->elements, value);
  for (int64_t i = 0; i < p->elements; i++) {
    if (net->options.dtype == CNNBLAS_F64)
      ((double *)value)[i] = p->begin;
    else
      ((float *)value)[i] = (float)p->begin;
  }
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_net_initialise(cnnblas_net *net, cnnblas_init init, uint64_t seed)
{
  cnnblas_status status = cb_net_check(net, true);
  if (status) return status;
  if ((int)init < 0 || init > CNNBLAS_INIT_ZERO)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "init is %d, which names no initialisation", (int)init);
  clear_tensors(net);
  for (int64_t t = 0; t < net->param_count + net->state_count && !status; t++)
    status = begin_tensor(net, init, seed, t);
  if (!status) status = cb_net_apply_maps(net, net->layout.values);
  if (net->options.mode == CNNBLAS_NET_TRAINING && net->options.average)
    memcpy(cb_net_at(net, net->layout.average), cb_net_at(net, net->layout.values),
           (size_t)net->param_elements * net->element);
  net->options.seed = seed;
  net->options.init = init;
  net->steps = 0;
  net->has_gradient = false;
  net->packed = false;
  net->last_n = CB_NET_NONE;
  return status;
}

/* ---- the network, from its text ---- */

static int default_threads(void)
{
  cnnblas_system_info info;
  return cnnblas_system_get_info(&info) ? 1 : info.threads;
}

/* Sets net->text to the notation of the preset that text names, or to a copy of text. */
static cnnblas_status make_text(cnnblas_net *net, const char *text)
{
  size_t bytes = strlen(text) + 1;
  cnnblas_status status = cb_net_expand_preset(text, &net->options, &net->text);
  if (status || net->text) return status;
  net->text = cnnblas_shared_alloc(bytes, 0);
  if (!net->text) return cnnblas_shared_no_memory(bytes, "the network's text");
  memcpy(net->text, text, bytes);
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_net_create(const char *text, const cnnblas_net_options *options, cnnblas_net **out)
{
  static const cnnblas_net_options defaults;
  const cnnblas_net_options *o = options ? options : &defaults;
  if (!text) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "text is NULL");
  if (!out) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "net is NULL");
  cnnblas_status status = check_options(o);
  if (status) return status;
  cnnblas_net *net = cnnblas_shared_alloc(sizeof *net, 1);
  if (!net) return cnnblas_shared_no_memory(sizeof *net, "a network");
  net->options = *o;
  if (!net->options.batch) net->options.batch = DEFAULT_BATCH;
  net->element = o->dtype == CNNBLAS_F64 ? 8 : 4;
  net->threads = o->threads ? o->threads : default_threads();
  net->last_n = CB_NET_NONE;
  net->norm = (cnnblas_net_normalisation){.channels = 1, .scale = {1}, .white = 1};
  status = make_text(net, text);
  if (!status) status = cb_notation_parse(net->text, &net->options, &net->design);
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
  cb_design_free(&net->design);
  cnnblas_shared_free(net->params);
  cnnblas_shared_free(net->block);
  cnnblas_shared_free(net->text);
  cnnblas_shared_free(net->class_names);
  cnnblas_shared_free(net);
}
