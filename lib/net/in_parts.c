/* Small networks in parts of the batch; network.h says what a part is. */
#include "net/in_parts.h"
#include "base/shared.h"
#include "base/size.h"
#include "layers/teams.h"
#include "net/logits.h"
#include "net/segments.h"
#include "net/smoothing.h"
#include "net/walk.h"
#include <math.h>

/* ---- a part ---- */

/* One of cb_net_workers places for arrays and workspace that nobody else has while the part runs: its own where there
   is one for each part of a batch, else the thread's. */
static int64_t place_of(const cnnblas_net *net, int64_t index, int worker)
{
  return cb_net_parts(net, net->options.batch) <= net->threads ? index : worker;
}

cb_net_pass cb_net_part(const cb_net_parts_run *all, int64_t index, int worker)
{
  cnnblas_net *net = all->net;
  int64_t place = place_of(net, index, worker);
  cb_net_pass p = {.net = net, .first = index * net->part, .slot = place, .threads = 1, .to = net->split};
  if (net->options.segments > 1)
    p.n = cb_net_segment(net, all->n, index, &p.first);
  else
    p.n = cb_min(net->part, all->n - p.first);
  p.x = all->x + (size_t)(p.first * net->design.input.elements) * net->element;
  p.numbers = all->numbers ? all->numbers + p.first : NULL;
  p.training = all->training;
  size_t workspace = cb_net_workspace(net, net->options.mode == CNNBLAS_NET_TRAINING);
  p.workspace = cb_net_at(net, net->layout.workspace + (size_t)place * workspace);
  p.section = net->layout.partial + (size_t)(index * net->split_elements) * net->element;
  return p;
}

/* Runs forward, loss and backward of one part; the loss is the mean over all parts' images. */
static cnnblas_status train_part(const cb_net_parts_run *all, int64_t index, const cb_net_pass *p)
{
  const cnnblas_net *net = all->net;
  void *dz = cb_net_error(net, cb_net_layer_at(net, net->count - 1), p->first, p->slot);
  cnnblas_status status = cb_net_walk_forward(p, 0, net->count);
  if (!status)
    status = cb_net_loss(net, p->threads, p->first, p->n, all->labels + p->first, CNNBLAS_REDUCTION_SUM,
                         &all->losses[index], dz);
  if (!status) cb_net_smooth(net, p->first, p->n, all->labels + p->first, 1, &all->losses[index], dz);
  if (status || !isfinite(all->losses[index])) return status;
  cb_net_scale(net, p->n * net->classes, 1 / cb_net_loss_divisor(net), dz);
  return cb_net_walk_backward(p);
}

static cnnblas_status run_part(const cb_net_parts_run *all, int64_t index, int worker)
{
  cb_net_pass p = cb_net_part(all, index, worker);
  if (p.n == 0) return CNNBLAS_OK;
  return all->training ? train_part(all, index, &p) : cb_net_walk_forward(&p, 0, all->net->split);
}

static void part_task(void *context, int64_t index, int worker)
{
  cb_net_parts_run *all = context;
  if (run_part(all, index, worker)) all->failed = index;
}

cnnblas_status cb_net_run_parts(cb_net_parts_run *all)
{
  all->failed = CB_NET_NONE;
  cnnblas_shared_parallel(all->net->threads, all->count, part_task, all);
  /* The message belongs to the thread that met the error: this one shall meet it too. */
  return all->failed == CB_NET_NONE ? CNNBLAS_OK : run_part(all, all->failed, 0);
}

/* ---- sums of the parts' gradients ---- */

enum { SUM_ELEMENTS = 4096 /* elements that one task sums */ };

typedef struct {
  const cnnblas_net *net;
  int64_t count, n; /* number of parts, and of images */
} sum;

/* True if part b has images: a segment may have none. */
static bool has_images(const sum *s, int64_t b)
{
  int64_t first;
  return s->net->options.segments < 2 || cb_net_segment(s->net, s->n, b, &first) > 0;
}

/* Segments are joined in their tree, each sum where its first segment's was. */
#define JOIN_SEGMENTS(name, type)                                                                                      \
  static void name(const sum *s, int64_t begin, int64_t end)                                                           \
  {                                                                                                                    \
    int64_t pitch = s->net->split_elements;                                                                            \
    type *partial = cb_net_at(s->net, s->net->layout.partial);                                                         \
    type *restrict total = cb_net_at(s->net, s->net->layout.gradients);                                                \
    for (int64_t d = 1; d < s->count; d *= 2)                                                                          \
      for (int64_t a = 0; a < s->count; a += 2 * d) {                                                                  \
        type *restrict left = partial + a * pitch;                                                                     \
        const type *restrict right = left + d * pitch;                                                                 \
        if (!has_images(s, a + d)) continue;                                                                           \
        for (int64_t i = begin; i < end; i++) left[i] += right[i];                                                     \
      }                                                                                                                \
    for (int64_t i = begin; i < end; i++) total[i] = partial[i];                                                       \
  }
JOIN_SEGMENTS(join_segments_f32, float)
JOIN_SEGMENTS(join_segments_f64, double)

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
  const bool f64 = s->net->options.dtype == CNNBLAS_F64, segments = s->net->options.segments > 1;
  if (segments)
    (f64 ? join_segments_f64 : join_segments_f32)(s, begin, end);
  else
    (f64 ? add_parts_f64 : add_parts_f32)(s, begin, end);
}

void cb_net_sum_parts(const cnnblas_net *net, int64_t count, int64_t n)
{
  sum s = {net, count, n};
  double bytes = (double)(count + 1) * (double)net->split_elements * (double)net->element;
  int threads = bytes * CB_BYTE_NANOSECONDS < CB_WAKE_NANOSECONDS ? 1 : net->threads;
  cnnblas_shared_parallel(threads, cb_ceil_div(net->split_elements, SUM_ELEMENTS), sum_task, &s);
}

double cb_net_sum_part_losses(const cb_net_parts_run *all)
{
  const sum s = {all->net, all->count, all->n};
  if (all->net->options.segments < 2) {
    double total = 0;
    for (int64_t i = 0; i < all->count; i++) total += all->losses[i];
    return total;
  }
  for (int64_t d = 1; d < all->count; d *= 2)
    for (int64_t a = 0; a < all->count; a += 2 * d)
      if (has_images(&s, a + d)) all->losses[a] += all->losses[a + d];
  return all->n ? all->losses[0] : -0.0;
}
