/* Loading a model: the file's messages, what they declare, a first plan where all sizes are known. */
#include "onnx/model_file.h"
#include "onnx/onnx_model.h"
#include "onnx/proto_tensor.h"
#include "onnx/rows.h"
#include "onnx/zeroed.h"
#include <cnnblas/system.h>
#include <string.h>

enum { MOST_THREADS = 4096, BY_VALUE = 4096 /* most elements of an input that shapes may follow from */ };

void cnnblas_onnx_options_init(cnnblas_onnx_options *options)
{
  if (options) memset(options, 0, sizeof *options);
}

/* ---- what the file declares ---- */

static int64_t size_of(const cnnblas_onnx *m, const CbOnnx__TensorShapeProto__Dimension *d)
{
  if (d->value_case == CB_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
    return d->dim_value < 0 ? -1 : d->dim_value;
  if (d->value_case == CB_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM && d->dim_param)
    for (int64_t i = 0; i < m->options.dimension_count; i++)
      if (!strcmp(m->options.dimensions[i].name, d->dim_param)) return m->options.dimensions[i].size;
  return -1;
}

static cnnblas_status declare(const cnnblas_onnx *m, const CbOnnx__ValueInfoProto *v, cb_onnx_declared *d)
{
  *d = (cb_onnx_declared){.name = v->name ? v->name : "", .type = CB_GRAPH_TYPES, .rank = -1};
  if (!v->type) return CNNBLAS_OK;
  if (v->type->value_case != CB_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
    return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED, "%.100s: it is no array but a sequence, map or the like", d->name);
  const CbOnnx__TypeProto__Tensor *t = v->type->tensor_type;
  d->type = cb_onnx_core_type(t->elem_type);
  if (d->type == CB_GRAPH_TYPES || cb_onnx_public_type(d->type) != (cnnblas_onnx_type)t->elem_type)
    return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED, "%.100s: ONNX's type %d is not supported", d->name,
                               (int)t->elem_type);
  if (!t->shape) return CNNBLAS_OK;
  if (t->shape->n_dim > CB_GRAPH_RANK)
    return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED, "%.100s: rank %zu is above %d", d->name, t->shape->n_dim,
                               CB_GRAPH_RANK);
  d->rank = (int)t->shape->n_dim;
  for (int i = 0; i < d->rank; i++) d->size[i] = size_of(m, t->shape->dim[i]);
  return CNNBLAS_OK;
}

static bool is_constant(const CbOnnx__GraphProto *g, const char *name)
{
  for (size_t i = 0; i < g->n_initializer && name; i++)
    if (g->initializer[i]->name && !strcmp(g->initializer[i]->name, name)) return true;
  return false;
}

static cnnblas_status declare_all(cnnblas_onnx *m)
{
  const CbOnnx__GraphProto *g = m->graph;
  cnnblas_status status = CNNBLAS_OK;
  m->inputs = cb_onnx_zeroed(g->n_input, sizeof *m->inputs);
  m->outputs = cb_onnx_zeroed(g->n_output, sizeof *m->outputs);
  if (!m->inputs || !m->outputs) return cnnblas_shared_no_memory(g->n_input * sizeof *m->inputs, "a model's inputs");
  for (size_t i = 0; i < g->n_input && !status; i++)
    if (!is_constant(g, g->input[i]->name)) status = declare(m, g->input[i], &m->inputs[m->input_count++]);
  for (size_t i = 0; i < g->n_output && !status; i++) {
    /* An output's declaration may be wrong; the plan tells what it is. */
    if (g->output[i]->type && g->output[i]->type->value_case == CB_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
      status = declare(m, g->output[i], &m->outputs[i]);
    else
      m->outputs[i] = (cb_onnx_declared){.name = g->output[i]->name, .type = CB_GRAPH_TYPES, .rank = -1};
    m->output_count++;
  }
  return status;
}

/* ---- planning ---- */

static cb_onnx_wish wish_of(const cnnblas_onnx *m)
{
  return (cb_onnx_wish){.setup = {&m->options, m->threads},
                        .file = m->graph,
                        .folder = m->folder,
                        .version = m->version,
                        .budget = CB_ONNX_SPARE + m->bytes};
}

/* Sets known[i] to the elements of input i if shapes may depend on them: those of short lists and numbers. */
static void choose_known(const cnnblas_onnx *m, const cb_graph_shape *shapes, const void *const *data,
                         const void **known)
{
  for (int64_t i = 0; i < m->input_count; i++) {
    int64_t elements = shapes[i].rank ? shapes[i].size[0] : 1;
    known[i] = shapes[i].rank <= 1 && elements <= BY_VALUE ? data[i] : NULL;
  }
}

cnnblas_status cb_onnx_model_plan(cnnblas_onnx *m, const cb_graph_shape *shapes, const void *const *data)
{
  cb_onnx_wish wish = wish_of(m);
  cb_onnx_plan *plan = NULL;
  bool lacks = false;
  wish.inputs = shapes;
  cnnblas_status status = CNNBLAS_OK;
  if (m->settled) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "the inputs have other sizes than the model's");
  if (!m->by_value) status = cb_onnx_plan_create(&wish, &plan, &lacks);
  if ((m->by_value || (status && lacks)) && data) {
    const void **known = cb_onnx_zeroed((size_t)m->input_count, sizeof *known);
    if (!known) return cnnblas_shared_no_memory((size_t)m->input_count * sizeof *known, "inputs");
    choose_known(m, shapes, data, known);
    wish.known_inputs = known;
    status = cb_onnx_plan_create(&wish, &plan, &lacks);
    if (!status) m->by_value = true;
    cnnblas_shared_free(known);
  }
  if (status && !data && lacks) return CNNBLAS_OK; /* the inputs of a run will tell the shapes */
  if (status || !plan) return status;
  cb_onnx_plan_destroy(m->plan);
  m->plan = plan;
  plan->profiled = m->profiled;
  m->plans++;
  return CNNBLAS_OK;
}

/* True if the plan reads the file's constant i, which is its value i, where it lies: nothing else points there. */
static bool is_read(const cb_onnx_scheme *s, size_t i, const void *elements)
{
  const cb_onnx_value *v = &s->values[i];
  return v->known == elements && (v->readers || v->output);
}

/* Frees the file's constants that were folded or packed: the plan stays the only one, since no input's size can change. */
static void settle(cnnblas_onnx *m)
{
  m->settled = true;
  for (size_t i = 0; i < m->graph->n_initializer; i++) {
    CbOnnx__TensorProto *t = m->graph->initializer[i];
    if (t->raw_data.data && !is_read(&m->plan->scheme, i, t->raw_data.data)) {
      cb_onnx_message_drop(&m->file, t->raw_data.data);
      t->raw_data = (ProtobufCBinaryData){0};
    }
    if (t->float_data && !is_read(&m->plan->scheme, i, t->float_data)) {
      cb_onnx_message_drop(&m->file, t->float_data);
      t->float_data = NULL;
      t->n_float_data = 0;
    }
  }
}

/* Plans the model if all inputs' sizes are known; else checks its operators and names alone. */
static cnnblas_status plan_early(cnnblas_onnx *m)
{
  cb_graph_shape *shapes = cb_onnx_zeroed((size_t)m->input_count, sizeof *shapes);
  bool known = true;
  if (!shapes) return cnnblas_shared_no_memory((size_t)m->input_count * sizeof *shapes, "inputs");
  for (int64_t i = 0; i < m->input_count; i++) {
    const cb_onnx_declared *d = &m->inputs[i];
    shapes[i] = (cb_graph_shape){.type = d->type, .rank = d->rank};
    known = known && d->rank >= 0 && d->type < CB_GRAPH_TYPES;
    for (int a = 0; a < d->rank; a++) {
      shapes[i].size[a] = d->size[a];
      known = known && d->size[a] >= 0;
    }
  }
  cnnblas_status status;
  if (known) {
    status = cb_onnx_model_plan(m, shapes, NULL);
    if (!status && m->plan) settle(m);
  } else {
    cb_onnx_wish wish = wish_of(m);
    cb_onnx_scheme scheme = {.setup = wish.setup, .file = m->graph, .folder = m->folder, .version = m->version};
    status = cb_onnx_scheme_import(&scheme);
    cb_onnx_scheme_free(&scheme);
  }
  cnnblas_shared_free(shapes);
  return status;
}

/* ---- loading ---- */

static cnnblas_status check_options(const cnnblas_onnx_options *o)
{
  if (o->threads < 0 || o->threads > MOST_THREADS)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "options.threads is %d; it must be 0 to %d", o->threads,
                               MOST_THREADS);
  if (o->without & ~255)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "options.without is %d; it is made of cnnblas_onnx_pass",
                               o->without);
  if (o->accuracy < 0 || !cnnblas_accuracy_policy_name(o->accuracy))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "options.accuracy is %d, no policy", (int)o->accuracy);
  if (o->effort != CNNBLAS_ESTIMATE && o->effort != CNNBLAS_MEASURE)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "options.effort is %d, no effort", (int)o->effort);
  if (o->dimension_count < 0 || (o->dimension_count && !o->dimensions))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "options.dimensions is NULL or their number below 0");
  for (int64_t i = 0; i < o->dimension_count; i++)
    if (!o->dimensions[i].name || o->dimensions[i].size < 0)
      return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "options.dimensions[%lld] has no name or a size below 0",
                                 (long long)i);
  for (int i = 0; i < 8; i++)
    if (o->reserved[i]) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "options.reserved[%d] is not 0", i);
  return CNNBLAS_OK;
}

static cnnblas_status find_version(cnnblas_onnx *m, const CbOnnx__ModelProto *p)
{
  if (!p->graph) return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "the file has no graph: it is no model");
  m->graph = p->graph;
  m->version = p->n_opset_import ? 0 : 1;
  for (size_t i = 0; i < p->n_opset_import; i++) {
    const char *domain = p->opset_import[i]->domain;
    int64_t version = p->opset_import[i]->version;
    if (domain && *domain && strcmp(domain, "ai.onnx")) continue;
    if (version < 1 || version > INT32_MAX)
      return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "version %lld of the operator set", (long long)version);
    m->version = (int)version;
  }
  if (m->version > CB_ONNX_NEWEST)
    return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED,
                               "the model imports version %d of ai.onnx; the newest that is known is %d", m->version,
                               (int)CB_ONNX_NEWEST);
  if (!m->version)
    return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED, "the model does not import the operators of ai.onnx");
  return CNNBLAS_OK;
}

static cnnblas_status copy_text(const char *text, size_t length, char **copy)
{
  if (!(*copy = cnnblas_shared_alloc(length + 1, 0))) return cnnblas_shared_no_memory(length + 1, "a path");
  memcpy(*copy, text, length);
  (*copy)[length] = 0;
  return CNNBLAS_OK;
}

/* Loads a model from the file at `path` or, if that is NULL, from bytes. */
static cnnblas_status load(const char *path, const void *bytes, size_t count, const cnnblas_onnx_options *options,
                           cnnblas_onnx **model)
{
  cnnblas_system_info system;
  cnnblas_onnx *m = cb_onnx_zeroed(1, sizeof *m);
  cnnblas_status status = m ? CNNBLAS_OK : cnnblas_shared_no_memory(sizeof *m, "a model");
  if (!status)
    status = path ? cb_onnx_unpack_model(&m->file, path, &count)
                  : cb_onnx_unpack(&m->file, &cb_onnx__model_proto__descriptor, bytes, count, "the model");
  if (!status) m->bytes = count;
  if (!status && options) m->options = *options;
  if (!status && m->options.folder) status = copy_text(m->options.folder, strlen(m->options.folder), &m->folder);
  if (!status) {
    m->options.folder = m->folder;
    cnnblas_system_get_info(&system);
    m->threads = m->options.threads ? m->options.threads : system.threads;
    status = find_version(m, (const CbOnnx__ModelProto *)m->file.message);
  }
  if (!status) status = declare_all(m);
  if (!status) {
    m->options.dimensions = NULL;
    m->options.dimension_count = 0;
    status = plan_early(m);
  }
  if (status)
    cnnblas_onnx_destroy(m);
  else
    *model = m;
  return status;
}

cnnblas_status cnnblas_onnx_load_bytes(const void *bytes, size_t count, const cnnblas_onnx_options *options,
                                       cnnblas_onnx **model)
{
  if (!model || (!bytes && count)) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "bytes or model is NULL");
  cnnblas_status status = options ? check_options(options) : CNNBLAS_OK;
  return status ? status : load(NULL, bytes, count, options, model);
}

cnnblas_status cnnblas_onnx_load(const char *path, const cnnblas_onnx_options *options, cnnblas_onnx **model)
{
  if (!path || !model) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "path or model is NULL");
  cnnblas_onnx_options with = {0};
  cnnblas_status status = options ? check_options(options) : CNNBLAS_OK;
  if (status) return status;
  if (options) with = *options;
  const char *slash = strrchr(path, '/');
  char *folder = NULL;
  if (!with.folder) {
    status = slash ? copy_text(path, slash == path ? 1 : (size_t)(slash - path), &folder) : copy_text(".", 1, &folder);
    with.folder = folder;
  }
  if (!status) status = load(path, NULL, 0, &with, model);
  cnnblas_shared_free(folder);
  return status;
}

void cnnblas_onnx_destroy(cnnblas_onnx *m)
{
  if (!m) return;
  cb_onnx_plan_destroy(m->plan);
  cb_onnx_message_free(&m->file);
  cnnblas_shared_free(m->folder);
  cnnblas_shared_free(m->inputs);
  cnnblas_shared_free(m->outputs);
  cnnblas_shared_free(m);
}
