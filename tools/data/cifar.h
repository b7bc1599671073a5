/*
 * CIFAR-10's binary version: data_batch_1.bin to data_batch_5.bin (those that are there) to train, test_batch.bin to test, each
 * image a byte with its label and 3 x 32 x 32 bytes of red, green and blue; batches.meta.txt has the classes' names.
 */
#ifndef TOOLS_DATA_CIFAR_H
#define TOOLS_DATA_CIFAR_H

#include "dataset.h"

bool cifar_is_here(const char *folder, dataset_half half);
io_status cifar_read(const char *folder, dataset_half half, dataset *data, io_error *error);

#endif
