/*
 * Networks in files, with what a program needs to use them: how pixels become the input, and the classes' names.
 * Library: libcnnblas_net.
 *
 *   cnnblas_net *net;
 *   cnnblas_net_load("animals.safetensors", NULL, &net);      what `cnnblas train` or cnnblas_net_save wrote
 *   cnnblas_net_normalise(net, 1, pixels, 255, x);            bytes [c][h][w] of a picture become the input
 *   cnnblas_net_predict(net, 1, x, NULL, &class);
 *   puts(cnnblas_net_class_name(net, class));
 *   cnnblas_net_destroy(net);
 *
 * A model is a safetensors file: 8 bytes N, little-endian; N bytes of JSON that name each array, its type, shape and
 * place; then the arrays, little-endian. Its arrays are the network's tensors under their names, F32 or F64, those that
 * are not trained too. Its metadata are texts:
 *
 *   cnnblas_model   "1", the version of this list
 *   network         the notation, cnnblas_net_text
 *   input           one image's channels and size, "3x32x32"
 *   classes         elements of the last layer's output
 *   loss            "softmax" or "sigmoid"
 *   input_mean      a pixel becomes (pixel - mean) * scale: one number for all channels, or one a channel with commas
 *   input_scale     between them
 *   input_white     the pixel that is white in a picture, in the training data
 *   class_names     a JSON array of texts in the order of the labels, or no such key. Classes behind the array's end, or all, have
 *                   no names
 *
 * A checkpoint of the command is a model with more arrays and metadata, which cnnblas_net_load passes over. Models of
 * version 0.1 load. A build without libjansson-dev has no files: load and save return CNNBLAS_UNSUPPORTED.
 */
#ifndef CNNBLAS_NET_MODEL_H
#define CNNBLAS_NET_MODEL_H

#include <cnnblas/net.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CNNBLAS_NET_NORM_CHANNELS 16 /* the most channels that have numbers of their own */

/** How a pixel becomes an element of the input: (pixel - mean) * scale. */
typedef struct cnnblas_net_normalisation {
  int64_t channels; /* entries of mean and scale: 1, for all channels, or the input's channels. 0 stands for mean 0 and
                       scale 1 */
  double mean[CNNBLAS_NET_NORM_CHANNELS];  /* what is subtracted from a pixel of each channel, finite */
  double scale[CNNBLAS_NET_NORM_CHANNELS]; /* what the difference is multiplied by, finite */
  double white;                            /* the pixel that is white in a picture, at least 0; 0 stands for 1 */
  int64_t reserved[4];                     /* for later fields: its elements must be 0 */
} cnnblas_net_normalisation;

/**
 * Makes the network of a model file, with its weights, normalisation and classes' names. The caller owns *net.
 *
 * options  as cnnblas_net_create has them; dtype, loss, and what the file says of input and classes are the file's.
 *          Fields of these that are not 0 must agree. NULL: a network for inference with packed weights, of batch 64.
 *          With packed_weights the weights are packed already
 * Returns what cnnblas_net_create returns; CNNBLAS_IO_ERROR for a file that cannot be read; CNNBLAS_BAD_FORMAT for one
 * that is no model or is damaged: the message names the file and what is wrong; CNNBLAS_UNSUPPORTED. On an error *net
 * is untouched. No memory is taken for the network before the file is known to have its tensors.
 */
CNNBLAS_API cnnblas_status cnnblas_net_load(const char *path, const cnnblas_net_options *options, cnnblas_net **net);

/**
 * Writes the network's tensors, normalisation and classes' names to a model file: the file has the old content or the
 * whole new one, whatever happens. Weights are written as they lie, not packed ones.
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT (null pointer, a design), CNNBLAS_IO_ERROR, CNNBLAS_OUT_OF_MEMORY, or
 * CNNBLAS_UNSUPPORTED.
 */
CNNBLAS_API cnnblas_status cnnblas_net_save(const cnnblas_net *net, const char *path);

/**
 * Makes the network anew for images of another size, with the same options, tensors, moments, averages, steps,
 * normalisation and names; cnnblas_net_text begins with the new INPUT then. Weights are packed again if they were.
 * Pointers into the network, tensors' arrays among them, are no longer valid. The convolutions' algorithms are those
 * that the library chooses.
 *
 * size   as many entries as the network's input has axes, each at least 1
 * Returns what cnnblas_net_create returns, and CNNBLAS_INVALID_ARGUMENT where a tensor would have another shape (an FC
 * that sees the image: end in GPOOL instead), which the message names. On an error the network is as it was.
 */
CNNBLAS_API cnnblas_status cnnblas_net_reshape(cnnblas_net *net, const int64_t *size);

/** Fills normalisation; channels is at least 1 then. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (null pointer). */
CNNBLAS_API cnnblas_status cnnblas_net_get_normalisation(const cnnblas_net *net,
                                                         cnnblas_net_normalisation *normalisation);

/** Sets what load and save, and cnnblas_net_normalise, know of pixels; passes do not look at it. Returns CNNBLAS_OK or
    CNNBLAS_INVALID_ARGUMENT. */
CNNBLAS_API cnnblas_status cnnblas_net_set_normalisation(cnnblas_net *net,
                                                         const cnnblas_net_normalisation *normalisation);

/** The name of a class. "" for NULL, a class without a name, or no class of the network. The string lives as long as
    the network, or until cnnblas_net_set_class_names. */
CNNBLAS_API const char *cnnblas_net_class_name(const cnnblas_net *net, int64_t label);

/**
 * Copies the classes' names, UTF-8, in the order of the labels; count 0 takes all away.
 * Returns CNNBLAS_OK, CNNBLAS_OUT_OF_MEMORY, or CNNBLAS_INVALID_ARGUMENT (null pointer, a count that is neither 0 nor
 * info.classes, a name that is empty, has more than 255 bytes or is no UTF-8).
 */
CNNBLAS_API cnnblas_status cnnblas_net_set_class_names(cnnblas_net *net, const char *const *names, int64_t count);

/**
 * Makes the input of n images from bytes: x[in][ic][...] = (pixels[in][ic][...] * w - mean[ic]) * scale[ic]. The factor
 * w = normalisation.white / white makes a white pixel as large as it was in the training data.
 *
 * pixels  the images, [n][c][size...]
 * white   the byte that is white: 255 for pictures. 0: pixels are of the training data's kind, w is 1
 * x       the network's dtype, [n][c][size...], written
 * Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (null pointer, n below 0, white not 0 to 255).
 */
CNNBLAS_API cnnblas_status cnnblas_net_normalise(const cnnblas_net *net, int64_t n, const uint8_t *pixels, double white,
                                                 void *x);

#ifdef __cplusplus
}
#endif
#endif
