/* CONV: the convolution. */
#include "base/shared.h"
#include "net/segments.h"
#include <stdio.h>
#include <string.h>

enum { MAX_TABLE = 1 << 24, DEFAULT_FILTERS = 16, DEFAULT_FILTER_SIZE = 3 };

/* ---- text ---- */

typedef struct {
  bool same;
  int64_t maps_at; /* offset of the table of maps in the text, 0: there is none */
} conv_words;

/* Reads one list of the table, the maps that a filter sees, into row [c/g], unless row is NULL. */
static bool map_list(cb_net_text *t, int64_t inputs, uint8_t *row)
{
  do {
    int64_t first, last;
    int start = cb_text_column(t);
    if (!cb_text_number(t, 0, "an input map's number", &first)) return false;
    last = first;
    if (t->text[t->at] == '-' && t->text[t->at + 1] != '>') {
      t->at++;
      if (!cb_text_number(t, 0, "an input map's number", &last)) return false;
    }
    if (!t->dry && (last >= inputs || first > last)) {
      t->status = cnnblas_shared_fail(CNNBLAS_BAD_FORMAT,
                                      "column %d: expected input maps of 0 to %lld in rising order, found %lld to %lld",
                                      start, (long long)inputs - 1, (long long)first, (long long)last);
      return false;
    }
    if (row && !cb_text_spend(t, last - first + 1)) return false;
    for (int64_t i = first; row && i <= last; i++) row[i] = 1;
  } while (cb_text_accept(t, ","));
  return true;
}

static bool maps(cb_net_text *t, cb_net_layer *l)
{
  int64_t groups = l->conv.groups ? l->conv.groups : 1, inputs = t->in.c / groups, lists = 0;
  int start = cb_text_column(t);
  size_t bytes = (size_t)(l->conv.k * (inputs > 0 ? inputs : 1));
  if (!t->dry && bytes > MAX_TABLE) {
    t->status =
        cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "column %d: expected a table of at most %d places, found %lld x %lld",
                            start, MAX_TABLE, (long long)l->conv.k, (long long)inputs);
    return false;
  }
  if (!t->dry && !(l->maps = cnnblas_shared_alloc(bytes, 1))) {
    t->status = cnnblas_shared_no_memory(bytes, "a table of input maps");
    return false;
  }
  do {
    bool room = !t->dry && lists < l->conv.k;
    if (!map_list(t, inputs, room ? l->maps + lists * inputs : NULL)) return false;
    lists++;
  } while (cb_text_accept(t, "/"));
  if (t->dry || lists == l->conv.k) return true;
  t->status =
      cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "column %d: expected a list of maps for each of %lld filters, found %lld",
                          start, (long long)l->conv.k, (long long)lists);
  return false;
}

static bool pad_word(cb_net_text *t, cb_net_layer *l, conv_words *words)
{
  memset(l->conv.pad_begin, 0, sizeof l->conv.pad_begin);
  memset(l->conv.pad_end, 0, sizeof l->conv.pad_end);
  words->same = cb_text_word(t, "same");
  if (words->same || cb_text_word(t, "valid")) return true;
  return cb_text_ends(t, "a number of padding, 'same' or 'valid'", l->conv.pad_begin, l->conv.pad_end);
}

/* Passes over the table's text, which is read later: the word groups may come behind it. */
static bool maps_word(cb_net_text *t, cb_net_layer *l, conv_words *words)
{
  bool dry = t->dry;
  cb_text_peek(t);
  words->maps_at = t->at;
  t->dry = true;
  bool read = maps(t, l);
  t->dry = dry;
  return read;
}

/* Takes one word of a CONV; *more is false where none of them follows. */
static bool word(cb_net_text *t, cb_net_layer *l, conv_words *words, bool *more)
{
  cnnblas_conv_desc *d = &l->conv;
  if (cb_text_word(t, "stride")) return cb_text_sizes(t, 1, "a number: the stride", d->stride);
  if (cb_text_word(t, "dilation")) return cb_text_sizes(t, 1, "a number: the dilation", d->dilation);
  if (cb_text_word(t, "groups")) return cb_text_number(t, 1, "a number of groups", &d->groups);
  if (cb_text_word(t, "pad")) return pad_word(t, l, words);
  if (cb_text_word(t, "maps")) return maps_word(t, l, words);
  if (cb_text_word(t, "bias")) return l->bias = true;
  *more = false;
  return true;
}

static bool parse(cb_net_text *t, cb_net_layer *l)
{
  conv_words words = {0};
  cnnblas_conv_desc *d = &l->conv;
  d->k = DEFAULT_FILTERS;
  for (int i = 0; i < t->rank; i++) d->kernel[i] = DEFAULT_FILTER_SIZE;
  words.same = !cb_text_digit(t);
  if (!words.same) {
    if (!cb_text_number(t, 1, "a number of filters", &d->k)) return false;
    if (!cb_text_accept(t, "@")) return cb_text_expected(t, "'@' and the filter size");
    if (!cb_text_sizes(t, 1, "a number: the filter size", d->kernel)) return false;
  }
  for (bool more = true; more;)
    if (!word(t, l, &words, &more)) return false;
  for (int i = 0; words.same && i < t->rank; i++)
    d->pad_begin[i] = d->pad_end[i] = (d->kernel[i] - 1) / 2 * (d->dilation[i] ? d->dilation[i] : 1);
  if (!words.maps_at || t->dry) return true;
  int64_t end = t->at;
  t->at = words.maps_at;
  bool read = maps(t, l);
  t->at = end;
  return read;
}

/* Writes the padding as "1", or "1:2x0:1" where the ends differ. */
static void pads_text(char *text, size_t size, const cb_net_layer *l)
{
  const cnnblas_conv_desc *d = &l->conv;
  if (!memcmp(d->pad_begin, d->pad_end, sizeof d->pad_begin)) {
    cb_net_sizes(text, size, l->rank, d->pad_begin, 0);
    return;
  }
  int used = 0;
  for (int i = 0; i < l->rank && used < (int)size; i++)
    used += snprintf(text + used, size - (size_t)used, "%s%lld:%lld", i ? "x" : "", (long long)d->pad_begin[i],
                     (long long)d->pad_end[i]);
}

static void describe(const cb_net_layer *l, char *kind, char *detail, size_t size)
{
  const cnnblas_conv_desc *d = &l->conv;
  char a[40], b[40], pad[80], groups[40] = "";
  (void)kind;
  if (d->groups > 1) snprintf(groups, sizeof groups, " groups %lld", (long long)d->groups);
  pads_text(pad, sizeof pad, l);
  snprintf(detail, size, "%lld@%s stride %s pad %s%s%s", (long long)d->k,
           cb_net_sizes(a, sizeof a, l->rank, d->kernel, 0), cb_net_sizes(b, sizeof b, l->rank, d->stride, 1), pad,
           groups, l->maps ? " maps" : "");
}

/* ---- shape, plans, parameters ---- */

static cnnblas_status shape(cb_net_layer *l, const cb_net_shape *in, int count)
{
  cnnblas_conv_shape s;
  (void)count;
  l->conv.rank = l->rank;
  l->conv.n = 1;
  l->conv.c = in->c;
  for (int i = 0; i < l->rank; i++) l->conv.size[i] = in->size[i];
  cnnblas_status status = cnnblas_conv_get_shape(&l->conv, &s);
  if (status) return status;
  l->out.c = l->conv.k;
  for (int i = 0; i < l->rank; i++) l->out.size[i] = s.out[i];
  return CNNBLAS_OK;
}

static cnnblas_status prepare(cnnblas_net *net, cb_net_layer *l)
{
  cnnblas_conv_desc *d = &l->conv;
  cnnblas_conv_shape s;
  d->dtype = net->options.dtype;
  const int64_t batch = cb_net_layer_batch(net, l);
  for (int direction = 0; direction < 3; direction++) {
    if (direction == CNNBLAS_BACKWARD_DATA && l->sinks[0] == CB_NET_UNWANTED) continue;
    cnnblas_conv_plan **plan = &l->plans[direction];
    d->n = direction == CNNBLAS_BACKWARD_WEIGHTS ? cb_net_gradient_images(net, l) : batch;
    cnnblas_conv_options o = cb_net_plan_options(net, l);
    cnnblas_status status = direction == CNNBLAS_BACKWARD_DATA ? cb_net_choose_by_segment(net, l, d, &o) : CNNBLAS_OK;
    if (!status) status = cnnblas_conv_plan_create(d, (cnnblas_conv_direction)direction, &o, plan);
    if (status) return status;
    snprintf(l->algorithms[direction], sizeof l->algorithms[0], "%s", cnnblas_conv_plan_algorithm(*plan));
    cb_net_need_workspace(net, *plan, direction == CNNBLAS_FORWARD);
    if (direction != CNNBLAS_FORWARD && net->options.mode == CNNBLAS_NET_INFERENCE) {
      cnnblas_conv_plan_destroy(*plan);
      *plan = NULL;
    }
  }
  d->n = batch;
  cnnblas_conv_get_shape(d, &s);
  l->flops = s.flops / (double)d->n;
  return net->options.packed_weights ? cb_net_make_packed_plan(net, l) : CNNBLAS_OK;
}

static void parameters(cnnblas_net *net, cb_net_layer *l)
{
  const cnnblas_conv_desc *d = &l->conv;
  int64_t groups = d->groups ? d->groups : 1, taps = 1;
  cb_net_param w = {.rank = 2 + l->rank, .shape = {d->k, d->c / groups}, .decays = true};
  for (int i = 0; i < l->rank; i++) taps *= w.shape[2 + i] = d->kernel[i];
  w.fan_in = w.shape[1] * taps;
  w.fan_out = d->k / groups * taps;
  cb_net_add_tensor(net, l, true, "weight", w);
  if (l->bias) cb_net_add_tensor(net, l, true, "bias", (cb_net_param){.rank = 1, .shape = {d->k}});
}

/* ---- passes ---- */

static cnnblas_status forward(const cb_net_pass *p, const cb_net_layer *l, const void *const *x, void *y)
{
  const cnnblas_net *net = p->net;
  const void *w = cb_net_param_at(net, net->layout.values, l->weight);
  cnnblas_conv_epilogue e = {.activation.kind = l->relu ? CNNBLAS_RELU : CNNBLAS_IDENTITY};
  if (l->bias) e.bias = cb_net_param_at(net, net->layout.values, l->weight + 1);
  if (net->packed && l->norm_layer) {
    w = l->packed_plan ? NULL : cb_net_at(net, l->folded_weights);
    e.bias = cb_net_at(net, l->folded_bias);
    if (l->residual != CB_NET_NONE) e.residual = cb_net_value(p, l->residual);
    if (l->function_layer) e.activation = l->function_layer->activation.function;
  }
  if (net->packed && l->packed_plan)
    return cnnblas_conv_forward_packed(l->packed_plan, p->n, x[0], cb_net_at(net, l->packed), &e, y, p->workspace,
                                       net->forward_workspace);
  return cnnblas_conv_forward(l->plans[CNNBLAS_FORWARD], p->n, x[0], w, &e, y, p->workspace, net->forward_workspace);
}

static cnnblas_status backward(const cb_net_pass *p, const cb_net_layer *l, const cb_net_gradients *g)
{
  const cnnblas_net *net = p->net;
  cnnblas_status status = CNNBLAS_OK;
  if (g->parameters) {
    void *dw = cb_net_param_at(net, p->section, l->weight);
    void *db = l->bias ? cb_net_param_at(net, p->section, l->weight + 1) : NULL;
    status = cnnblas_conv_backward_weights(l->plans[CNNBLAS_BACKWARD_WEIGHTS], p->n, g->x[0], g->dy, dw, db,
                                           p->workspace, net->training_workspace);
  }
  if (status || !g->dx[0]) return status;
  return cnnblas_conv_backward_data(l->plans[CNNBLAS_BACKWARD_DATA], p->n, g->dy,
                                    cb_net_param_at(net, net->layout.values, l->weight), g->dx[0], p->workspace,
                                    net->training_workspace);
}

const cb_net_row cb_net_conv = {.keyword = "CONV",
                                .name = "conv",
                                .traits = CB_NET_Y_FREE | CB_NET_STORES | CB_NET_FOLDS | CB_NET_SEGMENTS,
                                .parse = parse,
                                .shape = shape,
                                .prepare = prepare,
                                .parameters = parameters,
                                .forward = forward,
                                .backward = backward,
                                .describe = describe};
