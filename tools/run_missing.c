/* `cnnblas run` where libcnnblas_onnx was left out of the build. */
#include "command.h"

int command_run(int argc, char **argv)
{
  (void)argc;
  (void)argv;
  return command_fail(COMMAND_USAGE,
                      "built without libcnnblas_onnx, which needs libprotobuf-c-dev, protobuf-c-compiler and "
                      "libonnx-dev");
}
