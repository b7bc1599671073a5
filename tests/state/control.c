/* One call of a function that plant.c replaces. */
#include <cnnblas/conv.h>

int main(void)
{
  cnnblas_conv_desc desc = {.n = 1, .c = 1, .k = 1, .size = {3, 3}, .kernel = {2, 2}};
  cnnblas_conv_shape shape;
  return cnnblas_conv_get_shape(&desc, &shape) != CNNBLAS_OK;
}
