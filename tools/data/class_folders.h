/*
 * Folders of pictures (PNG, JPEG, PGM, PPM), one a class, the folder's name its name: DIR/train/CLASS/... to train and
 * DIR/test/CLASS/... (or DIR/val) to test; without DIR/train the classes lie in DIR itself and there is no test half. Classes
 * and files count in the order of their names' bytes. What begins with a point, and files of other endings, are left alone.
 */
#ifndef TOOLS_DATA_CLASS_FOLDERS_H
#define TOOLS_DATA_CLASS_FOLDERS_H

#include "dataset.h"

bool class_folders_are_here(const char *folder, dataset_half half);

/* form->c and form->size must be given; with form->classes a folder of another name is refused. No picture is read yet. */
io_status class_folders_read(const char *folder, dataset_half half, const dataset_form *form, dataset *data,
                             io_error *error);

#endif
