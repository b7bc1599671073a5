/* The control of the wrappers: a function that does change its caller's state. Preloaded behind libstate. */
#define _GNU_SOURCE
#include <cnnblas/conv.h>
#include <dlfcn.h>
#include <fenv.h>

cnnblas_status cnnblas_conv_get_shape(const cnnblas_conv_desc *desc, cnnblas_conv_shape *shape)
{
  cnnblas_status (*real)(const cnnblas_conv_desc *, cnnblas_conv_shape *);
  *(void **)&real = dlsym(RTLD_NEXT, "cnnblas_conv_get_shape");
  cnnblas_status status = real(desc, shape);
  fesetround(FE_UPWARD);
  return status;
}
