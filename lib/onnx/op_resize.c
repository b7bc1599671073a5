/* Resize and Upsample: they go axis by axis; each output element is a sum of one, two or four of the input's. */
#include "onnx/rows.h"
#include <math.h>
#include <string.h>

typedef struct {
  int rank;
  double scale[CB_GRAPH_RANK], from[CB_GRAPH_RANK],
      to[CB_GRAPH_RANK]; /* from, to: tf_crop_and_resize's part of the input */
  bool changes[CB_GRAPH_RANK];
} resizing;

static cnnblas_status read_scales(const cb_onnx_node *node, const cb_onnx_shapes *s, double *scales, int64_t *sizes,
                                  int *scale_count, int *size_count)
{
  *size_count = 0;
  if (!strcmp(node->op->name, "Upsample")) {
    if (node->version >= 9) return cb_onnx_known_reals(node, s, 1, scales, CB_GRAPH_RANK, scale_count);
    const CbOnnx__AttributeProto *a = cb_onnx_attribute(node, "scales");
    *scale_count = a && a->n_floats <= CB_GRAPH_RANK ? (int)a->n_floats : 0;
    for (int i = 0; i < *scale_count; i++) scales[i] = a->floats[i];
    return CNNBLAS_OK;
  }
  if (node->version < 11) return cb_onnx_known_reals(node, s, 1, scales, CB_GRAPH_RANK, scale_count);
  cnnblas_status status = cb_onnx_known_reals(node, s, 2, scales, CB_GRAPH_RANK, scale_count);
  return status ? status : cb_onnx_known_ints(node, s, 3, sizes, CB_GRAPH_RANK, size_count);
}

static cnnblas_status infer(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  resizing *own = node->settings;
  const cb_graph_shape *x = s->in[0];
  double roi[2 * CB_GRAPH_RANK], scales[CB_GRAPH_RANK];
  int64_t sizes[CB_GRAPH_RANK];
  int scale_count, size_count, roi_count = 0;
  cnnblas_status status = read_scales(node, s, scales, sizes, &scale_count, &size_count);
  bool crops = cb_onnx_is(node, "coordinate_transformation_mode", "tf_crop_and_resize", "");
  if (!status && crops) status = cb_onnx_known_reals(node, s, 1, roi, 2 * CB_GRAPH_RANK, &roi_count);
  if (status) return status;
  if ((scale_count != x->rank) == (size_count != x->rank) || (crops && roi_count != 2 * x->rank))
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its scales, sizes or region do not fit its input");
  if (!cb_onnx_is_real(x->type) && !cb_onnx_is(node, "mode", "nearest", "nearest"))
    return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "an input of this type");
  own->rank = x->rank;
  s->out[0] = *x;
  for (int i = 0; i < x->rank; i++) {
    own->from[i] = crops ? roi[i] : 0;
    own->to[i] = crops ? roi[x->rank + i] : 1;
    double size = size_count ? (double)sizes[i] : floor((double)x->size[i] * (own->to[i] - own->from[i]) * scales[i]);
    if (!(size >= 0 && size < 0x1p62) || (size > 0 && !x->size[i]))
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "axis %d cannot become %g elements", i, size);
    s->out[0].size[i] = (int64_t)size;
    own->scale[i] = size_count ? size / (double)x->size[i] : scales[i];
    own->changes[i] = s->out[0].size[i] != x->size[i] || own->scale[i] != 1 || crops;
  }
  return CNNBLAS_OK;
}

/* ---- where an output element comes from ---- */

enum { TAPS = 4 };

typedef struct {
  int64_t at[TAPS];
  double weight[TAPS];
  int count;
  bool outside; /* true: the place lies outside tf_crop_and_resize's input */
} taps;

static double place(const cb_onnx_node *node, const resizing *own, int axis, int64_t in, int64_t out, int64_t i)
{
  const char *name = "coordinate_transformation_mode";
  bool half = node->version >= 11 && !strcmp(node->op->name, "Resize");
  const char *otherwise = half ? "half_pixel" : "asymmetric";
  double x = (double)i, scale = own->scale[axis];
  if (cb_onnx_is(node, name, "asymmetric", otherwise)) return x / scale;
  if (cb_onnx_is(node, name, "align_corners", otherwise)) { /* the size before rounding, as in ONNX's reference */
    double size = scale * (double)in;
    return size != 1 ? x * (double)(in - 1) / (size - 1) : 0;
  }
  if (cb_onnx_is(node, name, "pytorch_half_pixel", otherwise)) return out > 1 ? (x + 0.5) / scale - 0.5 : 0;
  if (cb_onnx_is(node, name, "tf_half_pixel_for_nn", otherwise)) return (x + 0.5) / scale;
  if (cb_onnx_is(node, name, "tf_crop_and_resize", otherwise)) {
    double from = own->from[axis] * (double)(in - 1), to = own->to[axis] * (double)(in - 1);
    return out > 1 ? from + x * (to - from) / (double)(out - 1) : 0.5 * (from + to);
  }
  return (x + 0.5) / scale - 0.5;
}

static double nearest(const cb_onnx_node *node, double x)
{
  const char *otherwise = node->version >= 11 && !strcmp(node->op->name, "Resize") ? "round_prefer_floor" : "floor";
  if (cb_onnx_is(node, "nearest_mode", "floor", otherwise)) return floor(x);
  if (cb_onnx_is(node, "nearest_mode", "ceil", otherwise)) return ceil(x);
  if (cb_onnx_is(node, "nearest_mode", "round_prefer_ceil", otherwise)) return floor(x + 0.5);
  return ceil(x - 0.5);
}

/* The weight of Keys' cubic convolution at distance t. */
static double cubic(double a, double t)
{
  t = fabs(t);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

static int64_t clamp(double x, int64_t size)
{
  return x <= 0 ? 0 : x >= (double)(size - 1) ? size - 1 : (int64_t)x;
}

static taps find_taps(const cb_onnx_node *node, const resizing *own, int axis, int64_t in, int64_t out, int64_t i)
{
  double x = place(node, own, axis, in, out, i), first = floor(x);
  bool crops = cb_onnx_is(node, "coordinate_transformation_mode", "tf_crop_and_resize", "");
  taps t = {.count = 1, .weight = {1}, .outside = crops && (x < 0 || x > (double)(in - 1))};
  if (cb_onnx_is(node, "mode", "nearest", "nearest")) {
    t.at[0] = clamp(nearest(node, x), in);
  } else if (cb_onnx_is(node, "mode", "cubic", "nearest")) {
    double a = cb_onnx_float(node, "cubic_coeff_a", -0.75), sum = 0;
    bool exclude = cb_onnx_int(node, "exclude_outside", 0) != 0;
    t.count = 4;
    for (int k = 0; k < 4; k++) {
      double at = first - 1 + k;
      t.at[k] = clamp(at, in);
      t.weight[k] = exclude && (at < 0 || at > (double)(in - 1)) ? 0 : cubic(a, x - at);
      sum += t.weight[k];
    }
    for (int k = 0; k < 4 && exclude; k++) t.weight[k] /= sum;
  } else {
    t.count = 2;
    t.at[0] = clamp(first, in);
    t.at[1] = clamp(first + 1, in);
    t.weight[1] = x - first;
    t.weight[0] = 1 - t.weight[1];
  }
  return t;
}

/* ---- one axis ---- */

typedef struct {
  const cb_onnx_node *node;
  const resizing *own;
  cb_graph_type type;
  int axis;
  int64_t in, out, inner, outer; /* the axis's size before and after; elements behind it; in front of it */
  const void *x;
  void *y;
} job;

#define SUM(type, x, y)                                                                                                \
  for (int64_t p = 0; p < j->inner; p++) {                                                                             \
    double sum = 0;                                                                                                    \
    for (int k = 0; k < t.count; k++) sum += t.weight[k] * (double)((const type *)(x))[t.at[k] * j->inner + p];        \
    ((type *)(y))[p] = t.outside ? (type)beyond : (type)sum;                                                           \
  }

/* Computes element i of the axis for all places in front of and behind it. */
static void resize_element(void *context, int64_t i, int worker)
{
  const job *j = context;
  taps t = find_taps(j->node, j->own, j->axis, j->in, j->out, i);
  double beyond = cb_onnx_float(j->node, "extrapolation_value", 0);
  size_t each = cnnblas_graph_type_bytes(j->type);
  (void)worker;
  for (int64_t o = 0; o < j->outer; o++) {
    const char *x = (const char *)j->x + (size_t)(o * j->in * j->inner) * each;
    char *y = (char *)j->y + (size_t)((o * j->out + i) * j->inner) * each;
    if (t.count == 1 && !t.outside)
      memcpy(y, x + (size_t)(t.at[0] * j->inner) * each, (size_t)j->inner * each);
    else if (j->type == CB_GRAPH_F32)
      SUM(float, x, y)
    else if (j->type == CB_GRAPH_F64)
      SUM(double, x, y)
    else
      memset(y, 0, (size_t)j->inner * each);
  }
}

/* *bytes = the bytes of the largest array between one axis and the next; two of them are needed. */
static cnnblas_status between(const cb_onnx_node *node, const cb_graph_shape *in, const cb_graph_shape *out,
                              size_t *bytes)
{
  const resizing *own = node->settings;
  int64_t most = 0, elements;
  cb_graph_shape now = *in;
  for (int a = 0; a < own->rank; a++) {
    now.size[a] = out->size[a];
    elements = 1;
    for (int i = 0; i < own->rank; i++)
      if (!cb_mul(elements, now.size[i], &elements) || elements > INT64_MAX / 64)
        return cb_onnx_node_fail(node, CNNBLAS_SIZE_OVERFLOW, "its bytes do not fit in 63 bits");
    most = cb_max(most, elements);
  }
  *bytes = (size_t)cb_round_up(most * (int64_t)cnnblas_graph_type_bytes(in->type), CB_GRAPH_ALIGN);
  return CNNBLAS_OK;
}

static cnnblas_status prepare(cb_onnx_node *node, const cb_onnx_setup *setup, const cb_onnx_shapes *s,
                              size_t *workspace)
{
  size_t bytes = 0;
  (void)setup;
  cnnblas_status status = between(node, s->in[0], &s->out[0], &bytes);
  *workspace = 2 * bytes;
  return status;
}

static void resize_axes(const cb_onnx_node *node, const cb_onnx_call *call, char *room, size_t bytes)
{
  const resizing *own = node->settings;
  cb_graph_shape now = *call->in[0];
  const void *x = call->x[0];
  int left = 0, turn = 0;
  for (int a = 0; a < own->rank; a++) left += own->changes[a];
  for (int a = 0; a < own->rank; a++) {
    if (!own->changes[a]) continue;
    void *y = --left ? room + (turn++ % 2 ? bytes : 0) : call->y[0];
    job j = {node,
             own,
             now.type,
             a,
             now.size[a],
             call->out[0]->size[a],
             cb_onnx_product(&now, a + 1, now.rank),
             cb_onnx_product(&now, 0, a),
             x,
             y};
    cnnblas_shared_parallel(j.out * j.inner * j.outer > 8192 ? call->threads : 1, j.out, resize_element, &j);
    now.size[a] = j.out;
    x = y;
  }
  if (x == call->x[0]) memcpy(call->y[0], x, cb_onnx_bytes(call->in[0]));
}

static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  size_t bytes;
  cnnblas_status status = between(node, call->in[0], call->out[0], &bytes);
  if (status || !call->out[0]->elements) return status;
  char *own_room = call->workspace ? NULL : cnnblas_shared_alloc(2 * bytes, 0); /* folded nodes have no workspace */
  if (!call->workspace && !own_room) return cnnblas_shared_no_memory(2 * bytes, "a resized array");
  resize_axes(node, call, call->workspace ? call->workspace : own_room, bytes);
  cnnblas_shared_free(own_room);
  return CNNBLAS_OK;
}

const cb_onnx_operator cb_onnx_resize_rows[] = {
    {"Resize", 10, CB_ONNX_NEWEST, 1, 4, 1, 0, sizeof(resizing), infer, prepare, run, NULL},
    {"Upsample", 7, 9, 1, 2, 1, 0, sizeof(resizing), infer, prepare, run, NULL},
    {0}};
