/* Making a design: layers become nodes of its graph. What a design is: layer.h. */
#ifndef CB_NET_DESIGN_H
#define CB_NET_DESIGN_H

#include "net/layer.h"

/* Begins a design with its input. */
cnnblas_status cb_design_begin(cb_net_design *design, const cnnblas_net_options *options);

/* Adds a layer that reads these values; *value is its output. What `layer` says of the text is copied, its maps are
   taken over.
   Fails with CNNBLAS_BAD_FORMAT and the column. */
cnnblas_status cb_design_add(cb_net_design *design, const cb_net_layer *layer, const int64_t *inputs, int count,
                             int64_t *value);

/* Decides, once all layers are there, which convolutions have no bias. */
void cb_design_end(cb_net_design *design);

void cb_design_free(cb_net_design *design);

#endif
