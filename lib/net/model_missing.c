/* Model files in a build without jansson, which reads and writes their headers. */
#include "base/shared.h"
#include <cnnblas/net_model.h>

static cnnblas_status missing(void)
{
  return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED, "this build has no model files: libjansson-dev was missing");
}

cnnblas_status cnnblas_net_load(const char *path, const cnnblas_net_options *options, cnnblas_net **net)
{
  (void)path;
  (void)options;
  (void)net;
  return missing();
}

cnnblas_status cnnblas_net_save(const cnnblas_net *net, const char *path)
{
  (void)net;
  (void)path;
  return missing();
}
