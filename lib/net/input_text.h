/* The INPUT that a network's text begins with. */
#ifndef CB_NET_INPUT_TEXT_H
#define CB_NET_INPUT_TEXT_H

#include "net/layer.h"

/* The text with another size behind INPUT, which cnnblas_shared_free frees; NULL without memory. */
char *cb_text_with_input(const char *text, int rank, int64_t c, const int64_t *size);

#endif
