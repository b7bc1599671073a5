/* Safetensors files, and the model or checkpoint that one may be: every tensor lies inside the file. */
#include "checkpoint.h"
#include "fuzz.h"
#include "io/safetensors.h"
#include "io/system.h"
#include "model.h"
#include <stdbool.h>

static void as_model(const st_file *file)
{
  io_error error = {{0}};
  cnnblas_net *net = NULL;
  const model_use use = {.mode = CNNBLAS_NET_INFERENCE, .threads = 1};
  if (model_make("input", file, &use, &net, NULL, &error)) CHECK(!net && error.text[0], "an error without a message");
  cnnblas_net_destroy(net);
  if (!model_is_checkpoint(file)) return;
  train_settings settings;
  train_state state = {0};
  if (!model_read_run("input", file, &settings, &state, &error)) settings_free(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static bool prepared;
  if (!prepared) io_use_json();
  prepared = true;
  st_file file = {0};
  io_error error = {{0}};
  if (st_parse("input", data, size, &file, &error) == IO_OK) {
    for (size_t i = 0; i < file.count; i++) {
      const st_tensor *t = &file.tensors[i];
      const uint8_t *at = t->data;
      CHECK(!t->bytes || (at >= data && t->bytes <= size && at + t->bytes <= data + size), "%s is outside", t->name);
    }
    as_model(&file);
  } else {
    CHECK(error.text[0], "an error without a message");
  }
  st_free(&file);
  return 0;
}
