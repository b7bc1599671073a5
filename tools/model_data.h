/* What a model knows of the data that it was trained on, in the metadata of its file. */
#ifndef TOOLS_MODEL_DATA_H
#define TOOLS_MODEL_DATA_H

#include "data/classes.h"
#include "io/safetensors.h"
#include "norm.h"

typedef struct {
  input_norm norm;
  class_names classes; /* none: labels are numbers */
} model_data;

/* Adds it to the metadata; returns 0, or -1 without memory. */
int model_data_set(json_t *metadata, const model_data *about);

/* Reads it from the file of a network with so many channels and classes; model_data_free gives the names back. */
io_status model_data_read(const char *name, const st_file *file, int64_t channels, int64_t classes, model_data *about,
                          io_error *error);

/* Safe on zeroed data and twice. */
void model_data_free(model_data *about);

#endif
