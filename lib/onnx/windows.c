/* Windows of convolutions and pools; see windows.h. */
#include "onnx/windows.h"

static cnnblas_status axes(const cb_onnx_node *node, const char *name, int rank, int64_t otherwise, int64_t *values)
{
  int count;
  cnnblas_status status = cb_onnx_ints(node, name, values, 3, &count);
  if (status) return status;
  if (count && count != rank)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "%s has %d numbers of %d", name, count, rank);
  for (int i = 0; i < rank; i++) {
    if (!count) values[i] = otherwise;
    if (values[i] < 1 || values[i] > INT32_MAX)
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "%s has %lld", name, (long long)values[i]);
  }
  return CNNBLAS_OK;
}

/* Pads with as many zeros as keep size / stride; the odd zero is in front with `lower`. */
static void same(cb_onnx_windows *w, bool lower)
{
  for (int i = 0; i < w->rank; i++) {
    int64_t covered =
        (cb_ceil_div(w->size[i], w->stride[i]) - 1) * w->stride[i] + (w->kernel[i] - 1) * w->dilation[i] + 1;
    int64_t zeros = cb_max(0, covered - w->size[i]);
    w->begin[i] = lower ? zeros - zeros / 2 : zeros / 2;
    w->end[i] = zeros - w->begin[i];
  }
}

cnnblas_status cb_onnx_windows_read(const cb_onnx_node *node, const cb_graph_shape *x, const int64_t *kernel,
                                    bool transposed, cb_onnx_windows *w)
{
  *w = (cb_onnx_windows){.rank = x->rank - 2};
  if (w->rank < 1 || w->rank > 3)
    return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "an input of rank %d; it must be 3 to 5", x->rank);
  cnnblas_status status = axes(node, "kernel_shape", w->rank, 0x7fffffff, w->kernel);
  if (!status) status = axes(node, "strides", w->rank, 1, w->stride);
  if (!status) status = axes(node, "dilations", w->rank, 1, w->dilation);
  if (status) return status;
  if (!kernel && !cb_onnx_attribute(node, "kernel_shape"))
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "it has no kernel_shape");
  for (int i = 0; i < w->rank; i++) {
    w->size[i] = x->size[2 + i];
    if (kernel && cb_onnx_attribute(node, "kernel_shape") && w->kernel[i] != kernel[i])
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "kernel_shape is not that of its weights");
    if (kernel) w->kernel[i] = kernel[i];
    if (w->size[i] < 1 || w->kernel[i] < 1 || w->size[i] > INT32_MAX || w->kernel[i] > INT32_MAX)
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "an axis of %lld elements and a window of %lld",
                               (long long)w->size[i], (long long)w->kernel[i]);
  }
  if (cb_onnx_is(node, "auto_pad", "VALID", "NOTSET")) return CNNBLAS_OK;
  if (!cb_onnx_is(node, "auto_pad", "NOTSET", "NOTSET")) {
    if (!transposed) same(w, cb_onnx_is(node, "auto_pad", "SAME_LOWER", "NOTSET"));
    return CNNBLAS_OK;
  }
  int64_t pads[6];
  int count;
  status = cb_onnx_ints(node, "pads", pads, 6, &count);
  if (status) return status;
  if (count && count != 2 * w->rank)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "pads has %d numbers of %d", count, 2 * w->rank);
  for (int i = 0; i < w->rank && count; i++) {
    w->begin[i] = pads[i];
    w->end[i] = pads[w->rank + i];
  }
  return CNNBLAS_OK;
}
