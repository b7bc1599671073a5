/* Looking into a network: sizes, layers, tensors, and a table for people. */
#include "base/shared.h"
#include "net/fold.h"
#include "net/kind.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static double training_flops(const cnnblas_net *net)
{
  double flops = 0;
  bool first = true;
  for (int64_t i = 0; i < net->count; i++) {
    if (!cb_net_layer_at(net, i)->params) continue;
    flops += cb_net_layer_at(net, i)->flops * (first ? 2 : 3);
    first = false;
  }
  return flops;
}

cnnblas_status cnnblas_net_get_info(const cnnblas_net *net, cnnblas_net_info *info)
{
  cnnblas_status status = cb_net_check(net, false);
  if (status) return status;
  if (!info) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "info is NULL");
  memset(info, 0, sizeof *info);
  info->dtype = net->options.dtype;
  info->mode = net->options.mode;
  info->loss = net->options.loss;
  info->packed = net->packed;
  info->seed = net->options.seed;
  info->batch = net->options.batch;
  info->rank = net->design.rank;
  info->threads = net->threads;
  info->c = net->design.input.c;
  memcpy(info->size, net->design.input.size, sizeof info->size);
  info->input_elements = net->design.input.elements;
  info->classes = net->classes;
  info->layers = net->count;
  info->tensors = net->param_count + net->state_count;
  info->parameters = net->parameters;
  for (int64_t i = 0; i < net->count; i++) info->flops += cb_net_layer_at(net, i)->flops;
  info->training_flops = training_flops(net);
  info->training_bytes = net->training_bytes;
  info->inference_bytes = net->inference_bytes;
  info->allocated_bytes = net->block ? net->layout.bytes : 0;
  info->steps = net->steps;
  return CNNBLAS_OK;
}

const char *cnnblas_net_text(const cnnblas_net *net)
{
  return net ? net->text : "";
}

cnnblas_status cnnblas_net_set_steps(cnnblas_net *net, int64_t steps)
{
  cnnblas_status status = cb_net_check(net, true);
  if (status) return status;
  if (steps < 0)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "steps is %lld; it must be at least 0", (long long)steps);
  net->steps = steps;
  return CNNBLAS_OK;
}

/* ---- layers ---- */

static cnnblas_status check_layer(const cnnblas_net *net, int64_t index)
{
  cnnblas_status status = cb_net_check(net, false);
  if (status) return status;
  if (index >= 0 && index < net->count) return CNNBLAS_OK;
  return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "index is %lld; the network has layers 0 to %lld",
                             (long long)index, (long long)net->count - 1);
}

cnnblas_status cnnblas_net_get_layer(const cnnblas_net *net, int64_t index, cnnblas_net_layer_info *info)
{
  cnnblas_status status = check_layer(net, index);
  if (status) return status;
  if (!info) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "info is NULL");
  const cb_net_layer *l = cb_net_layer_at(net, index);
  memset(info, 0, sizeof *info);
  snprintf(info->name, sizeof info->name, "%s", l->name);
  snprintf(info->kind, sizeof info->kind, "%s", l->row->keyword);
  if (l->row->describe) l->row->describe(l, info->kind, info->detail, sizeof info->detail);
  memcpy(info->algorithm, l->algorithms, sizeof info->algorithm);
  info->column = l->column;
  info->fused = l->fused || cb_net_is_folded(net, l);
  info->packed = net->packed && l->packed_plan;
  info->c = l->out.c;
  memcpy(info->size, l->out.size, sizeof info->size);
  info->elements = l->out.elements;
  for (int t = 0; t < l->params; t++) *(t ? &info->biases : &info->weights) += net->params[l->weight + t].elements;
  info->flops = l->flops;
  return CNNBLAS_OK;
}

static cnnblas_status check_inspection(const cnnblas_net *net, int64_t index, const void *out)
{
  cnnblas_status status = check_layer(net, index);
  if (status) return status;
  if (!out) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "the place for the result is NULL");
  if (net->options.mode != CNNBLAS_NET_TRAINING)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "only a training network keeps its layers' arrays");
  if (net->last_n == CB_NET_NONE) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "the network has not run yet");
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_net_layer_output(const cnnblas_net *net, int64_t index, const void **output)
{
  cnnblas_status status = check_inspection(net, index, output);
  if (!status) *output = cb_net_output(net, cb_net_layer_at(net, index), 0, 0);
  return status;
}

cnnblas_status cnnblas_net_layer_gradient_norm(const cnnblas_net *net, int64_t index, double *norm)
{
  cnnblas_status status = check_inspection(net, index, norm);
  if (status) return status;
  if (!net->has_gradient) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "the last pass was not a backward pass");
  const cb_net_layer *l = cb_net_layer_at(net, index);
  double squares = 0;
  for (int64_t t = l->weight; t < l->weight + l->params; t++) {
    const void *g = cb_net_param_at(net, net->layout.gradients, t);
    for (int64_t i = 0; i < net->params[t].elements; i++) {
      double v = net->options.dtype == CNNBLAS_F64 ? ((const double *)g)[i] : (double)((const float *)g)[i];
      squares += v * v;
    }
  }
  *norm = sqrt(squares);
  return CNNBLAS_OK;
}

/* ---- tensors ---- */

static void tensor_arrays(const cnnblas_net *net, int64_t t, cnnblas_net_tensor *tensor)
{
  const cb_net_layout *at = &net->layout;
  tensor->value = cb_net_param_at(net, tensor->trained ? at->values : at->states, t);
  if (net->options.mode != CNNBLAS_NET_TRAINING || !tensor->trained) return;
  tensor->gradient = cb_net_param_at(net, at->gradients, t);
  tensor->momentum = cb_net_param_at(net, at->momentum, t);
  if (net->options.optimiser == CNNBLAS_NET_ADAMW) tensor->second = cb_net_param_at(net, at->second, t);
  if (net->options.average) tensor->average = cb_net_param_at(net, at->average, t);
}

cnnblas_status cnnblas_net_get_tensor(const cnnblas_net *net, int64_t index, cnnblas_net_tensor *tensor)
{
  cnnblas_status status = cb_net_check(net, false);
  if (status) return status;
  if (!tensor) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "tensor is NULL");
  if (index < 0 || index >= net->param_count + net->state_count)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "index is %lld; the network has %lld tensors",
                               (long long)index, (long long)(net->param_count + net->state_count));
  const cb_net_param *p = &net->params[index];
  memset(tensor, 0, sizeof *tensor);
  memcpy(tensor->name, p->name, sizeof tensor->name);
  tensor->dtype = net->options.dtype;
  tensor->rank = p->rank;
  memcpy(tensor->shape, p->shape, sizeof p->shape);
  tensor->elements = p->elements;
  tensor->trained = index < net->param_count;
  tensor->decays = p->decays;
  if (net->block) tensor_arrays(net, index, tensor);
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_net_find_tensor(const cnnblas_net *net, const char *name, cnnblas_net_tensor *tensor)
{
  cnnblas_status status = cb_net_check(net, false);
  if (status) return status;
  if (!name) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "name is NULL");
  for (int64_t t = 0; t < net->param_count + net->state_count; t++)
    if (!strcmp(net->params[t].name, name)) return cnnblas_net_get_tensor(net, t, tensor);
  return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "name is \"%.64s\", which is no tensor of this network", name);
}

/* ---- the table ---- */

/* A text that grows in a buffer, which may be too small. */
typedef struct {
  char *buffer;
  size_t size, used;
} writer;

static void put(writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(writer *w, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  size_t room = w->used < w->size ? w->size - w->used : 0;
  int length = vsnprintf(room ? w->buffer + w->used : NULL, room, format, args);
  va_end(args);
  if (length > 0) w->used += (size_t)length;
}

static void put_layer(writer *w, const cnnblas_net *net, int64_t index)
{
  cnnblas_net_layer_info l;
  char shape[40], out[64], what[192];
  cnnblas_net_get_layer(net, index, &l);
  snprintf(out, sizeof out, "%lldx%s", (long long)l.c, cb_net_sizes(shape, sizeof shape, net->design.rank, l.size, 1));
  snprintf(what, sizeof what, "%s %s", l.kind, l.detail);
  put(w, "%-9s %-30s %-14s %10lld %10.3f", l.name, what, out, (long long)(l.weights + l.biases), l.flops / 1e6);
  if (l.fused)
    put(w, "  in the layer before");
  else if (l.algorithm[0][0])
    put(w, "  %s%s, %s, %s", l.algorithm[0], l.packed ? " (packed)" : "", l.algorithm[1][0] ? l.algorithm[1] : "-",
        l.algorithm[2]);
  put(w, "\n");
}

cnnblas_status cnnblas_net_describe(const cnnblas_net *net, char *buffer, size_t size, size_t *needed)
{
  cnnblas_net_info info;
  cnnblas_status status = cnnblas_net_get_info(net, &info);
  if (status) return status;
  if (size && !buffer) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "buffer is NULL, but size is %zu", size);
  writer w = {buffer, size, 0};
  put(&w, "%-9s %-30s %-14s %10s %10s  %s\n", "layer", "what", "output", "parameters", "MFLOP",
      "algorithms: forward, backward_data, backward_weights");
  for (int64_t i = 0; i < net->count; i++) put_layer(&w, net, i);
  put(&w,
      "%lld parameters; %.3f MFLOP an image forward, %.3f in training; batch %lld: %.1f MiB to train, %.1f MiB to "
      "infer\n",
      (long long)info.parameters, info.flops / 1e6, info.training_flops / 1e6, (long long)info.batch,
      (double)info.training_bytes / 1048576, (double)info.inference_bytes / 1048576);
  if (needed) *needed = w.used + 1;
  return CNNBLAS_OK;
}
