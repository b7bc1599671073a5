/*
 * The passes over the layers: forward alone, and forward, loss and backward in one. network.h says what runs in parts of
 * the batch.
 */
#include "base/size.h"
#include "layers/teams.h"
#include "net/logits.h"
#include "net/network.h"
#include "net/support.h"
#include <math.h>

/* Some images on their way through layers. */
typedef struct {
  const cnnblas_net *net;
  int64_t first, n, slot;
  const void *x;    /* of these images */
  void *workspace;  /* of the thread */
  size_t section;   /* where gradients go: an offset in the block, laid out as the parameters are */
  int32_t threads;  /* of layers that have no plan */
  int64_t from, to; /* layers whose weight gradients are wanted */
} part;

/* What layer i reads: the array of the layer before it, or the data. */
static const void *input_of(const part *p, int64_t i)
{
  return i ? cb_net_output(p->net, &p->net->layers[i - 1], p->first, p->slot) : p->x;
}

/* A max pool's indices. */
static void *indices_of(const part *p, const cb_net_layer *l)
{
  return (int32_t *)cb_net_at(p->net, l->indices) + p->first * l->spec.out.elements;
}

/* Descriptors with the pass's number of threads. */
static cnnblas_fc_desc fc_desc(const part *p, const cb_net_layer *l)
{
  cnnblas_fc_desc d = cb_net_fc_desc(p->net, l);
  d.threads = p->threads;
  return d;
}

static cnnblas_pool_desc pool_desc(const part *p, const cb_net_layer *l)
{
  cnnblas_pool_desc d = l->spec.pool;
  d.threads = p->threads;
  return d;
}

static cnnblas_activation_desc activation_desc(const part *p, const cb_net_layer *l)
{
  cnnblas_activation_desc d = l->spec.activation;
  d.threads = p->threads;
  return d;
}

/* ---- forward ---- */

static cnnblas_status forward_layer(const part *p, int64_t i)
{
  const cnnblas_net *net = p->net;
  const cb_net_layer *l = &net->layers[i];
  const void *x = input_of(p, i), *w = NULL, *b = NULL;
  void *y = cb_net_output(net, l, p->first, p->slot);
  cnnblas_activation activation = {.kind = l->relu ? CNNBLAS_RELU : CNNBLAS_IDENTITY};
  if (l->weight != CB_NET_NONE) {
    w = cb_net_param_at(net, net->layout.values, l->weight);
    b = cb_net_param_at(net, net->layout.values, l->weight + 1);
  }
  if (l->spec.kind == CB_NET_CONV) {
    cnnblas_conv_epilogue e = {.bias = b, .activation = activation};
    if (net->packed && l->packed_plan)
      return cnnblas_conv_forward_packed(l->packed_plan, p->n, x, cb_net_at(net, l->packed), &e, y, p->workspace,
                                         net->forward_workspace);
    return cnnblas_conv_forward(l->plans[0], p->n, x, w, &e, y, p->workspace, net->forward_workspace);
  }
  if (l->spec.kind == CB_NET_FC) {
    cnnblas_fc_desc d = fc_desc(p, l);
    return cnnblas_fc_forward(&d, p->n, x, w, b, &activation, y);
  }
  if (l->spec.kind == CB_NET_POOL) {
    bool indexed = l->spec.pool.kind == CNNBLAS_POOL_MAX && net->options.mode == CNNBLAS_NET_TRAINING;
    cnnblas_pool_desc d = pool_desc(p, l);
    return cnnblas_pool_forward(&d, p->n, x, y, indexed ? indices_of(p, l) : NULL);
  }
  cnnblas_activation_desc d = activation_desc(p, l);
  return cnnblas_activation_forward(&d, p->n * l->spec.out.elements, l->in_place ? y : x, y);
}

static cnnblas_status forward_layers(const part *p, int64_t from, int64_t to)
{
  cnnblas_status status = CNNBLAS_OK;
  for (int64_t i = from; i < to && !status; i++)
    if (!p->net->layers[i].fused) status = forward_layer(p, i);
  return status;
}

/* ---- backward ---- */

static cnnblas_status backward_params(const part *p, int64_t i, const void *dy)
{
  const cnnblas_net *net = p->net;
  const cb_net_layer *l = &net->layers[i];
  void *dw = cb_net_param_at(net, p->section, l->weight), *db = cb_net_param_at(net, p->section, l->weight + 1);
  if (l->spec.kind == CB_NET_CONV)
    return cnnblas_conv_backward_weights(l->plans[CNNBLAS_BACKWARD_WEIGHTS], p->n, input_of(p, i), dy, dw, db,
                                         p->workspace, net->training_workspace);
  cnnblas_fc_desc d = fc_desc(p, l);
  return cnnblas_fc_backward_weights(&d, p->n, input_of(p, i), dy, dw, db);
}

static cnnblas_status backward_input(const part *p, int64_t i, const void *dy, void *dx)
{
  const cnnblas_net *net = p->net;
  const cb_net_layer *l = &net->layers[i];
  const void *w = l->weight == CB_NET_NONE ? NULL : cb_net_param_at(net, net->layout.values, l->weight);
  if (l->spec.kind == CB_NET_CONV)
    return cnnblas_conv_backward_data(l->plans[CNNBLAS_BACKWARD_DATA], p->n, dy, w, dx, p->workspace,
                                      net->training_workspace);
  if (l->spec.kind == CB_NET_FC) {
    cnnblas_fc_desc d = fc_desc(p, l);
    return cnnblas_fc_backward_data(&d, p->n, dy, w, dx);
  }
  bool max = l->spec.pool.kind == CNNBLAS_POOL_MAX;
  cnnblas_pool_desc d = pool_desc(p, l);
  return cnnblas_pool_backward(&d, p->n, input_of(p, i), cb_net_output(net, l, p->first, p->slot), dy,
                               max ? indices_of(p, l) : NULL, dx);
}

/* dx of an activation from its outputs y, count of them. */
static cnnblas_status backward_activation(const part *p, const cb_net_layer *l, int64_t count, const void *y,
                                          const void *dy, void *dx)
{
  cnnblas_activation_desc d = activation_desc(p, l);
  return cnnblas_activation_backward(&d, p->n * count, NULL, y, dy, dx);
}

/*
 * A max pool over a fused ReLU passes an error on to elements whose value is the pool's output: whether the ReLU lets
 * it through is seen at the output, of which there are fewer. The ReLU is done with then.
 */
static bool relu_goes_first(const cnnblas_net *net, int64_t i)
{
  return i > 0 && net->layers[i].spec.kind == CB_NET_POOL && net->layers[i].spec.pool.kind == CNNBLAS_POOL_MAX &&
         net->layers[i - 1].fused;
}

/* Layers to - 1 down to from, none of them in front of the first that has parameters. An in-place activation changes
   the error where it lies; every other layer writes the error of the array before it. */
static cnnblas_status backward_layers(const part *p, int64_t from, int64_t to)
{
  const cnnblas_net *net = p->net;
  cnnblas_status status = CNNBLAS_OK;
  int64_t first = 0;
  while (first < net->count && net->layers[first].weight == CB_NET_NONE) first++;
  for (int64_t i = to - 1; i >= cb_max(from, first) && !status; i--) {
    const cb_net_layer *l = &net->layers[i];
    void *dy = cb_net_error(net, l, p->first, p->slot), *dx = i ? cb_net_error(net, l - 1, p->first, p->slot) : NULL;
    if (l->spec.kind >= CB_NET_RELU) {
      if (i + 1 < net->count && relu_goes_first(net, i + 1)) continue;
      status = backward_activation(p, l, l->spec.out.elements, cb_net_output(net, l, p->first, p->slot), dy,
                                   l->in_place ? dy : dx);
      continue;
    }
    if (l->weight != CB_NET_NONE && i >= p->from && i < p->to) status = backward_params(p, i, dy);
    if (status || i == first) break;
    if (relu_goes_first(net, i))
      status = backward_activation(p, l - 1, l->spec.out.elements, cb_net_output(net, l, p->first, p->slot), dy, dy);
    if (!status) status = backward_input(p, i, dy, dx);
  }
  return status;
}

/* Weight gradients alone, of layers whose errors are kept for the whole batch. */
static cnnblas_status backward_all_params(const part *p)
{
  cnnblas_status status = CNNBLAS_OK;
  for (int64_t i = p->from; i < p->to && !status; i++)
    if (p->net->layers[i].weight != CB_NET_NONE)
      status = backward_params(p, i, cb_net_error(p->net, &p->net->layers[i], p->first, p->slot));
  return status;
}

/* ---- parts ---- */

typedef struct {
  const cnnblas_net *net;
  int64_t n, count; /* images, parts */
  const char *x;
  const int32_t *labels;  /* NULL: forward through [0, split) only */
  double *losses;         /* [count], each a part's sum */
  _Atomic int64_t failed; /* one of the parts that did, or CB_NET_NONE */
} parts;

/* One of cb_net_workers places for arrays and workspace that nobody else has while the part runs: its own where there is one
   for each part of a batch, else the thread's. */
static int64_t place_of(const cnnblas_net *net, int64_t index, int worker)
{
  return cb_net_parts(net, net->options.batch) <= net->threads ? index : worker;
}

static part part_of(const parts *all, int64_t index, int worker)
{
  const cnnblas_net *net = all->net;
  int64_t place = place_of(net, index, worker);
  part p = {.net = net, .first = index * net->part, .slot = place * net->part, .threads = 1, .to = net->split};
  p.n = cb_min(net->part, all->n - p.first);
  p.x = all->x + (size_t)(p.first * net->design.input.elements) * net->element;
  size_t workspace = cb_net_workspace(net, net->options.mode == CNNBLAS_NET_TRAINING);
  p.workspace = cb_net_at(net, net->layout.workspace + (size_t)place * workspace);
  p.section = net->layout.partial + (size_t)(index * net->split_elements) * net->element;
  return p;
}

/* array[i] *= factor */
static void scale(const cnnblas_net *net, int64_t count, double factor, void *array)
{
  for (int64_t i = 0; i < count; i++) {
    if (net->options.dtype == CNNBLAS_F64)
      ((double *)array)[i] *= factor;
    else
      ((float *)array)[i] *= (float)factor;
  }
}

/* Forward, loss and backward of one part; the loss is the mean of all parts' images. */
static cnnblas_status train_part(const parts *all, int64_t index, const part *p)
{
  const cnnblas_net *net = all->net;
  void *dz = cb_net_error(net, &net->layers[net->count - 1], p->first, p->slot);
  cnnblas_status status = forward_layers(p, 0, net->count);
  if (!status)
    status = cb_net_loss(net, p->threads, p->first, p->n, all->labels + p->first, CNNBLAS_REDUCTION_SUM,
                         &all->losses[index], dz);
  if (status || !isfinite(all->losses[index])) return status;
  double images = (double)all->n * (net->options.loss == CNNBLAS_NET_SIGMOID ? (double)net->classes : 1);
  scale(net, p->n * net->classes, 1 / images, dz);
  return backward_layers(p, 0, net->count);
}

static cnnblas_status run_part(const parts *all, int64_t index, int worker)
{
  part p = part_of(all, index, worker);
  return all->labels ? train_part(all, index, &p) : forward_layers(&p, 0, all->net->split);
}

static void part_task(void *context, int64_t index, int worker)
{
  parts *all = context;
  if (run_part(all, index, worker)) all->failed = index;
}

static cnnblas_status run_parts(parts *all)
{
  all->failed = CB_NET_NONE;
  cnnblas_shared_parallel(all->net->threads, all->count, part_task, all);
  /* The message belongs to the thread that met the error: this one shall meet it too. */
  return all->failed == CB_NET_NONE ? CNNBLAS_OK : run_part(all, all->failed, 0);
}

/* ---- sums of the parts' gradients ---- */

enum { SUM_ELEMENTS = 4096 /* of a task */ };

typedef struct {
  const cnnblas_net *net;
  int64_t count;
} sum;

#define ADD_PARTS(name, type)                                                                                          \
  static void name(const sum *s, int64_t begin, int64_t end)                                                           \
  {                                                                                                                    \
    int64_t pitch = s->net->split_elements;                                                                            \
    const type *restrict partial = cb_net_at(s->net, s->net->layout.partial);                                          \
    type *restrict total = cb_net_at(s->net, s->net->layout.gradients);                                                \
    for (int64_t i = begin; i < end; i++) total[i] = partial[i];                                                       \
    for (int64_t p = 1; p < s->count; p++)                                                                             \
      for (int64_t i = begin; i < end; i++) total[i] += partial[p * pitch + i];                                        \
  }
ADD_PARTS(add_parts_f32, float)
ADD_PARTS(add_parts_f64, double)

static void sum_task(void *context, int64_t task, int worker)
{
  (void)worker;
  const sum *s = context;
  int64_t begin = task * SUM_ELEMENTS, end = cb_min(begin + SUM_ELEMENTS, s->net->split_elements);
  if (s->net->options.dtype == CNNBLAS_F64)
    add_parts_f64(s, begin, end);
  else
    add_parts_f32(s, begin, end);
}

static void sum_parts(const cnnblas_net *net, int64_t count)
{
  sum s = {net, count};
  double bytes = (double)(count + 1) * (double)net->split_elements * (double)net->element;
  int threads = bytes * CB_BYTE_NANOSECONDS < CB_WAKE_NANOSECONDS ? 1 : net->threads;
  cnnblas_shared_parallel(threads, cb_ceil_div(net->split_elements, SUM_ELEMENTS), sum_task, &s);
}

/* ---- whole passes ---- */

static part whole_batch(const cnnblas_net *net, int64_t n, const void *x)
{
  return (part){.net = net,
                .n = n,
                .x = x,
                .threads = net->threads,
                .workspace = cb_net_at(net, net->layout.workspace),
                .section = net->layout.gradients,
                .to = net->count};
}

static bool in_parts(const cnnblas_net *net)
{
  return net->part < net->options.batch;
}

/*
 * A forward pass of fewer operations takes microseconds: a second core would at best halve them, and where another process
 * holds that core, waiting for it takes milliseconds. Such a pass stays on the calling thread.
 */
static const double least_flops_of_a_team = 1e6;

/* What the thread's regions were told before a pass. */
typedef struct {
  int alone, flush;
} regions_before;

static regions_before begin_pass(cnnblas_net *net, int64_t n)
{
  net->last_n = n;
  net->has_gradient = false;
  double flops = 0;
  for (int64_t i = 0; i < net->count; i++) flops += net->layers[i].flops * (double)n;
  return (regions_before){.alone = cnnblas_shared_alone(flops < least_flops_of_a_team),
                          .flush = cnnblas_shared_flush(net->options.flush_denormals)};
}

static void end_pass(regions_before before)
{
  cnnblas_shared_alone(before.alone);
  cnnblas_shared_flush(before.flush);
}

cnnblas_status cb_net_pass_forward(cnnblas_net *net, int64_t n, const void *x)
{
  part whole = whole_batch(net, n, x);
  parts all = {.net = net, .n = n, .count = cb_net_parts(net, n), .x = x};
  cnnblas_status status = CNNBLAS_OK;
  const regions_before before = begin_pass(net, n);
  if (in_parts(net)) status = run_parts(&all);
  if (!status) status = forward_layers(&whole, in_parts(net) ? net->split : 0, net->count);
  end_pass(before);
  return status;
}

static cnnblas_status gradient_of_whole(cnnblas_net *net, const part *whole, const int32_t *labels, double *loss)
{
  void *dz = cb_net_error(net, &net->layers[net->count - 1], 0, 0);
  cnnblas_status status = forward_layers(whole, 0, net->count);
  if (!status) status = cb_net_loss(net, net->threads, 0, whole->n, labels, CNNBLAS_REDUCTION_MEAN, loss, dz);
  return status || !isfinite(*loss) ? status : backward_layers(whole, 0, net->count);
}

static cnnblas_status gradient_of_parts(cnnblas_net *net, part *whole, const int32_t *labels, double *loss)
{
  parts all = {.net = net, .n = whole->n, .count = cb_net_parts(net, whole->n), .x = whole->x, .labels = labels};
  all.losses = cb_net_at(net, net->layout.losses);
  cnnblas_status status = run_parts(&all);
  if (status) return status;
  *loss = 0;
  for (int64_t i = 0; i < all.count; i++) *loss += all.losses[i];
  *loss /= (double)whole->n * (net->options.loss == CNNBLAS_NET_SIGMOID ? (double)net->classes : 1);
  if (!isfinite(*loss)) return CNNBLAS_OK;
  sum_parts(net, all.count);
  whole->from = net->split;
  return backward_all_params(whole);
}

cnnblas_status cb_net_pass_gradient(cnnblas_net *net, int64_t n, const void *x, const int32_t *labels, double *loss)
{
  part whole = whole_batch(net, n, x);
  const regions_before before = begin_pass(net, n);
  cnnblas_status status =
      in_parts(net) ? gradient_of_parts(net, &whole, labels, loss) : gradient_of_whole(net, &whole, labels, loss);
  if (!status) status = cb_net_apply_maps(net, net->layout.gradients);
  end_pass(before);
  return status;
}

/* The first of layers [from, to) whose output is not finite, `to` if none; runs them. */
static int64_t first_nonfinite(const part *p, int64_t from, int64_t to)
{
  const cnnblas_net *net = p->net;
  for (int64_t i = from; i < to; i++) {
    const cb_net_layer *l = &net->layers[i];
    if (!l->fused) forward_layer(p, i);
    if (!cb_net_finite(net->options.dtype, p->n * l->spec.out.elements, cb_net_output(net, l, p->first, p->slot)))
      return i;
  }
  return to;
}

const char *cb_net_first_nonfinite(cnnblas_net *net, int64_t n, const void *x)
{
  if (!cb_net_finite(net->options.dtype, n * net->design.input.elements, x)) return "input";
  part whole = whole_batch(net, n, x);
  int64_t split = in_parts(net) ? net->split : 0, first = split;
  parts all = {.net = net, .n = n, .count = in_parts(net) ? cb_net_parts(net, n) : 0, .x = x};
  for (int64_t index = 0; index < all.count; index++) {
    part p = part_of(&all, index, 0);
    first = cb_min(first, first_nonfinite(&p, 0, split));
  }
  if (first == split) first = first_nonfinite(&whole, split, net->count);
  return first < net->count ? net->layers[first].name : "loss";
}
