/* The one list of activation functions: their names, and the check of what a caller passes. */
#ifndef CB_BASE_ACTIVATION_KINDS_H
#define CB_BASE_ACTIVATION_KINDS_H

#include <cnnblas/activation.h>
#include <stdbool.h>

/* "RELU"; NULL for a value that names none. */
const char *cb_activation_name(cnnblas_activation_kind kind);

/* Whether the gradient is computed from x; the others' is from y. */
bool cb_activation_needs_x(cnnblas_activation_kind kind);

/* Copies *wanted (NULL: the identity) to *found with the defaults of its parameters filled in. CNNBLAS_INVALID_ARGUMENT for no
   kind or a parameter out of its range. */
cnnblas_status cb_activation_check(const cnnblas_activation *wanted, cnnblas_activation *found);

#endif
