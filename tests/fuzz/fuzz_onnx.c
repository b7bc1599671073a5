/* ONNX models: whatever the bytes are, they load or are refused with a sentence; what loads in a small size runs. */
#include "fuzz.h"
#include <cnnblas/onnx.h>

enum { MOST = 4096 /* elements of an input */ };

/* Sizes that the model leaves open become 1; false if the input is too large to try. */
static int small(cnnblas_onnx_array *a)
{
  int64_t n = 1;
  for (int i = 0; i < a->rank; i++) {
    if (a->size[i] < 0) a->size[i] = 1;
    if (a->size[i] > MOST || (n *= a->size[i]) > MOST) return 0;
  }
  return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const double zeros[MOST];
  const cnnblas_onnx_options options = {.threads = 1};
  cnnblas_onnx *model = NULL;
  cnnblas_onnx_info info;
  if (cnnblas_onnx_load_bytes(data, size, &options, &model)) {
    CHECK(!model && *cnnblas_last_error(), "an error without a message");
    return 0;
  }
  CHECK(!cnnblas_onnx_get_info(model, &info), "%s", cnnblas_last_error());
  cnnblas_onnx_array inputs[8], output = {0};
  int tries = info.inputs <= 8 && info.outputs && info.block_bytes < 1 << 24;
  for (int64_t i = 0; i < info.inputs && tries; i++) {
    CHECK(!cnnblas_onnx_get_input(model, i, &inputs[i]), "%s", cnnblas_last_error());
    tries = small(&inputs[i]);
    inputs[i].name = NULL;
    inputs[i].data = zeros;
  }
  if (tries) cnnblas_onnx_run(model, inputs, info.inputs, &output, 1);
  cnnblas_onnx_destroy(model);
  return 0;
}
