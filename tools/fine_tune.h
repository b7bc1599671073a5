/* Beginning with what another model has learnt. */
#ifndef TOOLS_FINE_TUNE_H
#define TOOLS_FINE_TUNE_H

#include "model.h"

/*
 * *text becomes the notation of a model's network, whose last FC, if it ends the text, takes its size from the labels; the caller
 * frees it with io_free. Returns an exit status; on an error *text is untouched.
 */
int fine_tune_network(const char *path, char **text);

/*
 * Copies into net every tensor of a model that has the same name, type and shape there; the model's normalisation replaces that
 * of about, for pixels of about's white, if both have as many channels. Prints what was taken and what was not, unless quiet.
 * Returns an exit status; that nothing fits is COMMAND_BAD_INPUT.
 */
int fine_tune_begin(const char *path, cnnblas_net *net, model_data *about, bool quiet);

#endif
