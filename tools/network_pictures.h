/* What `cnnblas inspect` draws of a network: its filters, and what its first layers make of an image. */
#ifndef TOOLS_NETWORK_PICTURES_H
#define TOOLS_NETWORK_PICTURES_H

#include "norm.h"
#include <cnnblas/net.h>
#include <stdbool.h>

/* The filters of the first convolutions. net has values. Returns an exit status. */
int draw_filters(const cnnblas_net *net, const char *model, const char *path);

/* The outputs of the first layers for an image: a PNG, a PGM, or the first of an IDX file. net trains, so that it keeps
   them. */
int draw_activations(cnnblas_net *net, const input_norm *norm, const char *model, const char *image, bool invert,
                     const char *path);

#endif
