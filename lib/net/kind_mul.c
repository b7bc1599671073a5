/* MUL: two branches multiplied; one of them may have a single element a channel, which then scales it. */
#include "base/shared.h"
#include "base/size.h"
#include "layers/teams.h"
#include "net/kind.h"
#include <cnnblas/arrays.h>

/* How the shapes of MUL's two branches meet. */
typedef enum { ALIKE, SECOND_SCALES, FIRST_SCALES, APART } meeting;

static meeting meet(const cb_net_layer *l, const cb_net_shape *in)
{
  bool alike = true, one[2] = {true, true};
  for (int i = 0; i < l->rank; i++) {
    alike = alike && in[0].size[i] == in[1].size[i];
    for (int j = 0; j < 2; j++) one[j] = one[j] && in[j].size[i] == 1;
  }
  if (in[0].c != in[1].c) return APART;
  return alike ? ALIKE : one[1] ? SECOND_SCALES : one[0] ? FIRST_SCALES : APART;
}

static cnnblas_status shape(cb_net_layer *l, const cb_net_shape *in, int count)
{
  char a[80], b[80];
  l->branches = count;
  if (count != 2) return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "it has %d branches; it multiplies two", count);
  meeting how = meet(l, in);
  if (how == FIRST_SCALES) l->out = in[1];
  if (how != APART) return CNNBLAS_OK;
  return cnnblas_shared_fail(
      CNNBLAS_BAD_FORMAT,
      "branch 2 gives %lldx%s, branch 1 %lldx%s, which are neither alike nor is one of them 1 element a "
      "channel",
      (long long)in[1].c, cb_net_sizes(a, sizeof a, l->rank, in[1].size, 1), (long long)in[0].c,
      cb_net_sizes(b, sizeof b, l->rank, in[0].size, 1));
}

/* ---- scaling planes ---- */

typedef struct {
  int64_t planes, pixels, of_task;
  const void *x, *scale, *dy; /* dy is NULL in a forward step */
  void *to, *dscale;          /* outputs, either of which may be NULL */
} job;

/* Fills to = from * scale, and dscale = the sum of dy * x, made in double. */
#define SCALE(type)                                                                                                    \
  static void scale_##type(const job *j, int64_t first, int64_t last)                                                  \
  {                                                                                                                    \
    for (int64_t p = first; p < last; p++) {                                                                           \
      const type *x = (const type *)j->x + p * j->pixels, *dy = (const type *)j->dy + (j->dy ? p * j->pixels : 0);     \
      const type *from = j->dy ? dy : x;                                                                               \
      type *to = (type *)j->to + (j->to ? p * j->pixels : 0), s = ((const type *)j->scale)[p];                         \
      double sum = 0;                                                                                                  \
      for (int64_t i = 0; j->to && i < j->pixels; i++) to[i] = from[i] * s;                                            \
      for (int64_t i = 0; j->dscale && i < j->pixels; i++) sum += (double)dy[i] * (double)x[i];                        \
      if (j->dscale) ((type *)j->dscale)[p] = (type)sum;                                                               \
    }                                                                                                                  \
  }
SCALE(float)
SCALE(double)

static void float_task(void *context, int64_t task, int worker)
{
  const job *j = context;
  (void)worker;
  scale_float(j, task * j->of_task, cb_min((task + 1) * j->of_task, j->planes));
}

static void double_task(void *context, int64_t task, int worker)
{
  const job *j = context;
  (void)worker;
  scale_double(j, task * j->of_task, cb_min((task + 1) * j->of_task, j->planes));
}

static cnnblas_status scale_planes(const cb_net_pass *p, const cb_net_layer *l, job j)
{
  enum { ELEMENTS = 16384 /* elements of a task, about */ };
  j.pixels = l->out.elements / l->out.c;
  j.planes = p->n * l->out.c;
  j.of_task = cb_max(1, ELEMENTS / j.pixels);
  double bytes = 3.0 * (double)(p->n * l->out.elements) * (double)p->net->element;
  int threads = bytes * CB_BYTE_NANOSECONDS < CB_WAKE_NANOSECONDS ? 1 : p->threads;
  cnnblas_shared_parallel(threads, cb_ceil_div(j.planes, j.of_task),
                          p->net->options.dtype == CNNBLAS_F64 ? double_task : float_task, &j);
  return CNNBLAS_OK;
}

/* ---- passes ---- */

static meeting meeting_of(const cb_net_pass *p, const cb_net_layer *l)
{
  const cb_net_design *d = &p->net->design;
  cb_net_shape in[2];
  for (int j = 0; j < 2; j++) in[j] = cb_design_shape(d, cb_graph_input(&d->graph, l->index, j));
  return meet(l, in);
}

static cnnblas_status forward(const cb_net_pass *p, const cb_net_layer *l, const void *const *x, void *y)
{
  meeting how = meeting_of(p, l);
  int small = how == FIRST_SCALES ? 0 : 1;
  if (how == ALIKE)
    return cnnblas_mul_forward(p->net->options.dtype, p->threads, p->n * l->out.elements, x[0], x[1], y);
  return scale_planes(p, l, (job){.x = x[1 - small], .scale = x[small], .to = y});
}

static cnnblas_status backward(const cb_net_pass *p, const cb_net_layer *l, const cb_net_gradients *g)
{
  meeting how = meeting_of(p, l);
  int small = how == FIRST_SCALES ? 0 : 1;
  if (how == ALIKE)
    return cnnblas_mul_backward(p->net->options.dtype, p->threads, p->n * l->out.elements, g->x[0], g->x[1], g->dy,
                                g->dx[0], g->dx[1]);
  return scale_planes(
      p, l,
      (job){.x = g->x[1 - small], .scale = g->x[small], .dy = g->dy, .to = g->dx[1 - small], .dscale = g->dx[small]});
}

const cb_net_row cb_net_mul = {.keyword = "MUL",
                               .name = "mul",
                               .traits = CB_NET_Y_FREE | CB_NET_JOIN,
                               .shape = shape,
                               .forward = forward,
                               .backward = backward};
