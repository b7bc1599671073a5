/*
 * Parser of the network notation: recursive descent straight over the text, a function a rule of the grammar in
 * cnnblas/net.h; the row of a layer's kind reads what stands behind the keyword. A group is read twice or more: once
 * without adding layers, to reach the repeat count behind it, then once for each repetition.
 */
#include "net/notation.h"
#include "base/shared.h"
#include "base/size.h"
#include "net/kinds.h"
#include <stdio.h>
#include <string.h>

enum { MAX_PASSES = 100000 };

typedef struct {
  cb_net_text t;
  int depth, passes;
  int64_t value; /* number of the value that the next layer reads */
  const cnnblas_net_options *options;
  cb_net_design *design;
} parser;

static bool failed(parser *p, cnnblas_status status)
{
  p->t.status = status;
  return false;
}

static bool items(parser *p);

/* ---- groups ---- */

/* Enters a group or a join; fails where they lie more than 16 deep in each other. */
static bool enter(parser *p, int64_t start)
{
  if (++p->depth <= CB_NET_MAX_DEPTH) return true;
  return cb_text_fail(&p->t, CNNBLAS_BAD_FORMAT, "column %d: groups are nested more than %d deep", (int)start,
                      CB_NET_MAX_DEPTH);
}

/* Reads the group's body, behind its '['. */
static bool body(parser *p, int64_t start, bool dry)
{
  cb_net_text *t = &p->t;
  bool was_dry = t->dry;
  if (++p->passes > MAX_PASSES)
    return cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: the groups repeat more than %d times in all", (int)start,
                        MAX_PASSES);
  t->at = start;
  t->dry = dry;
  bool read = items(p) && (cb_text_accept(t, "]") || cb_text_expected(t, "'->' or ']'"));
  t->dry = was_dry;
  return read && cb_text_spend(t, t->at - start);
}

static bool group(parser *p)
{
  cb_net_text *t = &p->t;
  int64_t start = t->at, times = 1;
  if (!enter(p, start) || !body(p, start, true)) return false;
  if (cb_text_accept(t, "*") && !cb_text_number(t, 0, "a number of repetitions", &times)) return false;
  int64_t end = t->at;
  for (int64_t i = 0; i < times && !t->dry; i++)
    if (!body(p, start, false)) return false;
  t->at = end;
  p->depth--;
  return true;
}

/* ---- layers and branches ---- */

static bool add(parser *p, const cb_net_layer *layer, const int64_t *inputs, int count)
{
  cnnblas_status status = CNNBLAS_OK;
  if (!p->t.dry && !layer->left_out) status = cb_design_add(p->design, layer, inputs, count, &p->value);
  if (status || p->t.dry || layer->left_out) cnnblas_shared_free(layer->maps);
  return status ? failed(p, status) : true;
}

/* Reads one branch, perhaps empty, from a value on; *end is its last value. */
static bool branch(parser *p, int64_t from, int64_t *end)
{
  p->value = from;
  char next = cb_text_peek(&p->t);
  if (next != '|' && next != ']' && !items(p)) return false;
  *end = p->value;
  return true;
}

/* Reads [ branch | branch ... ] and adds the layer that joins them. */
static bool join(parser *p, const cb_net_layer *layer)
{
  cb_net_text *t = &p->t;
  int64_t from = p->value, ends[CB_GRAPH_INPUTS];
  int count = 0;
  if (!cb_text_accept(t, "[")) return cb_text_expected(t, "'[' and branches");
  if (!enter(p, t->at)) return false;
  do {
    if (count == CB_GRAPH_INPUTS)
      return cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: expected at most %d branches", cb_text_column(t),
                          CB_GRAPH_INPUTS);
    if (!branch(p, from, &ends[count++])) return false;
  } while (cb_text_accept(t, "|"));
  if (!cb_text_accept(t, "]")) return cb_text_expected(t, "'->', '|' or ']'");
  if (count < 2)
    return cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: expected at least two branches, joined by '|'", (int)t->at);
  p->depth--;
  return add(p, layer, ends, count);
}

/* Fails with a list of the keywords. */
static bool expected_item(parser *p)
{
  char words[400] = "";
  for (int i = 0; cb_net_rows[i]; i++) {
    size_t used = strlen(words);
    snprintf(words + used, sizeof words - used, "%s, ", cb_net_rows[i]->keyword);
  }
  snprintf(words + strlen(words) - 2, 10, " or '['");
  return cb_text_expected(&p->t, words);
}

static bool item(parser *p)
{
  cb_net_text *t = &p->t;
  cb_net_layer layer = {.column = cb_text_column(t)};
  if (cb_text_accept(t, "[")) return group(p);
  for (int i = 0; cb_net_rows[i] && !layer.row; i++)
    if (cb_text_word(t, cb_net_rows[i]->keyword)) layer.row = cb_net_rows[i];
  if (!layer.row) return expected_item(p);
  if (layer.row->traits & CB_NET_JOIN) return join(p, &layer);
  t->in = cb_design_shape(p->design, p->value);
  if (!layer.row->parse || layer.row->parse(t, &layer)) return add(p, &layer, &p->value, 1);
  cnnblas_shared_free(layer.maps);
  return false;
}

static bool items(parser *p)
{
  do {
    if (!item(p)) return false;
  } while (cb_text_accept(&p->t, "->"));
  return true;
}

/* ---- the network, from its text ---- */

/* Sets the design's input to the data's shape in the options. */
static void shape_of_options(const cnnblas_net_options *o, cb_net_design *d)
{
  d->rank = 0;
  while (d->rank < 3 && o->size[d->rank]) d->rank++;
  d->input.c = o->c;
  for (int i = 0; i < d->rank; i++) d->input.size[i] = o->size[i];
}

/* Reads the sizes that the text gives, which must agree with those of the options. */
static bool given_input(parser *p)
{
  cb_net_text *t = &p->t;
  cb_net_design *d = p->design;
  const cnnblas_net_options *o = p->options;
  int64_t given[4];
  int count = 0, start = cb_text_column(t);
  if (!cb_text_numbers(t, 1, 4, "a number: the input's size", given, &count)) return false;
  bool agrees = !o->c || o->c == given[0];
  const bool point =
      count == 1 && o->size[0] == 1 && o->size[1] == 1 && !o->size[2]; /* two axes of size 1, as made below */
  for (int i = 0; o->c && i < 3 && !point; i++) agrees = agrees && (i + 1 < count ? given[i + 1] : 0) == o->size[i];
  if (!agrees) {
    char size[80];
    return cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: expected the data's size, %lld%s%s", start, (long long)o->c,
                        d->rank ? "x" : "", cb_net_sizes(size, sizeof size, d->rank, o->size, 1));
  }
  d->rank = count - 1;
  d->input.c = given[0];
  for (int i = 0; i < d->rank; i++) d->input.size[i] = given[i + 1];
  return true;
}

static bool input(parser *p)
{
  cb_net_text *t = &p->t;
  cb_net_design *d = p->design;
  if (!cb_text_word(t, "input")) return cb_text_expected(t, "INPUT");
  if (!cb_text_digit(t) && !p->options->c)
    return cb_text_expected(t, "the input's size, as 1x28x28, which the call does not give");
  int start = cb_text_column(t);
  shape_of_options(p->options, d);
  if (cb_text_digit(t) && !given_input(p)) return false;
  if (d->rank == 0) { /* INPUT has features without a place in an image */
    d->rank = 2;
    d->input.size[0] = d->input.size[1] = 1;
  }
  t->rank = d->rank;
  d->input.elements = d->input.c;
  for (int i = 0; i < d->rank; i++)
    if (!cb_mul(d->input.elements, d->input.size[i], &d->input.elements))
      return cb_text_fail(t, CNNBLAS_SIZE_OVERFLOW, "column %d: the input's elements do not fit in 63 bits", start);
  cnnblas_status status = cb_design_begin(d, p->options);
  return status ? failed(p, status) : true;
}

/* Checks that the last layer's outputs are the classes; a bare last FC gets them. */
static bool classes(parser *p)
{
  cb_net_text *t = &p->t;
  cb_net_design *d = p->design;
  if (d->graph.node_count == 0)
    return cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: expected a network with at least one layer",
                        cb_text_column(t));
  cb_net_layer *last = cb_design_layer(d, d->graph.node_count - 1);
  int64_t wanted = p->options->classes;
  if (last->bare) {
    if (!wanted)
      return cb_text_fail(t, CNNBLAS_BAD_FORMAT,
                          "column %d: expected the number of outputs behind the last FC, which the "
                          "call does not give either",
                          last->column);
    last->outputs = wanted;
    cnnblas_status status = cnnblas_graph_infer(&d->graph, last->index);
    if (status) return failed(p, status);
  }
  if (!wanted || last->out.elements == wanted) return true;
  return cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: the last layer has %lld outputs, but there are %lld classes",
                      last->column, (long long)last->out.elements, (long long)wanted);
}

cnnblas_status cb_notation_parse(const char *text, const cnnblas_net_options *options, cb_net_design *design)
{
  memset(design, 0, sizeof *design);
  parser p = {.t.text = text, .options = options, .design = design};
  bool read = input(&p);
  while (read && cb_text_accept(&p.t, "->")) read = item(&p);
  if (read && cb_text_peek(&p.t)) read = cb_text_expected(&p.t, "'->' or the end of the text");
  if (read) read = classes(&p);
  if (read)
    cb_design_end(design);
  else
    cb_design_free(design);
  return p.t.status;
}
