/* Running a prepared call: the last step that every public call and the measuring of plans share. */
#ifndef CB_CONV_EXECUTE_H
#define CB_CONV_EXECUTE_H

#include "conv/row.h"

/* Runs call, whose arrays are valid, with the plan's workspace (of cnnblas_conv_plan_workspace bytes, any alignment); NULL:
   with one of its own, or CNNBLAS_OUT_OF_MEMORY. */
cnnblas_status cb_execute(cb_call *call, void *workspace);

#endif
