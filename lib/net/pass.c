/*
 * Whole passes, on the whole batch or in parts of it: forward alone, and forward, loss and backward in one.
 */
#include "net/in_parts.h"
#include "net/logits.h"
#include "net/smoothing.h"
#include "net/support.h"
#include "net/walk.h"
#include <math.h>

static cb_net_pass whole_batch(cnnblas_net *net, int64_t n, const void *x)
{
  return (cb_net_pass){.net = net,
                       .n = n,
                       .x = x,
                       .threads = net->threads,
                       .workspace = cb_net_at(net, net->layout.workspace),
                       .section = net->layout.gradients,
                       .to = net->count};
}

/*
 * A forward pass of fewer operations takes microseconds: a second core would at best halve them, and where another
 * process holds that core, waiting for it takes milliseconds. Such a pass stays on the calling thread.
 */
static const double least_flops_of_a_team = 1e6;

/* The thread's settings before a pass, to be set back after it. */
typedef struct {
  int alone, flush;
} regions_before;

static regions_before begin_pass(cnnblas_net *net, int64_t n)
{
  net->last_n = n;
  net->has_gradient = false;
  double flops = 0;
  for (int64_t i = 0; i < net->count; i++) flops += cb_net_layer_at(net, i)->flops * (double)n;
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
  cb_net_pass whole = whole_batch(net, n, x);
  cb_net_parts_run all = {.net = net, .n = n, .count = cb_net_parts(net, n), .x = x};
  cnnblas_status status = CNNBLAS_OK;
  const regions_before before = begin_pass(net, n);
  if (cb_net_in_parts(net)) status = cb_net_run_parts(&all);
  if (!status) status = cb_net_walk_forward(&whole, cb_net_in_parts(net) ? net->split : 0, net->count);
  end_pass(before);
  return status;
}

static cnnblas_status gradient_of_whole(cb_net_pass *whole, const int32_t *labels, double *loss)
{
  cnnblas_net *net = whole->net;
  void *dz = cb_net_error(net, cb_net_layer_at(net, net->count - 1), 0, 0);
  cnnblas_status status = cb_net_walk_forward(whole, 0, net->count);
  if (!status) status = cb_net_loss(net, net->threads, 0, whole->n, labels, CNNBLAS_REDUCTION_MEAN, loss, dz);
  if (!status) cb_net_smooth(net, 0, whole->n, labels, (double)whole->n, loss, dz);
  return status || !isfinite(*loss) ? status : cb_net_walk_backward(whole);
}

static cnnblas_status gradient_of_parts(cb_net_pass *whole, const int32_t *labels, double *loss)
{
  cnnblas_net *net = whole->net;
  cb_net_parts_run all = {.net = net, .n = whole->n, .count = cb_net_parts(net, whole->n), .x = whole->x};
  all.labels = labels;
  all.numbers = whole->numbers;
  all.training = true;
  all.losses = cb_net_at(net, net->layout.losses);
  cnnblas_status status = cb_net_run_parts(&all);
  if (status) return status;
  *loss = 0;
  for (int64_t i = 0; i < all.count; i++) *loss += all.losses[i];
  *loss /= (double)whole->n * (net->options.loss == CNNBLAS_NET_SIGMOID ? (double)net->classes : 1);
  if (!isfinite(*loss)) return CNNBLAS_OK;
  cb_net_sum_parts(net, all.count);
  whole->from = net->split;
  return cb_net_walk_parameters(whole);
}

/* The numbers of a step's images, or else their places in the batch, where a layer looks at them. */
static const int64_t *numbers_of(const cnnblas_net *net, const cnnblas_net_step *step)
{
  int64_t *own = net->layout.numbers ? cb_net_at(net, net->layout.numbers) : NULL;
  if (step->numbers || !own) return step->numbers;
  for (int64_t i = 0; i < step->n; i++) own[i] = i;
  return own;
}

cnnblas_status cb_net_pass_gradient(cnnblas_net *net, const cnnblas_net_step *step, double *loss)
{
  cb_net_pass whole = whole_batch(net, step->n, step->images);
  whole.training = true;
  whole.numbers = numbers_of(net, step);
  net->smoothing = step->label_smoothing;
  const regions_before before = begin_pass(net, step->n);
  cnnblas_status status = cb_net_in_parts(net) ? gradient_of_parts(&whole, step->labels, loss)
                                               : gradient_of_whole(&whole, step->labels, loss);
  if (!status) status = cb_net_apply_maps(net, net->layout.gradients);
  end_pass(before);
  return status;
}

/* Runs layers [from, to) and returns the first whose output is not finite, `to` if there is none. */
static int64_t first_nonfinite(const cb_net_pass *p, int64_t from, int64_t to)
{
  const cnnblas_net *net = p->net;
  for (int64_t i = from; i < to; i++) {
    const cb_net_layer *l = cb_net_layer_at(net, i);
    cb_net_walk_forward(p, i, i + 1);
    if (!cb_net_finite(net->options.dtype, p->n * l->out.elements, cb_net_output(net, l, p->first, p->slot))) return i;
  }
  return to;
}

const char *cb_net_first_nonfinite(cnnblas_net *net, const cnnblas_net_step *step, bool training)
{
  int64_t n = step->n;
  if (!cb_net_finite(net->options.dtype, n * net->design.input.elements, step->images)) return "input";
  cb_net_pass whole = whole_batch(net, n, step->images);
  whole.training = training;
  whole.numbers = numbers_of(net, step);
  int64_t split = cb_net_in_parts(net) ? net->split : 0, first = split;
  cb_net_parts_run all = {.net = net, .n = n, .x = step->images, .numbers = whole.numbers, .training = training};
  all.count = cb_net_in_parts(net) ? cb_net_parts(net, n) : 0;
  for (int64_t index = 0; index < all.count; index++) {
    cb_net_pass p = cb_net_part(&all, index, 0);
    int64_t of_part = first_nonfinite(&p, 0, split);
    first = of_part < first ? of_part : first;
  }
  if (first == split) first = first_nonfinite(&whole, split, net->count);
  return first < net->count ? cb_net_layer_at(net, first)->name : "loss";
}
