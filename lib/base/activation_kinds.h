/* The one list of activation functions: their names, and the check of what a caller passes. */
#ifndef CB_BASE_ACTIVATION_KINDS_H
#define CB_BASE_ACTIVATION_KINDS_H

#include <cnnblas/activation.h>
#include <stdbool.h>

/* A kind's name, "RELU"; NULL for a value that names no kind. */
const char *cb_activation_name(cnnblas_activation_kind kind);

/* Whether the kind's gradient is computed from x; that of the others is computed from y. */
bool cb_activation_needs_x(cnnblas_activation_kind kind);

/* Copies *wanted (NULL: the identity) to *found with the defaults of its parameters filled in. CNNBLAS_INVALID_ARGUMENT
   for no kind or a parameter out of its range. */
cnnblas_status cb_activation_check(const cnnblas_activation *wanted, cnnblas_activation *found);

#endif
