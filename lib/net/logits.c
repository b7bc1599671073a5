/* The last layer's outputs, read: classes, right answers, losses and their gradients. */
#include "net/logits.h"
#include <math.h>
#include <string.h>

void *cb_net_logits(const cnnblas_net *net)
{
  return cb_net_output(net, cb_net_layer_at(net, net->count - 1), 0, 0);
}

static double element(const cnnblas_net *net, const void *array, int64_t i)
{
  return net->options.dtype == CNNBLAS_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

int32_t cb_net_class(const cnnblas_net *net, int64_t in)
{
  const char *z = (const char *)cb_net_logits(net) + (size_t)(in * net->classes) * net->element;
  int32_t best = 0;
  for (int32_t j = 1; j < net->classes; j++)
    if (!(element(net, z, j) <= element(net, z, best)) && !isnan(element(net, z, best))) best = j;
  return best;
}

int64_t cb_net_correct(const cnnblas_net *net, int64_t n, const int32_t *labels)
{
  int64_t correct = 0;
  for (int64_t in = 0; in < n; in++)
    correct +=
        cb_net_class(net, in) == labels[in] && !isnan(element(net, cb_net_logits(net), in * net->classes + labels[in]));
  return correct;
}

/* Fills and returns the one-hot vectors of images [first, first + n), in their place among the batch's. */
static void *fill_targets(const cnnblas_net *net, int64_t first, int64_t n, const int32_t *labels)
{
  char *targets = (char *)cb_net_at(net, net->layout.targets) + (size_t)(first * net->classes) * net->element;
  memset(targets, 0, (size_t)(n * net->classes) * net->element);
  for (int64_t in = 0; in < n; in++) {
    if (net->options.dtype == CNNBLAS_F64)
      ((double *)targets)[in * net->classes + labels[in]] = 1;
    else
      ((float *)targets)[in * net->classes + labels[in]] = 1;
  }
  return targets;
}

double cb_net_loss_divisor(const cnnblas_net *net)
{
  return (double)net->step_images * (net->options.loss == CNNBLAS_NET_SIGMOID ? (double)net->classes : 1);
}

cnnblas_loss_desc cb_net_loss_desc(const cnnblas_net *net)
{
  cnnblas_loss_desc d = {.dtype = net->options.dtype, .reduction = CNNBLAS_REDUCTION_MEAN, .threads = net->threads};
  d.n = net->options.batch;
  d.classes = net->classes;
  return d;
}

cnnblas_status cb_net_loss(const cnnblas_net *net, int32_t threads, int64_t first, int64_t n, const int32_t *labels,
                           cnnblas_reduction reduction, double *loss, void *dz)
{
  cnnblas_loss_desc d = cb_net_loss_desc(net);
  d.threads = threads;
  const void *z = (const char *)cb_net_logits(net) + (size_t)(first * net->classes) * net->element;
  d.reduction = reduction;
  if (net->options.loss == CNNBLAS_NET_SIGMOID)
    return cnnblas_loss_sigmoid_cross_entropy(&d, n, z, fill_targets(net, first, n, labels), loss, dz);
  return cnnblas_loss_softmax_cross_entropy(&d, n, z, labels, loss, dz, NULL);
}

void cb_net_scale(const cnnblas_net *net, int64_t count, double factor, void *array)
{
  for (int64_t i = 0; i < count; i++) {
    if (net->options.dtype == CNNBLAS_F64)
      ((double *)array)[i] *= factor;
    else
      ((float *)array)[i] *= (float)factor;
  }
}
