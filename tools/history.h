/* A run's epochs as CSV and as JSON. */
#ifndef TOOLS_HISTORY_H
#define TOOLS_HISTORY_H

#include "io/error.h"
#include "train_settings.h"
#include <jansson.h>

/* Replaces the file: a head, then a row an epoch that is done. What was tested after each is named test_..., or validation_...
   of a run that holds images out. */
io_status history_write(const char *path, const train_settings *settings, const train_state *state, io_error *error);

/* An array of objects; NULL without memory. */
json_t *history_json(const train_settings *settings, const train_state *state);

#endif
