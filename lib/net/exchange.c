/* The other ranks of a step; see exchange.h. */
#include "net/exchange.h"
#include "base/shared.h"
#include "base/size.h"
#include "net/segments.h"
#include <cnnblas/arrays.h>
#include <string.h>

enum { BUCKET_BYTES = 256 << 10, MOST_VALUES = 8 };

void cnnblas_net_exchange_init(cnnblas_net_exchange *exchange)
{
  if (exchange) memset(exchange, 0, sizeof *exchange);
}

cnnblas_status cnnblas_net_exchange_fail(cnnblas_status status, const char *text)
{
  return cnnblas_shared_fail(status, "%s", text ? text : "the exchange failed");
}

/* ---- which images are whose ---- */

/* Goes down the tree of n images to the branch of ranks [rank, rank + span), span a power of two that rank is a multiple
   of; returns its number of images. */
static int64_t branch_of(int64_t n, int32_t ranks, int32_t rank, int32_t span, int64_t *first)
{
  *first = 0;
  for (int32_t half = ranks / 2; half >= span; half /= 2) {
    int64_t left = cb_left_branch(n);
    bool right = rank & half;
    *first += right ? left : 0;
    n = right ? n - left : left;
  }
  return n;
}

cnnblas_status cnnblas_net_share(int64_t n, int32_t ranks, int32_t rank, int64_t *first, int64_t *count)
{
  if (!first || !count) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "first or count is NULL");
  if (n < 0) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "n is %lld; it must be at least 0", (long long)n);
  if (ranks < 1 || ranks & (ranks - 1) || rank < 0 || rank >= ranks)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "rank %d of %d: the number of ranks must be a power of two",
                               (int)rank, (int)ranks);
  *count = branch_of(n, ranks, rank, 1, first);
  return CNNBLAS_OK;
}

int64_t cb_net_own_images(const cnnblas_net_step *step, int64_t *first)
{
  const cnnblas_net_exchange *e = step->exchange;
  *first = 0;
  return e ? branch_of(step->n, e->ranks, e->rank, 1, first) : step->n;
}

cnnblas_status cb_net_check_exchange(const cnnblas_net *net, const cnnblas_net_exchange *e)
{
  if (!e) return CNNBLAS_OK;
  if (e->ranks < 1 || e->ranks & (e->ranks - 1) || e->rank < 0 || e->rank >= e->ranks)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "step.exchange has rank %d of %d: a power of two is needed",
                               (int)e->rank, (int)e->ranks);
  if (e->ranks > cb_max(1, net->options.segments))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "step.exchange has %d ranks; the network has %d segments",
                               (int)e->ranks, (int)cb_max(1, net->options.segments));
  if (!e->swap || !e->begin != !e->finish || e->word < 0 || e->bucket_bytes < 0)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                               "step.exchange: swap is NULL, or one of begin and finish, or a number is below 0");
  for (int i = 0; i < 8; i++)
    if (e->reserved[i]) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "step.exchange.reserved[%d] is not 0", i);
  return CNNBLAS_OK;
}

/* ---- sums of a few numbers ---- */

/* Replaces the first `sums` values by their sums over the ranks, and the `most` behind them by the largest of the ranks';
   theirs has room for as many values of another rank. */
static cnnblas_status join_values(const cnnblas_net_exchange *e, int64_t sums, int64_t most, double *values,
                                  double *theirs)
{
  cnnblas_status status = CNNBLAS_OK;
  for (int32_t d = 1; d < e->ranks && !status; d *= 2) {
    status = e->swap(e->context, e->rank ^ d, (size_t)(sums + most) * sizeof *values, values, theirs);
    for (int64_t i = 0; i < sums + most && !status; i++) {
      double larger = values[i] > theirs[i] ? values[i] : theirs[i];
      values[i] = i < sums ? values[i] + theirs[i] : larger;
    }
  }
  return status;
}

cnnblas_status cb_net_join(const cnnblas_net *net, int sums, int most, double *values)
{
  double theirs[MOST_VALUES];
  return net->exchange ? join_values(net->exchange, sums, most, values, theirs) : CNNBLAS_OK;
}

/* ---- batch normalisation ---- */

/* room, of the layer: what the layer's call has, then what another rank has. */
static double *theirs_of(const cnnblas_net *net, int64_t c)
{
  return net->norm_room + 2 * c;
}

static cnnblas_status join_moments(void *context, int64_t c, double *moments)
{
  const cnnblas_net *net = context;
  const cnnblas_net_exchange *e = net->exchange;
  double *theirs = theirs_of(net, c);
  cnnblas_status status = CNNBLAS_OK;
  for (int32_t d = 1; d < e->ranks && !status; d *= 2) {
    int64_t first, left = branch_of(net->step_images, e->ranks, e->rank & ~(2 * d - 1), d, &first);
    int64_t right = branch_of(net->step_images, e->ranks, (e->rank & ~(2 * d - 1)) | d, d, &first);
    bool own_is_right = e->rank & d;
    status = e->swap(e->context, e->rank ^ d, (size_t)(2 * c) * sizeof *moments, moments, theirs);
    if (status) break;
    if (!own_is_right) {
      status = cnnblas_batchnorm_join_moments(c, net->norm_pixels, left, moments, right, theirs);
    } else {
      status = cnnblas_batchnorm_join_moments(c, net->norm_pixels, left, theirs, right, moments);
      memcpy(moments, theirs, (size_t)(2 * c) * sizeof *moments);
    }
  }
  return status;
}

static cnnblas_status join_sums(void *context, int64_t c, double *sums)
{
  const cnnblas_net *net = context;
  return join_values(net->exchange, 2 * c, 0, sums, theirs_of(net, c));
}

void cb_net_join_norm(const cb_net_pass *p, const cb_net_layer *l, double *room, cnnblas_batchnorm_join *join)
{
  cnnblas_net *net = p->net;
  net->norm_room = room;
  net->norm_pixels = l->norm.pixels;
  *join = (cnnblas_batchnorm_join){
      .images = net->step_images, .room = room, .moments = join_moments, .sums = join_sums, .context = net};
}

/* ---- gradients ---- */

/* array[0, count) = -0 */
static void clear(const cnnblas_net *net, int64_t count, void *array)
{
  for (int64_t i = 0; i < count; i++) {
    if (net->options.dtype == CNNBLAS_F64)
      ((double *)array)[i] = -0.0;
    else
      ((float *)array)[i] = -0.0f;
  }
}

/* Sums elements with swap alone, as many at a time as a place of segments.h has. */
static cnnblas_status sum_by_swap(const cnnblas_net *net, int64_t count, char *sums)
{
  const cnnblas_net_exchange *e = net->exchange;
  void *theirs = cb_net_at(net, net->layout.segments);
  const int64_t most = cb_net_segment_elements(net);
  cnnblas_status status = CNNBLAS_OK;
  for (int64_t at = 0, part; at < count && !status; at += part) {
    part = cb_min(count - at, most);
    char *mine = sums + (size_t)at * net->element;
    for (int32_t d = 1; d < e->ranks && !status; d *= 2) {
      status = e->swap(e->context, e->rank ^ d, (size_t)part * net->element, mine, theirs);
      if (!status) status = cnnblas_add_forward(net->options.dtype, net->threads, part, mine, theirs, mine);
    }
  }
  return status;
}

static cnnblas_status begin_sums(cnnblas_net *net, int64_t from)
{
  const cnnblas_net_exchange *e = net->exchange;
  int64_t count = net->handed_on - from;
  char *sums = (char *)cb_net_at(net, net->layout.gradients) + (size_t)from * net->element;
  net->handed_on = from;
  if (!count) return CNNBLAS_OK;
  return e->begin ? e->begin(e->context, net->options.dtype, count, sums) : sum_by_swap(net, count, sums);
}

cnnblas_status cb_net_hand_on(const cb_net_pass *p, const cb_net_layer *l)
{
  cnnblas_net *net = p->net;
  const cnnblas_net_exchange *e = net->exchange;
  if (!e || e->ranks == 1) return CNNBLAS_OK;
  int64_t least = e->bucket_bytes ? e->bucket_bytes : BUCKET_BYTES, from = net->handed_on;
  if (l->params) {
    /* Sums of layers without segments are those over all ranks already: they count once. */
    bool counts = l->row->traits & CB_NET_SEGMENTS ? p->n > 0 : e->rank == 0;
    for (int64_t t = l->weight; t < l->weight + l->params && !counts; t++)
      clear(net, net->params[t].elements, cb_net_param_at(net, net->layout.gradients, t));
    from = net->params[l->weight].place;
  }
  cnnblas_status status = CNNBLAS_OK;
  if (l->params && (from == 0 || (net->handed_on - from) * (int64_t)net->element >= least))
    status = begin_sums(net, from);
  return status || !e->proceed ? status : e->proceed(e->context);
}

cnnblas_status cb_net_await_sums(cnnblas_net *net)
{
  const cnnblas_net_exchange *e = net->exchange;
  return e && e->ranks > 1 && e->finish ? e->finish(e->context) : CNNBLAS_OK;
}
