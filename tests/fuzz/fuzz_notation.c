/* The network notation: whatever the text, an error that names a column or a design whose every layer can be asked for. */
#include "fuzz.h"
#include <cnnblas/net.h>
#include <string.h>

static void ask(const cnnblas_net *net)
{
  cnnblas_net_info info;
  size_t needed;
  char table[4096];
  CHECK(cnnblas_net_get_info(net, &info) == CNNBLAS_OK, "%s", cnnblas_last_error());
  CHECK(info.layers > 0 && info.classes > 0 && info.allocated_bytes == 0, "%lld layers", (long long)info.layers);
  int64_t parameters = 0;
  for (int64_t i = 0; i < info.layers; i++) {
    cnnblas_net_layer_info layer;
    CHECK(cnnblas_net_get_layer(net, i, &layer) == CNNBLAS_OK, "layer %lld", (long long)i);
    parameters += layer.weights + layer.biases;
  }
  CHECK(parameters == info.parameters, "%lld, not %lld", (long long)parameters, (long long)info.parameters);
  int64_t elements = 0;
  for (int64_t i = 0; i < info.tensors; i++) {
    cnnblas_net_tensor tensor;
    CHECK(cnnblas_net_get_tensor(net, i, &tensor) == CNNBLAS_OK && !tensor.value, "tensor %lld", (long long)i);
    elements += tensor.elements;
  }
  CHECK(elements == info.parameters, "%lld, not %lld", (long long)elements, (long long)info.parameters);
  CHECK(cnnblas_net_describe(net, table, sizeof table, &needed) == CNNBLAS_OK, "%s", cnnblas_last_error());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = malloc(size + 1);
  if (!text) return 0;
  memcpy(text, data, size);
  text[size] = 0;
  cnnblas_net *net = NULL;
  cnnblas_net_options options = {.mode = CNNBLAS_NET_DESIGN, .batch = 3, .threads = 1, .packed_weights = 1};
  if (cnnblas_net_create(text, &options, &net) == CNNBLAS_OK)
    ask(net);
  else
    CHECK(!net && cnnblas_last_error()[0], "an error without a message");
  cnnblas_net_destroy(net);
  free(text);
  return 0;
}
