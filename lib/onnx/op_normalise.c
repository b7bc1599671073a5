/* BatchNormalization InstanceNormalization LayerNormalization LRN. Statistics are made in double. */
#include "onnx/normalisation.h"
#include "onnx/rows.h"
#include <cnnblas/batchnorm.h>
#include <math.h>
#include <string.h>

static void put(cb_graph_type type, void *y, int64_t i, double value)
{
  if (type == CB_GRAPH_F64)
    ((double *)y)[i] = value;
  else
    ((float *)y)[i] = (float)value;
}

/* ---- BatchNormalization ---- */

static bool trains(const cb_onnx_node *node)
{
  return node->version >= 14 ? cb_onnx_int(node, "training_mode", 0) != 0 : node->version < 7 && node->outputs > 1;
}

static cnnblas_status infer_batch(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  const cb_graph_shape *x = s->in[0];
  cnnblas_status status = cb_onnx_need_real(node, s, 0);
  if (status) return status;
  if (x->rank < 2) return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "an input of rank %d", x->rank);
  for (int j = 1; j < 5; j++)
    if (!s->in[j] || s->in[j]->type != x->type || s->in[j]->elements != x->size[1])
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "input %d is not one number a channel", j);
  if (node->outputs > 1 && !trains(node)) return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "outputs of training");
  s->out[0] = *x;
  for (int j = 1; j < node->outputs; j++) s->out[j] = *s->in[j > 2 ? 4 : 3];
  return CNNBLAS_OK;
}

/* Finds mean and variance of one channel over the batch. */
static void channel_statistics(const cb_graph_shape *x, const void *data, int64_t channel, double *mean,
                               double *variance)
{
  int64_t pixels = cb_onnx_product(x, 2, x->rank), count = x->size[0] * pixels;
  double sum = 0, squares = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (int64_t n = 0; n < x->size[0]; n++)
      for (int64_t p = 0; p < pixels; p++) {
        double z = cb_onnx_real_at(x, data, (n * x->size[1] + channel) * pixels + p);
        if (pass)
          squares += (z - *mean) * (z - *mean);
        else
          sum += z;
      }
    if (!pass) *mean = sum / (double)count;
  }
  *variance = squares / (double)count;
}

static cnnblas_status train_batch(const cb_onnx_node *node, const cb_onnx_call *call, double epsilon)
{
  const cb_graph_shape *x = call->in[0];
  int64_t pixels = cb_onnx_product(x, 2, x->rank);
  double keep = cb_onnx_float(node, "momentum", 0.9);
  for (int64_t c = 0; c < x->size[1]; c++) {
    double mean = 0, variance = 0;
    channel_statistics(x, call->x[0], c, &mean, &variance);
    double scale = cb_onnx_real_at(x, call->x[1], c) / sqrt(variance + epsilon),
           shift = cb_onnx_real_at(x, call->x[2], c);
    for (int64_t n = 0; n < x->size[0]; n++)
      for (int64_t p = 0; p < pixels; p++) {
        int64_t at = (n * x->size[1] + c) * pixels + p;
        put(x->type, call->y[0], at, (cb_onnx_real_at(x, call->x[0], at) - mean) * scale + shift);
      }
    double running[2] = {cb_onnx_real_at(x, call->x[3], c) * keep + mean * (1 - keep),
                         cb_onnx_real_at(x, call->x[4], c) * keep + variance * (1 - keep)};
    for (int j = 1; j < node->outputs; j++)
      if (call->y[j]) put(x->type, call->y[j], c, j < 3 ? running[j - 1] : j == 3 ? mean : variance);
  }
  return CNNBLAS_OK;
}

bool cb_onnx_normalises(const cb_onnx_node *node, double *epsilon)
{
  *epsilon = cb_onnx_float(node, "epsilon", 1e-5);
  return !strcmp(node->op->name, "BatchNormalization") && !trains(node);
}

static cnnblas_status run_batch(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const cb_graph_shape *x = call->in[0];
  double epsilon = cb_onnx_float(node, "epsilon", 1e-5);
  if (!x->elements) return CNNBLAS_OK;
  if (trains(node)) return train_batch(node, call, epsilon);
  cnnblas_batchnorm_desc desc = {.dtype = cb_onnx_dtype(x->type), .threads = call->threads, .n = x->size[0]};
  desc.c = x->size[1];
  desc.pixels = cb_onnx_product(x, 2, x->rank);
  desc.epsilon = epsilon == 0 ? 1e-300 : epsilon; /* 0 would mean the library's default */
  cnnblas_batchnorm_arrays arrays = {.gamma = call->x[1], .beta = call->x[2]};
  arrays.running_mean = (void *)call->x[3]; /* inference only reads the statistics */
  arrays.running_variance = (void *)call->x[4];
  return cnnblas_batchnorm_forward_inference(&desc, x->size[0], call->x[0], &arrays, call->y[0]);
}

/* ---- InstanceNormalization, LayerNormalization: rows of n elements ---- */

typedef struct {
  int64_t rows, n, repeat; /* repeat: rows before scale and shift repeat; 0: they have one number an element of a row */
} rows;

static cnnblas_status infer_instance(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  rows *own = node->settings;
  const cb_graph_shape *x = s->in[0];
  cnnblas_status status = cb_onnx_need_real(node, s, 0);
  if (status) return status;
  if (x->rank < 3 || !s->in[1] || !s->in[2] || s->in[1]->elements != x->size[1] || s->in[2]->elements != x->size[1] ||
      s->in[1]->type != x->type || s->in[2]->type != x->type)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "scale or shift is not one number a channel");
  *own = (rows){cb_onnx_product(x, 0, 2), cb_onnx_product(x, 2, x->rank), x->size[1]};
  return cb_onnx_same(node, s);
}

static cnnblas_status infer_layer(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  rows *own = node->settings;
  const cb_graph_shape *x = s->in[0], *shift = node->inputs > 2 ? s->in[2] : NULL;
  int64_t axis = cb_onnx_int(node, "axis", -1);
  cnnblas_status status = cb_onnx_need_real(node, s, 0);
  if (!status) status = cb_onnx_axis(node, &axis, x->rank, false);
  if (status) return status;
  *own = (rows){cb_onnx_product(x, 0, (int)axis), cb_onnx_product(x, (int)axis, x->rank), 0};
  if (!s->in[1] || s->in[1]->elements != own->n || s->in[1]->type != x->type ||
      (shift && (shift->elements != own->n || shift->type != x->type)))
    return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "scale or shift is not one number for each of its elements");
  s->out[0] = *x;
  for (int j = 1; j < node->outputs; j++) {
    s->out[j] = *x;
    s->out[j].type = cb_onnx_int(node, "stash_type", 1) == CNNBLAS_ONNX_F64 ? CB_GRAPH_F64 : CB_GRAPH_F32;
    for (int i = (int)axis; i < x->rank; i++) s->out[j].size[i] = 1;
  }
  return CNNBLAS_OK;
}

typedef struct {
  const cb_onnx_node *node;
  const cb_onnx_call *call;
  double epsilon;
} job;

static void normalise_row(void *context, int64_t r, int worker)
{
  const job *j = context;
  const rows *own = j->node->settings;
  const cb_graph_shape *x = j->call->in[0];
  const void *scales = j->call->x[1], *shifts = j->node->inputs > 2 ? j->call->x[2] : NULL;
  double sum = 0, squares = 0;
  int64_t from = r * own->n;
  (void)worker;
  for (int64_t i = 0; i < own->n; i++) sum += cb_onnx_real_at(x, j->call->x[0], from + i);
  double mean = sum / (double)own->n;
  for (int64_t i = 0; i < own->n; i++) {
    double z = cb_onnx_real_at(x, j->call->x[0], from + i) - mean;
    squares += z * z;
  }
  double factor = 1 / sqrt(squares / (double)own->n + j->epsilon);
  for (int64_t i = 0; i < own->n; i++) {
    int64_t at = own->repeat ? r % own->repeat : i;
    double z = (cb_onnx_real_at(x, j->call->x[0], from + i) - mean) * factor * cb_onnx_real_at(x, scales, at);
    put(x->type, j->call->y[0], from + i, shifts ? z + cb_onnx_real_at(x, shifts, at) : z);
  }
  double saved[] = {mean, factor};
  for (int k = 1; k < j->node->outputs; k++)
    if (j->call->y[k]) put(j->call->out[k]->type, j->call->y[k], r, saved[k - 1]);
}

static cnnblas_status run_rows(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const rows *own = node->settings;
  job j = {node, call, cb_onnx_float(node, "epsilon", 1e-5)};
  cnnblas_shared_parallel(call->in[0]->elements > 4096 ? call->threads : 1, own->rows, normalise_row, &j);
  return CNNBLAS_OK;
}

/* ---- LRN ---- */

static cnnblas_status infer_lrn(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  cnnblas_status status = cb_onnx_need_real(node, s, 0);
  if (!status && (s->in[0]->rank < 2 || cb_onnx_int(node, "size", 0) < 1))
    status = cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its size or its input's rank");
  return status ? status : cb_onnx_same(node, s);
}

static void lrn_pixels(void *context, int64_t task, int worker)
{
  const job *j = context;
  const cb_graph_shape *x = j->call->in[0];
  int64_t c = x->size[1], pixels = cb_onnx_product(x, 2, x->rank), n = task / c, at = task % c;
  int64_t size = cb_onnx_int(j->node, "size", 1), first = cb_max(0, at - (size - 1) / 2);
  int64_t last = cb_min(c - 1, at + cb_min(c, size / 2));
  double alpha = cb_onnx_float(j->node, "alpha", 1e-4) / (double)size, beta = cb_onnx_float(j->node, "beta", 0.75);
  double bias = cb_onnx_float(j->node, "bias", 1);
  (void)worker;
  for (int64_t p = 0; p < pixels; p++) {
    double squares = 0;
    for (int64_t i = first; i <= last; i++) {
      double z = cb_onnx_real_at(x, j->call->x[0], (n * c + i) * pixels + p);
      squares += z * z;
    }
    int64_t to = (n * c + at) * pixels + p;
    put(x->type, j->call->y[0], to, cb_onnx_real_at(x, j->call->x[0], to) / pow(bias + alpha * squares, beta));
  }
}

static cnnblas_status run_lrn(const cb_onnx_node *node, const cb_onnx_call *call)
{
  job j = {node, call, 0};
  if (call->in[0]->elements)
    cnnblas_shared_parallel(call->threads, call->in[0]->size[0] * call->in[0]->size[1], lrn_pixels, &j);
  return CNNBLAS_OK;
}

const cb_onnx_operator cb_onnx_normalise_rows[] = {
    {"BatchNormalization", 6, CB_ONNX_NEWEST, 5, 5, 5, 0, 0, infer_batch, NULL, run_batch, NULL},
    {"InstanceNormalization", 6, CB_ONNX_NEWEST, 3, 3, 1, 0, sizeof(rows), infer_instance, NULL, run_rows, NULL},
    {"LayerNormalization", 17, CB_ONNX_NEWEST, 2, 3, 3, 0, sizeof(rows), infer_layer, NULL, run_rows, NULL},
    {"LRN", 1, CB_ONNX_NEWEST, 1, 1, 1, 0, 0, infer_lrn, NULL, run_lrn, NULL},
    {0}};
