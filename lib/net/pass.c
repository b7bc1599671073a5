/*
 * Whole passes, on the whole batch or in parts of it: forward alone, and forward, loss and backward in one; and the search for
 * the first layer whose output is not finite.
 */
#include "net/exchange.h"
#include "net/finite.h"
#include "net/in_parts.h"
#include "net/logits.h"
#include "net/segments.h"
#include "net/smoothing.h"
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

/* A pass, for the session of its team. */
typedef struct {
  cb_net_pass whole;
  const int32_t *labels;
  cb_net_found *found;
  cnnblas_status status;
} session_pass;

static void run_forward(void *context)
{
  session_pass *s = context;
  cnnblas_net *net = s->whole.net;
  cb_net_parts_run all = {.net = net, .n = s->whole.n, .count = cb_net_parts(net, s->whole.n), .x = s->whole.x};
  if (cb_net_in_parts(net)) s->status = cb_net_run_parts(&all);
  if (!s->status) s->status = cb_net_walk_forward(&s->whole, cb_net_in_parts(net) ? net->split : 0, net->count);
}

cnnblas_status cb_net_pass_forward(cnnblas_net *net, int64_t n, const void *x)
{
  session_pass s = {.whole = whole_batch(net, n, x)};
  const regions_before before = begin_pass(net, n);
  cnnblas_shared_session(net->threads, run_forward, &s);
  end_pass(before);
  return s.status;
}

static bool logits_are_finite(const cnnblas_net *net, int64_t n)
{
  return cb_net_finite(net->options.dtype, n * net->classes, cb_net_logits(net));
}

static cnnblas_status gradient_of_whole(cb_net_pass *whole, const int32_t *labels, cb_net_found *found)
{
  cnnblas_net *net = whole->net;
  void *dz = cb_net_error(net, cb_net_layer_at(net, net->count - 1), 0, 0);
  cnnblas_status status = cb_net_walk_forward(whole, 0, net->count);
  if (!status) status = cb_net_loss(net, net->threads, 0, whole->n, labels, CNNBLAS_REDUCTION_MEAN, &found->loss, dz);
  if (status) return status;
  cb_net_smooth(net, 0, whole->n, labels, (double)whole->n, &found->loss, dz);
  found->correct = cb_net_correct(net, whole->n, labels);
  found->finite = isfinite(found->loss) && logits_are_finite(net, whole->n);
  return found->finite ? cb_net_walk_backward(whole) : CNNBLAS_OK;
}

/* Joins what this rank has found, sum of losses and right answers of n images, with what the others have: all know it
   before any goes on. */
static cnnblas_status find_together(const cnnblas_net *net, int64_t n, double loss, const int32_t *labels,
                                    cb_net_found *found)
{
  cnnblas_net_exchange *e = net->exchange;
  /* Summed: the loss and the right answers. The largest: whether a logit is not finite, the word, step.n and -step.n. */
  double all[6] = {loss};
  all[1] = (double)cb_net_correct(net, n, labels);
  all[2] = !isfinite(loss) || !logits_are_finite(net, n);
  all[3] = e ? e->word : 0;
  all[4] = (double)net->step_images;
  all[5] = -(double)net->step_images;
  cnnblas_status status = cb_net_join(net, 2, 4, all);
  if (status) return status;
  if (all[4] != -all[5])
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "step.n is %lld here; the ranks have from %.0f to %.0f",
                               (long long)net->step_images, -all[5], all[4]);
  if (e) e->words = (int32_t)all[3];
  found->loss = all[0] / cb_net_loss_divisor(net);
  found->correct = (int64_t)all[1];
  found->finite = all[2] == 0;
  return CNNBLAS_OK;
}

/* With segments, and other ranks perhaps. */
static cnnblas_status gradient_of_segments(cb_net_pass *whole, const int32_t *labels, cb_net_found *found)
{
  cnnblas_net *net = whole->net;
  void *dz = cb_net_error(net, cb_net_layer_at(net, net->count - 1), 0, 0);
  double loss;
  cnnblas_status status = cb_net_walk_forward(whole, 0, net->count);
  if (!status) status = cb_net_sum_losses(net, whole->n, labels, &loss);
  if (!status) status = find_together(net, whole->n, loss, labels, found);
  if (status || !found->finite) return status;
  cb_net_scale(net, whole->n * net->classes, 1 / cb_net_loss_divisor(net), dz);
  net->handed_on = net->param_elements;
  return cb_net_walk_backward(whole);
}

static cnnblas_status gradient_of_parts(cb_net_pass *whole, const int32_t *labels, cb_net_found *found)
{
  cnnblas_net *net = whole->net;
  cb_net_parts_run all = {.net = net, .n = whole->n, .count = cb_net_parts(net, whole->n), .x = whole->x};
  all.labels = labels;
  all.numbers = whole->numbers;
  all.training = true;
  all.losses = cb_net_at(net, net->layout.losses);
  cnnblas_status status = cb_net_run_parts(&all);
  if (!status) status = find_together(net, whole->n, cb_net_sum_part_losses(&all), labels, found);
  if (status || !found->finite) return status;
  whole->from = net->split;
  status = cb_net_walk_parameters(whole);
  cb_net_sum_parts(net, all.count, all.n);
  net->handed_on = net->param_elements;
  for (int64_t i = net->count - 1; i >= 0 && !status; i--) status = cb_net_hand_on(whole, cb_net_layer_at(net, i));
  return status ? status : cb_net_await_sums(net);
}

/* The numbers of a step's images, or else their places in the batch, where a layer looks at them. */
static const int64_t *numbers_of(const cnnblas_net *net, const cnnblas_net_step *step)
{
  int64_t *own = net->layout.numbers ? cb_net_at(net, net->layout.numbers) : NULL;
  if (step->numbers || !own) return step->numbers;
  int64_t first, count = cb_net_own_images(step, &first);
  for (int64_t i = 0; i < count; i++) own[i] = first + i;
  return own;
}

static void run_gradient(void *context)
{
  session_pass *s = context;
  cnnblas_net *net = s->whole.net;
  s->status = cb_net_in_parts(net)        ? gradient_of_parts(&s->whole, s->labels, s->found)
              : net->options.segments > 1 ? gradient_of_segments(&s->whole, s->labels, s->found)
                                          : gradient_of_whole(&s->whole, s->labels, s->found);
  if (!s->status) s->status = cb_net_apply_maps(net, net->layout.gradients);
}

cnnblas_status cb_net_pass_gradient(cnnblas_net *net, const cnnblas_net_step *step, cb_net_found *found)
{
  int64_t first, n = cb_net_own_images(step, &first);
  session_pass s = {.whole = whole_batch(net, n, step->images), .labels = step->labels, .found = found};
  s.whole.training = true;
  s.whole.numbers = numbers_of(net, step);
  net->smoothing = step->label_smoothing;
  net->exchange = step->exchange;
  if (step->exchange) step->exchange->words = step->exchange->word;
  net->step_images = step->n;
  const regions_before before = begin_pass(net, n);
  cnnblas_shared_session(net->threads, run_gradient, &s);
  net->exchange = NULL;
  end_pass(before);
  return s.status;
}

/* Runs layers from *first on and makes *first the first whose output is not finite, `to` if there is none. */
static cnnblas_status first_nonfinite(const cb_net_pass *p, int64_t to, int64_t *first)
{
  const cnnblas_net *net = p->net;
  for (; *first < to; ++*first) {
    const cb_net_layer *l = cb_net_layer_at(net, *first);
    cnnblas_status status = cb_net_walk_forward(p, *first, *first + 1);
    if (status) return status;
    if (!cb_net_finite(net->options.dtype, p->n * l->out.elements, cb_net_output(net, l, p->first, p->slot))) break;
  }
  return CNNBLAS_OK;
}

/* The number of the first layer, over all ranks, and the first rank whose it is. A rank that has found one waits, layer by
   layer, for the others: a batch normalisation needs all of them. */
static cnnblas_status first_of_ranks(const cb_net_pass *whole, int64_t *first, int32_t *rank)
{
  const cnnblas_net *net = whole->net;
  const cnnblas_net_exchange *e = net->exchange;
  double found = 0; /* 1 or more: ranks - rank of the first that found one */
  cnnblas_status status = CNNBLAS_OK;
  for (int64_t i = *first; i < net->count && !status && !(found > 0); i++) {
    int64_t own = i;
    status = first_nonfinite(whole, i + 1, &own);
    found = own == i ? e->ranks - e->rank : 0;
    if (!status) status = cb_net_join(net, 0, 1, &found);
    *first = found > 0 ? i : i + 1;
  }
  *rank = found > 0 ? e->ranks - (int32_t)found : 0;
  return status;
}

/* The least of the layers below `split` that ranks have found, and the first rank that has. */
static cnnblas_status join_first(const cnnblas_net *net, int64_t split, int64_t *first, int32_t *rank)
{
  const int32_t ranks = net->exchange->ranks;
  double key = *first < split ? (double)((split - *first) * ranks - net->exchange->rank) : 0;
  cnnblas_status status = cb_net_join(net, 0, 1, &key);
  if (status || !(key > 0)) return status;
  const int64_t back = ((int64_t)key + ranks - 1) / ranks;
  *first = split - back;
  *rank = (int32_t)(back * ranks - (int64_t)key);
  return CNNBLAS_OK;
}

cnnblas_status cb_net_first_nonfinite(cnnblas_net *net, const cnnblas_net_step *step, bool training, const char **layer,
                                      int32_t *rank)
{
  int64_t first_image, n = cb_net_own_images(step, &first_image);
  const cnnblas_net_exchange *e = step->exchange;
  double input = cb_net_finite(net->options.dtype, n * net->design.input.elements, step->images) ? 0
                 : e                                                                             ? e->ranks - e->rank
                                                                                                 : 1;
  net->exchange = step->exchange;
  *rank = 0;
  cnnblas_status status = cb_net_join(net, 0, 1, &input);
  if (e && input > 0) *rank = e->ranks - (int32_t)input;
  cb_net_pass whole = whole_batch(net, n, step->images);
  whole.training = training;
  whole.numbers = numbers_of(net, step);
  int64_t split = cb_net_in_parts(net) ? net->split : 0, first = split;
  cb_net_parts_run all = {.net = net, .n = n, .x = step->images, .numbers = whole.numbers, .training = training};
  all.count = cb_net_in_parts(net) && !(input > 0) ? cb_net_parts(net, n) : 0;
  for (int64_t index = 0; index < all.count && !status; index++) {
    cb_net_pass p = cb_net_part(&all, index, 0);
    int64_t of_part = 0;
    status = first_nonfinite(&p, split, &of_part);
    first = of_part < first ? of_part : first;
  }
  if (e && split && !(input > 0) && !status) status = join_first(net, split, &first, rank);
  if (!status && !(input > 0) && first == split) {
    if (e)
      status = first_of_ranks(&whole, &first, rank);
    else
      status = first_nonfinite(&whole, net->count, &first);
  }
  net->exchange = NULL;
  *layer = input > 0 ? "input" : first < net->count ? cb_net_layer_at(net, first)->name : "loss";
  return status;
}
