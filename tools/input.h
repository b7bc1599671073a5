/* A file's image as a network's input. */
#ifndef TOOLS_INPUT_H
#define TOOLS_INPUT_H

#include "io/file.h"
#include "norm.h"
#include <cnnblas/net.h>
#include <stdbool.h>

/* Exit statuses; `model` is for messages. COMMAND_BAD_INPUT: an IDX image has another size than the network takes. */

/* A picture in memory, brought to the network's size (picture_fit.h) and normalised, as one image of its dtype at x. invert: dark
   ink on light paper. */
int input_from_picture(const char *path, const io_buffer *file, const cnnblas_net_info *info, const input_norm *norm,
                       bool invert, void *x);

/* The same from a file; of IDX images the first. */
int input_from_file(const char *path, const char *model, const cnnblas_net_info *info, const input_norm *norm,
                    bool invert, void *x);

/* "PATH: 1x9x9 pixels; MODEL takes 1x28x28"; returns COMMAND_BAD_INPUT. */
int input_wrong_size(const char *path, const char *model, const cnnblas_net_info *info, int64_t c,
                     const int64_t size[3]);

/* COMMAND_FINE unless the head of an IDX file of images states another size than the network takes: before anything of it
   is unpacked. What else is wrong with the file is left to its reader. */
int input_check_images(const char *path, const io_buffer *file, const char *model, const cnnblas_net_info *info,
                       bool transposed);

#endif
