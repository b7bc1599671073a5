/* Running a prepared call: the last step that every public call and the measuring of plans share. */
#ifndef CB_CONV_EXECUTE_H
#define CB_CONV_EXECUTE_H

#include "conv/row.h"

/* Runs a call whose arrays are valid. workspace has cnnblas_conv_plan_workspace bytes, at any alignment; if it is NULL
   the call allocates its own, or fails with CNNBLAS_OUT_OF_MEMORY. */
cnnblas_status cb_execute(cb_call *call, void *workspace);

#endif
