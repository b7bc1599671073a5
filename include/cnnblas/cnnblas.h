/*
 * libcnnblas: convolution on the CPU, and the layers of a CNN around it. This header includes all the
 * others but net.h and onnx.h, which have libraries of their own.
 */
#ifndef CNNBLAS_CNNBLAS_H
#define CNNBLAS_CNNBLAS_H

#include <cnnblas/activation.h>
#include <cnnblas/arrays.h>
#include <cnnblas/batchnorm.h>
#include <cnnblas/conv.h>
#include <cnnblas/conv_transpose.h>
#include <cnnblas/dropout.h>
#include <cnnblas/layers.h>
#include <cnnblas/optimiser.h>
#include <cnnblas/resize.h>
#include <cnnblas/softmax.h>
#include <cnnblas/status.h>
#include <cnnblas/system.h>
#include <cnnblas/version.h>

#endif
