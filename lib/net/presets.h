/* Networks by their names: NET resnet20. */
#ifndef CB_NET_PRESETS_H
#define CB_NET_PRESETS_H

#include <cnnblas/net.h>

/*
 * *made = the notation of the preset that text names, with INPUT and the last FC bare where the options give the data, or else the
 * paper's; the caller frees it. NULL if text names none and is a notation itself. CNNBLAS_BAD_FORMAT for a name that no preset has.
 */
cnnblas_status cb_net_expand_preset(const char *text, const cnnblas_net_options *options, char **made);

#endif
