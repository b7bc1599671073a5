/* The update of parameters that follows a gradient. */
#ifndef CB_NET_UPDATE_H
#define CB_NET_UPDATE_H

#include <cnnblas/net.h>

/* Checks what gradient and update both look at: nothing is computed for a step that the other would refuse. The
   optimiser's numbers are checked where they are used. */
cnnblas_status cb_net_check_step(const cnnblas_net_step *step);

#endif
