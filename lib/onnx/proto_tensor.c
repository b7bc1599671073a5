/* Arrays in ONNX's format; see proto_tensor.h. */
#include "onnx/proto_tensor.h"
#include "base/shared.h"
#include "base/size.h"
#include "onnx/wire.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { F16 = CB_ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16, BF16 = CB_ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16 };

static const struct {
  cnnblas_onnx_type number;
  const char *name;
} types[CB_GRAPH_TYPES] = {[CB_GRAPH_F32] = {CNNBLAS_ONNX_F32, "f32"}, [CB_GRAPH_F64] = {CNNBLAS_ONNX_F64, "f64"},
                           [CB_GRAPH_I32] = {CNNBLAS_ONNX_I32, "i32"}, [CB_GRAPH_I64] = {CNNBLAS_ONNX_I64, "i64"},
                           [CB_GRAPH_U8] = {CNNBLAS_ONNX_U8, "u8"},    [CB_GRAPH_BOOL] = {CNNBLAS_ONNX_BOOL, "bool"}};

cb_graph_type cb_onnx_core_type(int64_t number)
{
  if (number == F16 || number == BF16) return CB_GRAPH_F32;
  int i = 0;
  while (i < CB_GRAPH_TYPES && types[i].number != number) i++;
  return (cb_graph_type)i;
}

cnnblas_onnx_type cb_onnx_public_type(cb_graph_type type)
{
  return types[type].number;
}

static cb_graph_type exact(cnnblas_onnx_type type)
{
  int i = 0;
  while (i < CB_GRAPH_TYPES && types[i].number != type) i++;
  return (cb_graph_type)i;
}

const char *cnnblas_onnx_type_name(cnnblas_onnx_type type)
{
  cb_graph_type t = exact(type);
  return t < CB_GRAPH_TYPES ? types[t].name : NULL;
}

size_t cnnblas_onnx_type_bytes(cnnblas_onnx_type type)
{
  cb_graph_type t = exact(type);
  return t < CB_GRAPH_TYPES ? cnnblas_graph_type_bytes(t) : 0;
}

static const char *name_of(const CbOnnx__TensorProto *t)
{
  return t->name && *t->name ? t->name : "without a name";
}

static cnnblas_status read_shape(const CbOnnx__TensorProto *t, cb_graph_shape *s, size_t *stored)
{
  *s = (cb_graph_shape){.type = cb_onnx_core_type(t->data_type), .rank = (int)t->n_dims, .elements = 1};
  if (s->type == CB_GRAPH_TYPES)
    return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED, "tensor %.100s: ONNX's type %d is not supported", name_of(t),
                               (int)t->data_type);
  if (t->n_dims > CB_GRAPH_RANK)
    return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED, "tensor %.100s: rank %zu is above %d", name_of(t), t->n_dims,
                               CB_GRAPH_RANK);
  for (int i = 0; i < s->rank; i++) {
    s->size[i] = t->dims[i];
    if (s->size[i] < 0)
      return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "tensor %.100s: size %lld", name_of(t), (long long)s->size[i]);
    if (!cb_mul(s->elements, s->size[i], &s->elements))
      return cnnblas_shared_fail(CNNBLAS_SIZE_OVERFLOW, "tensor %.100s: its elements do not fit in 63 bits",
                                 name_of(t));
  }
  int64_t bytes, each = t->data_type == F16 || t->data_type == BF16 ? 2 : (int64_t)cnnblas_graph_type_bytes(s->type);
  if (!cb_mul(s->elements, 2 * each, &bytes))
    return cnnblas_shared_fail(CNNBLAS_SIZE_OVERFLOW, "tensor %.100s: its bytes do not fit in 63 bits", name_of(t));
  *stored = (size_t)(s->elements * each);
  return CNNBLAS_OK;
}

/* ---- external data ---- */

static const char *external(const CbOnnx__TensorProto *t, const char *key)
{
  for (size_t i = 0; i < t->n_external_data; i++) {
    const CbOnnx__StringStringEntryProto *e = t->external_data[i];
    if (e->key && e->value && !strcmp(e->key, key)) return e->value;
  }
  return NULL;
}

/* A location names a file below the folder: no way up, none from the root. */
static bool below(const char *location)
{
  if (*location == '/' || !*location) return false;
  for (const char *p = location; p; p = strchr(p, '/'), p = p ? p + 1 : NULL)
    if (!strncmp(p, "..", 2) && (p[2] == '/' || !p[2])) return false;
  return true;
}

static cnnblas_status read_external(const CbOnnx__TensorProto *t, const char *folder, size_t stored, void **owned)
{
  char path[4096];
  size_t got;
  const char *location = external(t, "location"), *offset = external(t, "offset");
  if (!location || !below(location) || !folder)
    return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "tensor %.100s: no file below the model's folder has its data",
                               name_of(t));
  if (snprintf(path, sizeof path, "%s/%s", folder, location) >= (int)sizeof path)
    return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "tensor %.100s: the path of its data is too long", name_of(t));
  unsigned long long from = offset ? strtoull(offset, NULL, 10) : 0;
  if (from > INT64_MAX) return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "tensor %.100s: offset %s", name_of(t), offset);
  return cb_onnx_read_file(path, (size_t)from, stored, owned, &got);
}

/* ---- typed data ---- */

/* The value of a half (11 bits of precision, 5 of exponent). */
static float from_half(uint16_t h)
{
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 1023, bits;
  if (exponent == 31) {
    bits = 0x7f800000 | fraction << 13;
  } else if (exponent) {
    bits = (exponent + 112) << 23 | fraction << 13;
  } else {
    float small = (float)fraction * 0x1p-24f;
    memcpy(&bits, &small, sizeof bits);
  }
  bits |= sign;
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

static float widen(int type, uint16_t h)
{
  uint32_t bits = (uint32_t)h << 16;
  float f;
  if (type == F16) return from_half(h);
  memcpy(&f, &bits, sizeof f);
  return f;
}

static size_t typed_count(const CbOnnx__TensorProto *t, cb_graph_type type)
{
  switch (type) {
  case CB_GRAPH_F32:
    return t->data_type == F16 || t->data_type == BF16 ? t->n_int32_data : t->n_float_data;
  case CB_GRAPH_F64:
    return t->n_double_data;
  case CB_GRAPH_I64:
    return t->n_int64_data;
  default:
    return t->n_int32_data;
  }
}

/* Reads elements that the message holds in a wider type into *owned. */
static cnnblas_status narrow(const CbOnnx__TensorProto *t, const cb_graph_shape *s, void **owned)
{
  int64_t n = s->elements;
  size_t bytes = (size_t)n * cnnblas_graph_type_bytes(s->type);
  if (!(*owned = cnnblas_shared_alloc(bytes ? bytes : 1, 0))) return cnnblas_shared_no_memory(bytes, "a tensor");
  for (int64_t i = 0; i < n; i++) {
    if (s->type == CB_GRAPH_F32)
      ((float *)*owned)[i] = widen((int)t->data_type, (uint16_t)t->int32_data[i]);
    else
      ((uint8_t *)*owned)[i] = (uint8_t)t->int32_data[i];
  }
  return CNNBLAS_OK;
}

static cnnblas_status read_typed(const CbOnnx__TensorProto *t, const cb_graph_shape *s, const void **data, void **owned)
{
  size_t count = typed_count(t, s->type);
  if (count != (size_t)s->elements)
    return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "tensor %.100s: %zu elements of %lld", name_of(t), count,
                               (long long)s->elements);
  if (s->type == CB_GRAPH_U8 || s->type == CB_GRAPH_BOOL ||
      (s->type == CB_GRAPH_F32 && t->data_type != CNNBLAS_ONNX_F32)) {
    cnnblas_status status = narrow(t, s, owned);
    *data = *owned;
    return status;
  }
  *data = s->type == CB_GRAPH_F32   ? (const void *)t->float_data
          : s->type == CB_GRAPH_F64 ? (const void *)t->double_data
          : s->type == CB_GRAPH_I64 ? (const void *)t->int64_data
                                    : (const void *)t->int32_data;
  return CNNBLAS_OK;
}

/* ---- all of them ---- */

/* Widens halves to floats in *owned. */
static cnnblas_status widen_all(const CbOnnx__TensorProto *t, const cb_graph_shape *s, const void *raw, void **owned)
{
  size_t bytes = (size_t)s->elements * sizeof(float);
  float *f = cnnblas_shared_alloc(bytes ? bytes : 1, 0);
  if (!f) return cnnblas_shared_no_memory(bytes, "a tensor");
  for (int64_t i = 0; i < s->elements; i++) {
    uint16_t h;
    memcpy(&h, (const char *)raw + 2 * i, sizeof h);
    f[i] = widen((int)t->data_type, h);
  }
  cnnblas_shared_free(*owned);
  *owned = f;
  return CNNBLAS_OK;
}

cnnblas_status cb_onnx_tensor_read(const CbOnnx__TensorProto *t, const char *folder, cb_graph_shape *shape,
                                   const void **data, void **owned)
{
  static const double nothing[1];
  size_t stored = 0;
  cnnblas_status status = read_shape(t, shape, &stored);
  *owned = NULL;
  if (status) return status;
  bool outside = t->has_data_location && t->data_location == CB_ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
  if (!outside && !t->has_raw_data) {
    status = read_typed(t, shape, data, owned);
  } else {
    if (outside)
      status = read_external(t, folder, stored, owned);
    else if (t->raw_data.len != stored)
      status = cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "tensor %.100s: %zu bytes; its shape needs %zu", name_of(t),
                                   t->raw_data.len, stored);
    *data = outside ? *owned : t->raw_data.data;
    if (!status && (t->data_type == F16 || t->data_type == BF16)) {
      status = widen_all(t, shape, *data, owned);
      *data = *owned;
    }
  }
  if (!status && !*data) *data = nothing; /* an empty tensor has an address too */
  if (status) {
    cnnblas_shared_free(*owned);
    *owned = NULL;
  }
  return status;
}
