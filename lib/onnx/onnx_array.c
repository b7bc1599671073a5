/* Arrays from files of one TensorProto, as ONNX's test data have them. */
#include "base/shared.h"
#include "onnx/proto_tensor.h"
#include "onnx/wire.h"
#include <string.h>

/* Copies an array into one piece of memory, freed as one: its elements, and the name behind them. */
static cnnblas_status copy(const CbOnnx__TensorProto *t, const cb_graph_shape *s, const void *data,
                           cnnblas_onnx_array *array)
{
  size_t bytes = (size_t)s->elements * cnnblas_graph_type_bytes(s->type), length = t->name ? strlen(t->name) + 1 : 0;
  char *piece = cnnblas_shared_alloc(bytes + length + 1, 0);
  if (!piece) return cnnblas_shared_no_memory(bytes + length, "an array");
  if (bytes) memcpy(piece, data, bytes);
  if (length) memcpy(piece + bytes, t->name, length);
  *array = (cnnblas_onnx_array){.type = cb_onnx_public_type(s->type), .rank = s->rank, .data = piece};
  array->name = length > 1 ? piece + bytes : NULL;
  for (int i = 0; i < s->rank; i++) array->size[i] = s->size[i];
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_onnx_array_load(const char *path, cnnblas_onnx_array *array)
{
  cb_onnx_message m = {0};
  cb_graph_shape shape;
  const void *data;
  void *bytes = NULL, *owned = NULL;
  size_t count;
  if (!path || !array) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "path or array is NULL");
  cnnblas_status status = cb_onnx_read_file(path, 0, SIZE_MAX, &bytes, &count);
  if (!status) status = cb_onnx_unpack(&m, &cb_onnx__tensor_proto__descriptor, bytes, count, path);
  if (!status) status = cb_onnx_tensor_read((const CbOnnx__TensorProto *)m.message, NULL, &shape, &data, &owned);
  if (!status) status = copy((const CbOnnx__TensorProto *)m.message, &shape, data, array);
  cnnblas_shared_free(bytes);
  cnnblas_shared_free(owned);
  cb_onnx_message_free(&m);
  return status;
}

void cnnblas_onnx_array_free(cnnblas_onnx_array *array)
{
  if (!array) return;
  cnnblas_shared_free((void *)array->data);
  memset(array, 0, sizeof *array);
}
