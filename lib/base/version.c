/* The running library's version as text. */
#include <cnnblas/version.h>

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

const char *cnnblas_version_string(void)
{
  return TEXT(CNNBLAS_VERSION_MAJOR) "." TEXT(CNNBLAS_VERSION_MINOR) "." TEXT(CNNBLAS_VERSION_PATCH);
}
