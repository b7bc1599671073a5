/* One compilation of Winograd's parts: the function that its files call of each other. */
#ifndef CB_GEMM_WINOGRAD_BUILD_H
#define CB_GEMM_WINOGRAD_BUILD_H

#include "gemm/level_build.h"
#include "gemm/winograd.h"

void CB_NAME(cb_winograd_multiply)(const cb_winograd_product *product);

#endif
