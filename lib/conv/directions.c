/* The directions' names, for messages, files and whoever reads them. */
#include <cnnblas/conv.h>
#include <stddef.h>

const char *cnnblas_conv_direction_name(cnnblas_conv_direction direction)
{
  static const char *const names[] = {
      [CNNBLAS_FORWARD] = "forward",
      [CNNBLAS_BACKWARD_DATA] = "backward_data",
      [CNNBLAS_BACKWARD_WEIGHTS] = "backward_weights",
  };
  return (unsigned)direction < sizeof names / sizeof *names ? names[direction] : NULL;
}
