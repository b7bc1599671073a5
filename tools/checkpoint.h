/*
 * A checkpoint's settings and state in the metadata of its file.
 */
#ifndef TOOLS_CHECKPOINT_H
#define TOOLS_CHECKPOINT_H

#include "io/safetensors.h"
#include "train_settings.h"
#include <stdbool.h>

/* Adds a checkpoint's settings and state to the metadata; returns 0, or -1 without memory. */
int metadata_set_run(json_t *metadata, const train_settings *settings, const train_state *state);

/* True if the file has a run's settings and state. */
bool model_is_checkpoint(const st_file *file);

/* Reads them; settings_free the state. */
io_status model_read_run(const char *name, const st_file *file, train_settings *settings, train_state *state,
                         io_error *error);

#endif
