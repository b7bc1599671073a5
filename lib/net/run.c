/* Running a network: the public calls around the passes; non-finite values traced to their layer. */
#include "net/exchange.h"
#include "net/finite.h"
#include "net/logits.h"
#include "net/network.h"
#include "net/update.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static cnnblas_status check_call(const cnnblas_net *net, int64_t n, int64_t least, int64_t most, const void *x)
{
  cnnblas_status status = cb_net_check(net, true);
  if (status) return status;
  if (n < least || n > most)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "n is %lld; it must be %lld to %lld", (long long)n,
                               (long long)least, (long long)most);
  if (n && !x) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "x is NULL");
  if ((uintptr_t)x % net->element)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "x is %p, which is not aligned to its element", x);
  return CNNBLAS_OK;
}

static cnnblas_status check_labels(const cnnblas_net *net, int64_t n, const int32_t *labels)
{
  if (n && !labels) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "labels is NULL");
  for (int64_t i = 0; i < n; i++)
    if (labels[i] < 0 || labels[i] >= net->classes)
      return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "labels[%lld] is %d; it must be 0 to %lld", (long long)i,
                                 (int)labels[i], (long long)net->classes - 1);
  return CNNBLAS_OK;
}

static bool all_finite(const cnnblas_net *net, int64_t count, const void *x)
{
  return cb_net_finite(net->options.dtype, count, x);
}

cnnblas_status cnnblas_net_forward(cnnblas_net *net, int64_t n, const void *x, void *logits)
{
  cnnblas_status status = check_call(net, n, 0, net ? net->options.batch : 0, x);
  if (!status && n && !logits) status = cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "logits is NULL");
  if (!status) status = cb_net_pass_forward(net, n, x);
  if (!status && n) memcpy(logits, cb_net_logits(net), (size_t)(n * net->classes) * net->element);
  return status;
}

/* ---- gradient ---- */

/* The name of the layer nearest the output whose gradient is not finite: the backward pass met it first. */
static const char *nonfinite_gradient(const cnnblas_net *net)
{
  for (int64_t t = net->param_count - 1; t >= 0; t--)
    if (!all_finite(net, net->params[t].elements, cb_net_param_at(net, net->layout.gradients, t)))
      return cb_net_layer_at(net, net->params[t].layer)->name;
  return NULL;
}

static cnnblas_status not_finite(const cnnblas_net *net, const char *what, const char *layer,
                                 cnnblas_net_result *result)
{
  snprintf(result->nonfinite, sizeof result->nonfinite, "%s", layer);
  return cnnblas_shared_fail(CNNBLAS_NOT_FINITE, "step %lld: %s %s is the first that is not finite",
                             (long long)net->steps + 1, what, layer);
}

/* The output, of whichever rank, that is not finite. */
static cnnblas_status output_not_finite(cnnblas_net *net, const cnnblas_net_step *step, cnnblas_net_result *result)
{
  char what[48] = "the output of";
  int32_t rank;
  const char *layer;
  cnnblas_status status = cb_net_first_nonfinite(net, step, true, &layer, &rank);
  if (status) return status;
  if (step->exchange && step->exchange->ranks > 1) snprintf(what, sizeof what, "rank %d: the output of", (int)rank);
  return not_finite(net, what, layer, result);
}

/* Checks the numbers that a step gives its images. */
static cnnblas_status check_numbers(const cnnblas_net_step *step, int64_t n)
{
  for (int64_t i = 0; step->numbers && i < n; i++)
    if (step->numbers[i] < 0)
      return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "numbers[%lld] is %lld; it must be at least 0", (long long)i,
                                 (long long)step->numbers[i]);
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_net_gradient(cnnblas_net *net, const cnnblas_net_step *step, cnnblas_net_result *result)
{
  cnnblas_status status = cb_net_check_step(step);
  if (!status) status = check_call(net, step->n, 1, net ? net->options.batch : 0, step->images);
  if (!status) status = cb_net_check_exchange(net, step->exchange);
  if (status) return status;
  int64_t first, own = cb_net_own_images(step, &first);
  status = check_labels(net, own, step->labels);
  if (!status) status = check_numbers(step, own);
  if (!status && net->options.mode != CNNBLAS_NET_TRAINING)
    status = cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "net was made for inference and has no gradients");
  if (!status && step->label_smoothing > 0 && net->options.loss != CNNBLAS_NET_SOFTMAX)
    status =
        cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "step.label_smoothing is %g; only the softmax's loss takes one",
                            step->label_smoothing);
  if (status) return status;
  cb_net_found found = {0};
  status = cb_net_pass_gradient(net, step, &found);
  if (status) return status;
  cnnblas_net_result r = {.images = step->n, .loss = found.loss, .correct = found.correct, .steps = net->steps};
  if (!found.finite) status = output_not_finite(net, step, &r);
  const char *bad = status ? NULL : nonfinite_gradient(net);
  if (bad) status = not_finite(net, "the gradient of", bad, &r);
  net->has_gradient = !status;
  if (result && (!status || status == CNNBLAS_NOT_FINITE)) *result = r;
  return status;
}

cnnblas_status cnnblas_net_train_step(cnnblas_net *net, const cnnblas_net_step *step, cnnblas_net_result *result)
{
  cnnblas_status status = cnnblas_net_gradient(net, step, result);
  if (!status) status = cnnblas_net_update(net, step);
  if (!status && result) result->steps = net->steps;
  return status;
}

/* ---- evaluation ---- */

cnnblas_status cnnblas_net_evaluate(cnnblas_net *net, int64_t n, const void *x, const int32_t *labels,
                                    cnnblas_net_result *result)
{
  cnnblas_net_result r = {.images = n};
  cnnblas_status status = check_call(net, n, 0, INT64_MAX / 8, x);
  if (!status) status = check_labels(net, n, labels);
  if (!status && !result) status = cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "result is NULL");
  if (status) return status;
  size_t image = (size_t)net->design.input.elements * net->element;
  for (int64_t done = 0; done < n && !status; done += net->options.batch) {
    int64_t part = n - done < net->options.batch ? n - done : net->options.batch;
    const char *images = (const char *)x + (size_t)done * image;
    double loss = 0;
    status = cb_net_pass_forward(net, part, images);
    if (!status) status = cb_net_loss(net, net->threads, 0, part, labels + done, CNNBLAS_REDUCTION_MEAN, &loss, NULL);
    if (status) return status;
    r.correct += cb_net_correct(net, part, labels + done);
    r.loss += loss * (double)part;
    if (r.nonfinite[0] || (isfinite(loss) && all_finite(net, part * net->classes, cb_net_logits(net)))) continue;
    const cnnblas_net_step step = {.n = part, .images = images};
    const char *layer;
    int32_t rank;
    status = cb_net_first_nonfinite(net, &step, false, &layer, &rank);
    if (status) return status;
    snprintf(r.nonfinite, sizeof r.nonfinite, "%s", layer);
  }
  if (n) r.loss /= (double)n;
  r.steps = net->steps;
  *result = r;
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_net_predict(cnnblas_net *net, int64_t n, const void *x, void *probabilities, int32_t *classes)
{
  cnnblas_status status = check_call(net, n, 0, net ? net->options.batch : 0, x);
  if (!status) status = cb_net_pass_forward(net, n, x);
  if (status) return status;
  for (int64_t in = 0; classes && in < n; in++) classes[in] = cb_net_class(net, in);
  if (!probabilities || !n) return CNNBLAS_OK;
  cnnblas_loss_desc d = cb_net_loss_desc(net);
  if (net->options.loss == CNNBLAS_NET_SOFTMAX)
    return cnnblas_softmax_forward(&d, n, cb_net_logits(net), probabilities);
  cnnblas_activation_desc sigmoid = {.dtype = net->options.dtype, .function.kind = CNNBLAS_SIGMOID};
  sigmoid.threads = net->threads;
  return cnnblas_activation_forward(&sigmoid, n * net->classes, cb_net_logits(net), probabilities);
}
