/* The names of directions and of accuracy policies, for messages, files and whoever reads them. */
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

const char *cnnblas_accuracy_policy_name(cnnblas_accuracy_policy policy)
{
  static const char *const names[] = {
      [CNNBLAS_ACCURACY_DEFAULT] = "default",
      [CNNBLAS_ACCURACY_EXACT] = "exact",
      [CNNBLAS_ACCURACY_RELAXED] = "relaxed",
  };
  return (unsigned)policy < sizeof names / sizeof *names ? names[policy] : NULL;
}
