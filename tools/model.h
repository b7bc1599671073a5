/*
 * Model files: a network's tensors in safetensors, with what is needed to use them in the metadata.
 *
 *   tensors    conv1.weight [k][c/g][r][s], conv1.bias [k], fc1.weight [out][in], ...; F32 or F64
 *   metadata   cnnblas_model "1", network (the notation), input "1x28x28", classes, loss,
 *              input_mean, input_scale: a pixel becomes (pixel - mean) * scale, one number for all channels or as many
 *              as there are channels, with commas between; input_white: the pixel that is white in a picture;
 *              class_names, if they are known: a JSON array of texts, in the order of the labels
 *
 * A checkpoint is a model file with more in it: the momentum of each tensor as momentum.NAME, its value in the best epoch as
 * best.NAME if the run keeps that, AdamW's second moments as second.NAME, moving averages as average.NAME, and in the metadata the settings of the run and how far it has come. Whatever reads models
 * reads checkpoints too.
 */
#ifndef TOOLS_MODEL_H
#define TOOLS_MODEL_H

#include "io/error.h"
#include "io/safetensors.h"
#include "model_data.h"
#include "train_settings.h"
#include "weights.h"
#include <cnnblas/net.h>
#include <stdbool.h>

/* What a checkpoint has besides. */
typedef struct {
  const train_settings *settings;
  const train_state *state;
  const weights *best; /* of the best epoch; NULL: not kept */
} model_training;

/* Writes the network; with `training` it is a checkpoint, NULL: a model. */
io_status model_write(const char *path, const cnnblas_net *net, const model_data *about, const model_training *training,
                      io_error *error);

/* What is wanted of a model. */
typedef struct {
  cnnblas_net_mode mode;
  int64_t batch; /* 0: that of the checkpoint, else 64 */
  int32_t threads;
  cnnblas_accuracy_policy accuracy;
} model_use;

/*
 * Makes the network that a file describes and fills in its tensors (not for a design). One for inference has its weights
 * packed: tensors that are written later need cnnblas_net_pack_weights.
 * file   what st_read gave; may be freed afterwards
 * name   the file's, for messages
 * net    the caller's to destroy
 * about  NULL if not wanted; model_data_free gives it back
 */
io_status model_make(const char *name, const st_file *file, const model_use *use, cnnblas_net **net, model_data *about,
                     io_error *error);

/* The best epoch's tensors of a checkpoint that keeps them, else the values that net has; weights_make has made room. */
io_status model_read_best(const char *name, const st_file *file, const cnnblas_net *net, weights *best,
                          io_error *error);

/* st_read and model_make in one. */
io_status model_read(const char *path, const model_use *use, cnnblas_net **net, model_data *about, io_error *error);

#endif
