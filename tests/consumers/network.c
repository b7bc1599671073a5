/* A user of networks from text: C11 and C++17. Exit status 0 if the network has the size that arithmetic gives it. */
#include <cnnblas/net.h>
#include <stdio.h>

int main(void)
{
  cnnblas_net *net = NULL;
  cnnblas_net_info info;
  const int64_t parameters = 2 * 9 + 2 + 3 * (2 * 16) + 3; /* 3x3 filters on 1 channel, then 2 x 4 x 4 to 3 classes */

  if (cnnblas_net_create("INPUT 1x4x4 -> CONV 2@3x3 pad same -> RELU -> FC 3", NULL, &net) != CNNBLAS_OK ||
      cnnblas_net_get_info(net, &info) != CNNBLAS_OK) {
    fprintf(stderr, "%s\n", cnnblas_last_error());
    return 1;
  }
  printf("%lld parameters\n", (long long)info.parameters);
  cnnblas_net_destroy(net);
  return info.parameters == parameters ? 0 : 1;
}
