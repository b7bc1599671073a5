/* The network notation's parser: groups repeated, optional pools decided, branches joined. The grammar stands in
   cnnblas/net.h. */
#ifndef CB_NET_NOTATION_H
#define CB_NET_NOTATION_H

#include "net/design.h"

enum { CB_NET_MAX_DEPTH = 16 };

/* Parses text. On success the caller frees the design. It reads c, size, classes, batch
   and dtype of the options. */
cnnblas_status cb_notation_parse(const char *text, const cnnblas_net_options *options, cb_net_design *design);

#endif
