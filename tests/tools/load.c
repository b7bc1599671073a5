/*
 * What cnnblas_net_load says of files, a line each: "0 fine", or the status and the message.
 *
 *   cnnblas_load FILE...
 */
#include <cnnblas/net_model.h>
#include <stdio.h>

int main(int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    cnnblas_net *net = NULL;
    cnnblas_status status = cnnblas_net_load(argv[i], NULL, &net);
    printf("%d %s\n", (int)status, status ? cnnblas_last_error() : "fine");
    cnnblas_net_destroy(net);
  }
  return 0;
}
