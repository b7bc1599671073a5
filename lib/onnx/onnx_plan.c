/* From a scheme to a graph of the core, and its runs; see onnx_plan.h. */
#include "onnx/onnx_plan.h"
#include "onnx/convolution.h"
#include "onnx/passes.h"
#include "onnx/zeroed.h"
#include <string.h>
#include <time.h>

/* ---- nodes of the graph ---- */

static cnnblas_status infer_step(void *self, const cb_graph_shape *const *inputs, int count, cb_graph_shape *outputs)
{
  const cb_onnx_step *step = self;
  int made = 0;
  (void)inputs;
  (void)count;
  for (int j = 0; j < step->node->outputs; j++)
    if (step->node->output[j] != CB_ONNX_NONE) outputs[made++] = step->plan->scheme.values[step->node->output[j]].shape;
  return CNNBLAS_OK;
}

/* Frees weights that a pass made and that only a convolution reads, which has them packed. */
static void forget_packed(cb_onnx_scheme *s, const cb_onnx_node *node)
{
  const cb_onnx_packed *packed;
  if (!cb_onnx_plan_of(node, &packed) || !packed->weights) return;
  cb_onnx_value *w = &s->values[node->input[CB_ONNX_CONV_W]];
  if (w->readers != 1 || w->output) return;
  cnnblas_shared_free(w->owned);
  w->owned = NULL;
  w->known = NULL;
}

static cnnblas_status prepare_step(void *self, void *context, size_t *workspace)
{
  cb_onnx_step *step = self;
  cb_onnx_scheme *s = &step->plan->scheme;
  const cb_graph_shape *in[CB_GRAPH_INPUTS], *made[CB_GRAPH_OUTPUTS];
  const void *known[CB_GRAPH_INPUTS];
  cb_graph_shape out[CB_GRAPH_OUTPUTS] = {{0}};
  bool lacks;
  (void)context;
  if (!step->node->op->prepare) return CNNBLAS_OK;
  cb_onnx_scheme_look(s, step->node, in, known, made);
  for (int j = 0; j < step->node->outputs; j++)
    if (made[j]) out[j] = *made[j];
  cnnblas_status status =
      step->node->op->prepare(step->node, &s->setup, &(cb_onnx_shapes){in, known, out, &lacks}, workspace);
  if (!status) forget_packed(s, step->node);
  return status;
}

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static cnnblas_status run_step(const cb_graph_call *given)
{
  cb_onnx_step *step = given->self;
  cb_onnx_plan *plan = step->plan;
  cb_onnx_node *node = step->node;
  const cb_graph_shape *in[CB_GRAPH_INPUTS], *out[CB_GRAPH_OUTPUTS];
  const void *x[CB_GRAPH_INPUTS];
  void *y[CB_GRAPH_OUTPUTS];
  int read = 0, made = 0;
  cb_onnx_scheme_look(&plan->scheme, node, in, NULL, out);
  for (int j = 0; j < node->inputs; j++) x[j] = in[j] ? given->inputs[read++] : NULL;
  for (int j = 0; j < node->outputs; j++) y[j] = out[j] ? given->outputs[made++] : NULL;
  double begin = plan->profiled ? now() : 0;
  cb_onnx_call call = {in, out, x, y, plan->scheme.setup.threads, plan->workspace};
  cnnblas_status status = node->op->run(node, &call);
  if (plan->profiled) node->seconds += now() - begin;
  return status ? cb_onnx_node_because(node, status) : CNNBLAS_OK;
}

static const cb_graph_operator step_row = {"ONNX", infer_step, prepare_step, run_step, NULL};

/* ---- building ---- */

/* Adds a value that comes from outside to the graph when a node first reads it. */
static cnnblas_status enter(cb_onnx_plan *p, int64_t value)
{
  cb_onnx_value *v = &p->scheme.values[value];
  return v->place == CB_ONNX_NONE ? cnnblas_graph_add_value(&p->graph, &v->shape, &v->place) : CNNBLAS_OK;
}

static cnnblas_status add_step(cb_onnx_plan *p, cb_onnx_node *node)
{
  cb_onnx_scheme *s = &p->scheme;
  int64_t read[CB_GRAPH_INPUTS], first, place = p->graph.node_count;
  int reads = 0, made = 0;
  cnnblas_status status = CNNBLAS_OK;
  for (int j = 0; j < node->inputs && !status; j++) {
    if (node->input[j] == CB_ONNX_NONE) continue;
    status = enter(p, node->input[j]);
    read[reads++] = s->values[node->input[j]].place;
  }
  for (int j = 0; j < node->outputs; j++) made += node->output[j] != CB_ONNX_NONE;
  p->steps[place] = (cb_onnx_step){p, node};
  p->node_of[place] = node - s->nodes;
  if (!status) status = cnnblas_graph_add_node(&p->graph, &step_row, &p->steps[place], read, reads, made, &first);
  if (status) return cb_onnx_node_because(node, status);
  for (int j = 0; j < node->outputs; j++) {
    if (node->output[j] == CB_ONNX_NONE) continue;
    cb_onnx_value *v = &s->values[node->output[j]];
    v->place = first++;
    p->graph.values[v->place].kept = v->output;
  }
  return CNNBLAS_OK;
}

static cnnblas_status build(cb_onnx_plan *p)
{
  cb_onnx_scheme *s = &p->scheme;
  cnnblas_status status = CNNBLAS_OK;
  p->steps = cb_onnx_zeroed((size_t)s->node_count, sizeof *p->steps);
  p->node_of = cb_onnx_zeroed((size_t)s->node_count, sizeof *p->node_of);
  if (!p->steps || !p->node_of) return cnnblas_shared_no_memory((size_t)s->node_count * sizeof *p->steps, "a plan");
  for (int64_t i = 0; i < s->input_count && !status; i++) status = enter(p, s->inputs[i]);
  for (int64_t i = 0; i < s->node_count && !status; i++)
    if (!s->nodes[i].gone) status = add_step(p, &s->nodes[i]);
  return status;
}

/* ---- memory ---- */

/* Fails with a sentence that names the node of the largest array. */
static cnnblas_status no_block(const cb_onnx_plan *p, const cb_graph_span *spans, size_t workspace)
{
  int64_t largest = CB_GRAPH_NONE;
  for (int64_t v = 0; v < p->graph.value_count; v++)
    if (spans[v].bytes && (largest == CB_GRAPH_NONE || spans[v].bytes > spans[largest].bytes)) largest = v;
  if (largest == CB_GRAPH_NONE) return cnnblas_shared_no_memory(workspace, "a workspace");
  const cb_onnx_node *node = &p->scheme.nodes[p->node_of[p->graph.values[largest].producer]];
  return cb_onnx_node_fail(node, CNNBLAS_OUT_OF_MEMORY, "out of memory: its output of %zu bytes is the largest of %zu",
                           spans[largest].bytes, p->bytes);
}

static cnnblas_status place(cb_onnx_plan *p, cb_graph_span *spans, size_t workspace)
{
  size_t arrays;
  cnnblas_graph_spans(&p->graph, spans);
  for (int64_t v = 0; v < p->graph.value_count; v++) { /* parts of a Concat are written before it runs */
    cb_graph_span *life = &spans[cb_graph_root(&p->graph, v)];
    life->first = cb_min(life->first, p->graph.values[v].producer);
  }
  cnnblas_status status = cnnblas_graph_place(spans, p->graph.value_count, &arrays);
  if (status) return status;
  if (arrays > SIZE_MAX / 2 || workspace > SIZE_MAX / 2 - 64)
    return cnnblas_shared_fail(CNNBLAS_SIZE_OVERFLOW, "the arrays' bytes do not fit in 63 bits");
  p->bytes = arrays + workspace;
  p->block = cnnblas_shared_alloc(p->bytes ? p->bytes : 1, 0);
  if (!p->block) return no_block(p, spans, workspace);
  p->workspace = workspace ? p->block + arrays : NULL;
  for (int64_t v = 0; v < p->graph.value_count; v++) p->arrays[v] = p->block + spans[cb_graph_root(&p->graph, v)].place;
  for (int64_t v = 0; v < p->scheme.value_count; v++) {
    const cb_onnx_value *value = &p->scheme.values[v];
    if (value->place != CB_ONNX_NONE && value->known) p->arrays[value->place] = (void *)value->known;
  }
  return CNNBLAS_OK;
}

static cnnblas_status lay_out(cb_onnx_plan *p)
{
  size_t workspace = 0;
  int64_t count = p->graph.value_count;
  cb_graph_span *spans = cb_onnx_zeroed((size_t)count, sizeof *spans);
  p->arrays = cb_onnx_zeroed((size_t)count, sizeof *p->arrays);
  cnnblas_status status =
      spans && p->arrays ? CNNBLAS_OK : cnnblas_shared_no_memory((size_t)count * sizeof *spans, "a plan");
  if (!status) status = cnnblas_graph_prepare(&p->graph, NULL, &workspace);
  if (!status) status = place(p, spans, workspace);
  cnnblas_shared_free(spans);
  return status;
}

/* ---- all of it ---- */

static cnnblas_status simplify(cb_onnx_scheme *s)
{
  int32_t without = s->setup.options->without;
  cnnblas_status status = CNNBLAS_OK;
  if (!(without & CNNBLAS_ONNX_MOVE_TRANSPOSES)) status = cb_onnx_pass_transpose(s);
  if (!status && !(without & CNNBLAS_ONNX_FOLD_PAD)) status = cb_onnx_pass_pad(s);
  if (!status && !(without & CNNBLAS_ONNX_FOLD_NORMALISATION)) status = cb_onnx_pass_normalise(s);
  if (!status && !(without & CNNBLAS_ONNX_FUSE_STORE)) status = cb_onnx_pass_store(s);
  if (!status && !(without & CNNBLAS_ONNX_DROP_DEAD)) cb_onnx_pass_dead(s);
  return status;
}

static cnnblas_status give_inputs(cb_onnx_scheme *s, const cb_onnx_wish *wish)
{
  for (int64_t i = 0; i < s->input_count; i++) {
    cb_onnx_value *v = &s->values[s->inputs[i]];
    v->shape = wish->inputs[i];
    cnnblas_status status = cb_onnx_count(&v->shape);
    if (status) return cnnblas_shared_fail(status, "input %.100s: its elements do not fit in 63 bits", v->name);
    if (!wish->known_inputs || !wish->known_inputs[i]) continue;
    size_t bytes = cb_onnx_bytes(&v->shape);
    if (!(v->owned = cnnblas_shared_alloc(bytes ? bytes : 1, 0))) return cnnblas_shared_no_memory(bytes, "an input");
    memcpy(v->owned, wish->known_inputs[i], bytes);
    v->known = v->owned;
  }
  return CNNBLAS_OK;
}

cnnblas_status cb_onnx_plan_create(const cb_onnx_wish *wish, cb_onnx_plan **plan, bool *lacks)
{
  cb_onnx_plan *p = cb_onnx_zeroed(1, sizeof *p);
  if (!p) return cnnblas_shared_no_memory(sizeof *p, "a plan");
  cb_onnx_scheme *s = &p->scheme;
  s->setup = wish->setup;
  s->file = wish->file;
  s->folder = wish->folder;
  s->version = wish->version;
  s->budget = wish->budget;
  s->rewriting = wish->budget < SIZE_MAX / 2 ? 2 * wish->budget : SIZE_MAX;
  cnnblas_status status = cb_onnx_scheme_import(s);
  if (!status) status = give_inputs(s, wish);
  if (!status) status = cb_onnx_scheme_infer(s);
  *lacks = s->lacks;
  if (!status) status = simplify(s);
  if (!status) status = build(p);
  if (!status && !(s->setup.options->without & CNNBLAS_ONNX_IN_PLACE)) cb_onnx_pass_concat(s, &p->graph, p->node_of);
  if (!status)
    status = cb_onnx_pass_in_place(s, &p->graph, p->node_of, !(s->setup.options->without & CNNBLAS_ONNX_IN_PLACE));
  if (!status) status = lay_out(p);
  if (status)
    cb_onnx_plan_destroy(p);
  else
    *plan = p;
  return status;
}

void cb_onnx_plan_destroy(cb_onnx_plan *p)
{
  if (!p) return;
  cnnblas_graph_free(&p->graph);
  cb_onnx_scheme_free(&p->scheme);
  cnnblas_shared_free(p->steps);
  cnnblas_shared_free(p->node_of);
  cnnblas_shared_free(p->arrays);
  cnnblas_shared_free(p->block);
  cnnblas_shared_free(p);
}

static void *locate(const void *context, int64_t value)
{
  const cb_onnx_plan *p = context;
  return (char *)p->arrays[cb_graph_root(&p->graph, value)] + cb_graph_offset(&p->graph, value);
}

typedef struct {
  cb_onnx_plan *plan;
  cnnblas_status status;
} whole_run;

static void run_nodes(void *context)
{
  whole_run *r = context;
  r->status = cnnblas_graph_run(&r->plan->graph, &(cb_graph_run){r->plan, locate}, 0, r->plan->graph.node_count);
}

cnnblas_status cb_onnx_plan_run(cb_onnx_plan *p, const void *const *inputs)
{
  for (int64_t i = 0; i < p->scheme.input_count; i++) {
    const cb_onnx_value *v = &p->scheme.values[p->scheme.inputs[i]];
    if (!v->known) p->arrays[v->place] = (void *)inputs[i];
  }
  whole_run run = {p, CNNBLAS_OK};
  cnnblas_shared_session(p->scheme.setup.threads, run_nodes, &run);
  return run.status;
}

const void *cb_onnx_plan_output(const cb_onnx_plan *p, int64_t index)
{
  const cb_onnx_value *v = &p->scheme.values[p->scheme.outputs[index]];
  return v->known ? v->known : locate(p, v->place);
}
