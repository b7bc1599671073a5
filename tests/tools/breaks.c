/*
 * The cnnblas command, linked so that a chosen training step is met by a signal: the linker sends cnnblas_net_train_step
 * in here (--wrap, see meson.build).
 *
 *   CNNBLAS_TEST_BREAK="STEP NUMBER TIMES"   in this process's training step STEP (from 1) signal NUMBER comes TIMES times
 *
 * Without the variable, or with fewer steps than that, it is the command as it is.
 */
#include <cnnblas/net.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static long step;

cnnblas_status __real_cnnblas_net_train_step(cnnblas_net *net, const cnnblas_net_step *batch,
                                             cnnblas_net_result *result);
cnnblas_status __wrap_cnnblas_net_train_step(cnnblas_net *net, const cnnblas_net_step *batch,
                                             cnnblas_net_result *result);
cnnblas_status __wrap_cnnblas_net_train_step(cnnblas_net *net, const cnnblas_net_step *batch,
                                             cnnblas_net_result *result)
{
  long wanted;
  int number, times;
  const char *text = getenv("CNNBLAS_TEST_BREAK");
  step++;
  if (text && sscanf(text, "%ld %d %d", &wanted, &number, &times) == 3 && step == wanted)
    while (times-- > 0) raise(number); /* a handler has run when raise returns */
  return __real_cnnblas_net_train_step(net, batch, result);
}
