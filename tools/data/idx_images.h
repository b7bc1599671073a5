/*
 * Images in IDX files under MNIST's names: train-images-idx3-ubyte and train-labels-idx1-ubyte, t10k-... to test, also spelt
 * train-images.idx3-ubyte, plain or .gz. Axes are n, h, w, or in ...-idx4-ubyte n, c, h, w. classes.txt beside them, if it is
 * there, has the classes' names, one a line.
 */
#ifndef TOOLS_DATA_IDX_IMAGES_H
#define TOOLS_DATA_IDX_IMAGES_H

#include "dataset.h"

bool idx_images_are_here(const char *folder, dataset_half half);
io_status idx_images_read(const char *folder, dataset_half half, const dataset_form *form, dataset *data,
                          io_error *error);

/* From one file of images without labels (labels NULL). */
io_status idx_images_read_file(const char *path, const dataset_form *form, dataset *data, io_error *error);

/* Whether four axes look like n, h, w, c: square images with 1, 3 or 4 of something behind. */
bool idx_images_look_nhwc(const idx_array *array);

#endif
