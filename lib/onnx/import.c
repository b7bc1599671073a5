/* From the file's graph to a scheme: names become numbers, operators rows. */
#include "onnx/convolution.h"
#include "onnx/names.h"
#include "onnx/operators.h"
#include "onnx/proto_tensor.h"
#include "onnx/scheme.h"
#include "onnx/zeroed.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool ours(const CbOnnx__NodeProto *p)
{
  return !p->domain || !*p->domain || !strcmp(p->domain, "ai.onnx");
}

static const char *op_type(const CbOnnx__NodeProto *p)
{
  return p->op_type ? p->op_type : "";
}

static bool supported(const cb_onnx_scheme *s, const CbOnnx__NodeProto *p)
{
  return ours(p) && cb_onnx_find_operator(op_type(p), s->version);
}

static bool same_operator(const CbOnnx__NodeProto *a, const CbOnnx__NodeProto *b)
{
  return !strcmp(op_type(a), op_type(b)) && ours(a) == ours(b) && (ours(a) || !strcmp(a->domain, b->domain));
}

/* True if an earlier node has the operator of node i. */
static bool named_before(const cb_onnx_scheme *s, size_t i)
{
  for (size_t j = 0; j < i; j++)
    if (same_operator(s->file->node[j], s->file->node[i])) return true;
  return false;
}

/* The operators that are missing, in words. */
typedef struct {
  char text[420];
  size_t used;
} listing;

enum { CLOSING = 32 /* bytes kept free for what ends a list of nodes */ };

/* Appends to the list what fits; true if it did. */
static bool __attribute__((format(printf, 2, 3))) put(listing *l, const char *format, ...)
{
  const size_t room = sizeof l->text - CLOSING - l->used;
  va_list args;
  va_start(args, format);
  const int length = vsnprintf(l->text + l->used, room, format, args);
  va_end(args);
  const bool fits = length >= 0 && (size_t)length < room;
  if (fits) l->used += (size_t)length;
  l->text[l->used] = 0;
  return fits;
}

/* Appends the operator of node i, with the names of all nodes that have it or, where there is no room, their number. */
static bool put_operator(const cb_onnx_scheme *s, size_t i, listing *l)
{
  const CbOnnx__NodeProto *p = s->file->node[i];
  cb_onnx_node node = {.proto = p};
  size_t more = 0;
  if (l->used + CLOSING >= sizeof l->text ||
      !put(l, "%s%.40s%s%.40s (%.60s", l->used ? ", " : "", ours(p) ? "" : p->domain, ours(p) ? "" : ".", op_type(p),
           cb_onnx_node_name(&node)))
    return false;
  for (size_t j = i + 1; j < s->file->n_node; j++) {
    node.proto = s->file->node[j];
    if (!same_operator(node.proto, p)) continue;
    if (more || l->used > sizeof l->text / 2 || !put(l, ", %.60s", cb_onnx_node_name(&node))) more++;
  }
  char *end = l->text + l->used;
  l->used += (size_t)(more ? snprintf(end, CLOSING, " and %zu more)", more) : snprintf(end, CLOSING, ")"));
  return true;
}

/* Fails with a list of all operators that are missing, each with its nodes. */
static cnnblas_status check_operators(const cb_onnx_scheme *s)
{
  listing l = {.used = 0};
  size_t left_out = 0;
  for (size_t i = 0; i < s->file->n_node; i++)
    if (!supported(s, s->file->node[i]) && !named_before(s, i) && !put_operator(s, i, &l)) left_out++;
  if (!l.used && !left_out) return CNNBLAS_OK;
  char more[48] = "";
  if (left_out) snprintf(more, sizeof more, ", and %zu others", left_out);
  return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED, "not supported in version %d: %s%s", s->version, l.text, more);
}

static cnnblas_status allocate(cb_onnx_scheme *s)
{
  const CbOnnx__GraphProto *g = s->file;
  size_t values = g->n_input + g->n_initializer, links = 0;
  for (size_t i = 0; i < g->n_node; i++) {
    values += g->node[i]->n_output;
    links += g->node[i]->n_input + g->node[i]->n_output + CB_ONNX_CONV_INPUTS;
  }
  s->value_room = (int64_t)values + 4 * (int64_t)g->n_node; /* room for the constants that passes make */
  s->values = cb_onnx_zeroed((size_t)s->value_room, sizeof *s->values);
  s->nodes = cb_onnx_zeroed(g->n_node, sizeof *s->nodes);
  s->links = cb_onnx_zeroed(links, sizeof *s->links);
  s->inputs = cb_onnx_zeroed(g->n_input, sizeof *s->inputs);
  s->outputs = cb_onnx_zeroed(g->n_output, sizeof *s->outputs);
  if (s->values && s->nodes && s->links && s->inputs && s->outputs) return CNNBLAS_OK;
  return cnnblas_shared_no_memory((size_t)s->value_room * sizeof *s->values, "a model's nodes");
}

static int64_t add_value(cb_onnx_scheme *s, cb_onnx_names *names, const char *name, int64_t producer)
{
  s->values[s->value_count] = (cb_onnx_value){.name = name, .producer = producer, .place = CB_ONNX_NONE};
  if (names) cb_onnx_names_put(names, name, s->value_count);
  return s->value_count++;
}

static cnnblas_status import_constants(cb_onnx_scheme *s, cb_onnx_names *names)
{
  cnnblas_status status = CNNBLAS_OK;
  for (size_t i = 0; i < s->file->n_initializer && !status; i++) {
    const CbOnnx__TensorProto *t = s->file->initializer[i];
    if (!t->name || !*t->name) return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "a constant has no name");
    if (cb_onnx_names_find(names, t->name) >= 0)
      return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "the constant %.100s is there twice", t->name);
    cb_onnx_value *v = &s->values[add_value(s, names, t->name, CB_ONNX_NONE)];
    status = cb_onnx_tensor_read(t, s->folder, &v->shape, &v->known, &v->owned);
  }
  return status;
}

static cnnblas_status import_inputs(cb_onnx_scheme *s, cb_onnx_names *names)
{
  for (size_t i = 0; i < s->file->n_input; i++) {
    const char *name = s->file->input[i]->name;
    if (!name || !*name) return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "an input has no name");
    int64_t before = cb_onnx_names_find(names, name);
    if (before >= 0 && s->values[before].known) continue; /* older files name a constant as an input too */
    if (before >= 0) return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "the input %.100s is there twice", name);
    s->inputs[s->input_count++] = add_value(s, names, name, CB_ONNX_NONE);
  }
  return CNNBLAS_OK;
}

/* Fails with the reason why a name that a node reads is not known yet. */
static cnnblas_status not_there(const cb_onnx_scheme *s, const cb_onnx_node *node, const char *name)
{
  for (size_t i = 0; i < s->file->n_node; i++)
    for (size_t j = 0; j < s->file->node[i]->n_output; j++)
      if (!strcmp(s->file->node[i]->output[j], name))
        return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT,
                                 "it reads %.100s, which it or a node behind it makes: a cycle", name);
  return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "it reads %.100s, which nothing makes", name);
}

static cnnblas_status import_node(cb_onnx_scheme *s, cb_onnx_names *names, int64_t i, int64_t *links)
{
  const CbOnnx__NodeProto *p = s->file->node[i];
  cb_onnx_node *node = &s->nodes[i];
  *node = (cb_onnx_node){.op = cb_onnx_find_operator(op_type(p), s->version), .proto = p, .version = s->version};
  s->node_count = i + 1;
  node->inputs = (int)p->n_input;
  node->outputs = (int)p->n_output;
  while (node->inputs && !*p->input[node->inputs - 1]) node->inputs--; /* the last ones are left out */
  if (p->n_input > CB_GRAPH_INPUTS || p->n_output > CB_GRAPH_OUTPUTS || node->inputs < node->op->least ||
      node->inputs > node->op->most || node->outputs > node->op->outputs || !node->outputs)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "%zu inputs and %zu outputs; it takes %d to %d and at most %d",
                             p->n_input, p->n_output, node->op->least, node->op->most, node->op->outputs);
  node->input = links;
  node->output = links + p->n_input + CB_ONNX_CONV_INPUTS;
  for (int j = 0; j < node->inputs; j++) {
    bool there = *p->input[j] != 0;
    node->input[j] = there ? cb_onnx_names_find(names, p->input[j]) : CB_ONNX_NONE;
    if (there && node->input[j] < 0) return not_there(s, node, p->input[j]);
    if (!there && j < node->op->least) return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "input %d is missing", j);
    if (there) s->values[node->input[j]].readers++;
  }
  for (int j = 0; j < node->outputs; j++) {
    node->output[j] = CB_ONNX_NONE;
    if (!*p->output[j]) continue;
    if (cb_onnx_names_find(names, p->output[j]) >= 0)
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "%.100s is made twice", p->output[j]);
    node->output[j] = add_value(s, names, p->output[j], i);
  }
  if (!node->op->settings) return CNNBLAS_OK;
  node->settings = cb_onnx_zeroed(1, node->op->settings);
  return node->settings ? CNNBLAS_OK : cnnblas_shared_no_memory(node->op->settings, "a node");
}

static cnnblas_status import_outputs(cb_onnx_scheme *s, const cb_onnx_names *names)
{
  for (size_t i = 0; i < s->file->n_output; i++) {
    const char *name = s->file->output[i]->name;
    int64_t v = name && *name ? cb_onnx_names_find(names, name) : -1;
    if (v < 0)
      return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "nothing makes the output %.100s", name ? name : "without a name");
    s->outputs[s->output_count++] = v;
    s->values[v].output = true;
  }
  return CNNBLAS_OK;
}

cnnblas_status cb_onnx_scheme_import(cb_onnx_scheme *s)
{
  cb_onnx_names names = {0};
  if (s->file->n_sparse_initializer)
    return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED, "sparse constants are not supported");
  cnnblas_status status = check_operators(s);
  if (!status) status = allocate(s);
  if (!status) status = cb_onnx_names_create(&names, (size_t)s->value_room);
  if (!status) status = import_constants(s, &names);
  if (!status) status = import_inputs(s, &names);
  int64_t *links = s->links;
  for (size_t i = 0; i < s->file->n_node && !status; i++) {
    status = import_node(s, &names, (int64_t)i, links);
    links += s->file->node[i]->n_input + s->file->node[i]->n_output + CB_ONNX_CONV_INPUTS;
  }
  if (!status) status = import_outputs(s, &names);
  cb_onnx_names_free(&names);
  return status;
}
