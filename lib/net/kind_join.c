/* ADD and CAT: branches from one value, summed, or one behind the other along the channels. */
#include "base/shared.h"
#include "net/kind.h"
#include <cnnblas/arrays.h>
#include <stdio.h>

/* Fails unless branches j and 0 have the same size and, with `channels`, as many channels. */
static cnnblas_status check_branch(const cb_net_layer *l, const cb_net_shape *in, int j, bool channels)
{
  char a[80], b[80];
  bool same = !channels || in[j].c == in[0].c;
  for (int i = 0; i < l->rank; i++) same = same && in[j].size[i] == in[0].size[i];
  if (same) return CNNBLAS_OK;
  return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "branch %d gives %lldx%s, branch 1 %lldx%s", j + 1, (long long)in[j].c,
                             cb_net_sizes(a, sizeof a, l->rank, in[j].size, 1), (long long)in[0].c,
                             cb_net_sizes(b, sizeof b, l->rank, in[0].size, 1));
}

static void describe(const cb_net_layer *l, char *kind, char *detail, size_t size)
{
  (void)kind;
  snprintf(detail, size, "%d branches", l->branches);
}

/* ---- ADD ---- */

static cnnblas_status shape_add(cb_net_layer *l, const cb_net_shape *in, int count)
{
  cnnblas_status status = CNNBLAS_OK;
  l->branches = count;
  for (int j = 1; j < count && !status; j++) status = check_branch(l, in, j, true);
  return status;
}

static cnnblas_status forward_add(const cb_net_pass *p, const cb_net_layer *l, const void *const *x, void *y)
{
  cnnblas_status status = CNNBLAS_OK;
  for (int j = 1; j < l->branches && !status; j++)
    status = cnnblas_add_forward(p->net->options.dtype, p->threads, p->n * l->out.elements, j == 1 ? x[0] : y, x[j], y);
  return status;
}

static cnnblas_status backward_add(const cb_net_pass *p, const cb_net_layer *l, const cb_net_gradients *g)
{
  cnnblas_activation_desc copy = {.dtype = p->net->options.dtype, .threads = p->threads};
  cnnblas_status status = CNNBLAS_OK;
  for (int j = 0; j < l->branches && !status; j++)
    if (g->dx[j]) status = cnnblas_activation_forward(&copy, p->n * l->out.elements, g->dy, g->dx[j]);
  return status;
}

const cb_net_row cb_net_add = {.keyword = "ADD",
                               .name = "add",
                               .traits = CB_NET_Y_FREE | CB_NET_JOIN | CB_NET_PASSES,
                               .shape = shape_add,
                               .forward = forward_add,
                               .backward = backward_add,
                               .describe = describe};

/* ---- CAT ---- */

static cnnblas_status shape_cat(cb_net_layer *l, const cb_net_shape *in, int count)
{
  cnnblas_status status = CNNBLAS_OK;
  l->branches = count;
  for (int j = 1; j < count && !status; j++) {
    status = check_branch(l, in, j, false);
    l->out.c += in[j].c;
  }
  return status;
}

/* The descriptor of CAT for a pass; sizes gets each branch's channels. */
static cnnblas_concat_desc desc(const cb_net_pass *p, const cb_net_layer *l, int64_t sizes[CB_GRAPH_INPUTS])
{
  const cb_graph *g = &p->net->design.graph;
  cnnblas_concat_desc d = {.dtype = p->net->options.dtype, .threads = p->threads, .outer = p->n, .sizes = sizes};
  d.inner = l->out.elements / l->out.c;
  d.parts = l->branches;
  for (int j = 0; j < l->branches; j++) sizes[j] = g->values[cb_graph_input(g, l->index, j)].shape.size[1];
  return d;
}

static cnnblas_status forward_cat(const cb_net_pass *p, const cb_net_layer *l, const void *const *x, void *y)
{
  int64_t sizes[CB_GRAPH_INPUTS];
  cnnblas_concat_desc d = desc(p, l, sizes);
  return cnnblas_concat_forward(&d, x, y);
}

static cnnblas_status backward_cat(const cb_net_pass *p, const cb_net_layer *l, const cb_net_gradients *g)
{
  int64_t sizes[CB_GRAPH_INPUTS];
  cnnblas_concat_desc d = desc(p, l, sizes);
  return cnnblas_concat_backward(&d, g->dy, g->dx);
}

const cb_net_row cb_net_cat = {.keyword = "CAT",
                               .name = "cat",
                               .traits = CB_NET_Y_FREE | CB_NET_JOIN,
                               .shape = shape_cat,
                               .forward = forward_cat,
                               .backward = backward_cat,
                               .describe = describe};
