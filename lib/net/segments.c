/* Weight gradients and losses by segments of the batch; see segments.h. */
#include "net/segments.h"
#include "base/size.h"
#include "net/logits.h"
#include "net/smoothing.h"
#include <cnnblas/arrays.h>
#include <string.h>

int cb_net_segment_places(const cnnblas_net *net)
{
  int cuts = 0;
  while ((int64_t)1 << cuts < net->options.segments) cuts++;
  return cuts;
}

/* How often a rank's images are cut: those of a step were cut before, once for each doubling of the ranks. */
static int own_cuts(const cnnblas_net *net)
{
  int cuts = cb_net_segment_places(net);
  for (int32_t ranks = net->exchange ? net->exchange->ranks : 1; ranks > 1; ranks /= 2) cuts--;
  return cuts;
}

int64_t cb_net_segments(const cnnblas_net *net)
{
  return (int64_t)1 << own_cuts(net);
}

int64_t cb_net_segment(const cnnblas_net *net, int64_t n, int64_t index, int64_t *first)
{
  *first = 0;
  for (int64_t half = cb_net_segments(net) / 2; half > 0; half /= 2) {
    const int64_t left = cb_left_branch(n);
    *first += index & half ? left : 0;
    n = index & half ? n - left : left;
  }
  return n;
}

int64_t cb_net_segment_images(const cnnblas_net *net, int64_t n)
{
  for (int cuts = cb_net_segment_places(net); cuts > 0 && n > 1; cuts--) n = cb_left_branch(n);
  return n;
}

int64_t cb_net_gradient_images(const cnnblas_net *net, const cb_net_layer *l)
{
  return cb_net_in_parts(net) && l->index < net->split ? net->part : cb_net_segment_images(net, net->options.batch);
}

/* The algorithm with the least estimate of those that call no OpenBLAS and hold the element-wise bound; NULL if there is none. */
static const char *choose_without_blas(const cnnblas_conv_desc *d, cnnblas_conv_options o)
{
  const char *best = NULL;
  double least = 0;
  for (int32_t i = 0; (o.algorithm = cnnblas_conv_algorithm_name(i)) != NULL; i++) {
    cnnblas_algorithm_info info;
    cnnblas_conv_plan *plan;
    if (cnnblas_conv_algorithm_info(i, &info) || info.uses_blas || info.by_name_only || info.by_batch) continue;
    if (info.accuracy != CNNBLAS_ACCURACY_ELEMENT || !(info.directions >> CNNBLAS_BACKWARD_DATA & 1)) continue;
    if (cnnblas_conv_plan_create(d, CNNBLAS_BACKWARD_DATA, &o, &plan)) continue;
    const double seconds = cnnblas_conv_plan_estimate(plan);
    cnnblas_conv_plan_destroy(plan);
    if (best && seconds >= least) continue;
    best = o.algorithm;
    least = seconds;
  }
  return best;
}

cnnblas_status cb_net_choose_by_segment(const cnnblas_net *net, const cb_net_layer *l, const cnnblas_conv_desc *d,
                                        cnnblas_conv_options *o)
{
  cnnblas_conv_desc segment = *d;
  cnnblas_conv_plan *plan;
  if (net->options.segments <= 1 || o->algorithm) return CNNBLAS_OK;
  segment.n = cb_net_gradient_images(net, l);
  cnnblas_status status = cnnblas_conv_plan_create(&segment, CNNBLAS_BACKWARD_DATA, o, &plan);
  if (status) return status;
  const char *name = cnnblas_conv_plan_algorithm(plan);
  cnnblas_conv_plan_destroy(plan);
  for (int32_t i = 0; cnnblas_conv_algorithm_name(i); i++) {
    cnnblas_algorithm_info info;
    if (strcmp(cnnblas_conv_algorithm_name(i), name) || cnnblas_conv_algorithm_info(i, &info)) continue;
    o->algorithm = info.uses_blas ? choose_without_blas(&segment, *o) : name;
  }
  return CNNBLAS_OK;
}

/* The elements of a layer's parameters in a section, padding counted. */
static int64_t elements_of(const cnnblas_net *net, const cb_net_layer *l)
{
  int64_t after = l->weight + l->params;
  int64_t end = after < net->param_count ? net->params[after].place : net->param_elements;
  return end - net->params[l->weight].place;
}

int64_t cb_net_segment_elements(const cnnblas_net *net)
{
  int64_t most = 0;
  for (int64_t i = 0; i < net->count; i++) {
    const cb_net_layer *l = cb_net_layer_at(net, i);
    if (l->params) most = cb_max(most, elements_of(net, l));
  }
  return most;
}

/* Makes the gradients of one segment, the pass's images, in the pass's section. */
static cnnblas_status one_segment(const cb_net_pass *p, const cb_net_layer *l)
{
  const void *x = cb_net_value(p, cb_graph_input(&p->net->design.graph, l->index, 0));
  void *none = NULL;
  cb_net_gradients g = {.x = &x, .y = cb_net_output(p->net, l, p->first, p->slot), .dx = &none, .parameters = true};
  g.dy = cb_net_error(p->net, l, p->first, p->slot);
  return l->row->backward(p, l, &g);
}

/* Sums the pass's images, cut `cuts` times more: the left branch where the sum shall lie, the right one in a place of its
   own, which is added. */
static cnnblas_status sum_branch(const cb_net_pass *p, const cb_net_layer *l, int cuts)
{
  const cnnblas_net *net = p->net;
  if (cuts == 0 || p->n <= 1) return one_segment(p, l);
  size_t element = net->element, begin = (size_t)net->params[l->weight].place * element;
  size_t place = net->layout.segments + (size_t)((cuts - 1) * cb_net_segment_elements(net)) * element;
  cb_net_pass left = *p, right = *p;
  left.n = cb_left_branch(p->n);
  right.first += left.n;
  right.n -= left.n;
  right.x = (const char *)p->x + (size_t)(left.n * net->design.input.elements) * element;
  right.section = place - begin; /* the layer's parameters begin at the place then; a wrap is undone by the addition */
  cnnblas_status status = sum_branch(&left, l, cuts - 1);
  if (!status) status = sum_branch(&right, l, cuts - 1);
  for (int64_t t = l->weight; t < l->weight + l->params && !status; t++) { /* what pads them stays 0 */
    void *sum = cb_net_param_at(net, p->section, t);
    status = cnnblas_add_forward(net->options.dtype, p->threads, net->params[t].elements, sum,
                                 cb_net_param_at(net, right.section, t), sum);
  }
  return status;
}

cnnblas_status cb_net_sum_segments(const cb_net_pass *p, const cb_net_layer *l)
{
  return sum_branch(p, l, own_cuts(p->net));
}

/* The losses of images [first, first + n), cut `cuts` times more; dz is that of image `first`. */
static cnnblas_status losses_of_branch(const cnnblas_net *net, int64_t first, int64_t n, int cuts,
                                       const int32_t *labels, double *loss)
{
  *loss = -0.0;
  if (n == 0) return CNNBLAS_OK;
  if (cuts == 0 || n == 1) {
    void *dz = cb_net_error(net, cb_net_layer_at(net, net->count - 1), first, 0);
    cnnblas_status status = cb_net_loss(net, net->threads, first, n, labels + first, CNNBLAS_REDUCTION_SUM, loss, dz);
    if (!status) cb_net_smooth(net, first, n, labels + first, 1, loss, dz);
    return status;
  }
  const int64_t left = cb_left_branch(n);
  double right = 0;
  cnnblas_status status = losses_of_branch(net, first, left, cuts - 1, labels, loss);
  if (!status) status = losses_of_branch(net, first + left, n - left, cuts - 1, labels, &right);
  *loss += right;
  return status;
}

cnnblas_status cb_net_sum_losses(const cnnblas_net *net, int64_t n, const int32_t *labels, double *loss)
{
  return losses_of_branch(net, 0, n, own_cuts(net), labels, loss);
}
