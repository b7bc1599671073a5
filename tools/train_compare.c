/* What ranks compare before the first step; see train_compare.h. */
#include "train_compare.h"
#include "checkpoint.h"
#include "command.h"
#include "io/system.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count) /* FNV-1a */
{
  for (size_t i = 0; i < count; i++) hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
  return hash;
}

static uint64_t hash_text(const char *text)
{
  return hash_bytes(0xcbf29ce484222325u, text, strlen(text));
}

/* A double of the metadata in as few decimal digits as bring it back, anything else as it is. */
static const char *readable(const char *value, char text[32])
{
  double number = strtod(value, NULL);
  if (strncmp(value, "0x", 2) != 0) return value;
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(text, 32, "%.*g", digits, number);
    if (strtod(text, NULL) == number) break;
  }
  return text;
}

static int compare_setting(const char *name, const char *value)
{
  char what[64], text[32];
  snprintf(what, sizeof what, "setting %s", name);
  return ranks_compare_text(what, readable(value, text));
}

static int compare_segments(const trainer *t)
{
  char text[32];
  snprintf(text, sizeof text, "%lld", (long long)t->settings.segments);
  int status = compare_setting("segments", text);
  if (status || ranks_count() <= t->settings.segments) return status;
  ranks_all_know();
  return command_fail(COMMAND_USAGE,
                      "%d ranks, but a batch has %s segments: 1, 2, 4, ... up to so many ranks can share them",
                      (int)ranks_count(), text);
}

/* All that a checkpoint has of the run, one after the other, and what it has elsewhere. */
static int compare_settings(const trainer *t)
{
  cnnblas_net_info info;
  const char *name;
  json_t *value, *all = json_object();
  int status = COMMAND_FINE;
  cnnblas_net_get_info(t->net, &info);
  if (!all || metadata_set_run(all, &t->settings, &t->state))
    status = command_fail(COMMAND_NO_ROOM, "out of memory for the settings");
  json_object_foreach(all, name, value)
  {
    const char *text = json_string_value(value);
    if (status || !strcmp(name, "data_checksum")) continue; /* it has been compared */
    status = !strcmp(name, "rows") ? ranks_compare_hash("the checkpoint: other epochs behind it", hash_text(text))
                                   : compare_setting(name, text);
  }
  json_decref(all);
  if (!status) status = compare_setting("loss", settings_loss_names[info.loss]);
  if (!status) status = compare_setting("dtype", settings_dtype_names[info.dtype]);
  return status ? status : compare_setting("checkpoint", t->checkpoint ? "after each epoch" : "none");
}

static int compare_data(const trainer *t, const dataset *data)
{
  const input_norm *norm = &t->about.norm;
  const size_t bytes = (size_t)norm->channels * sizeof(double);
  char text[96];
  snprintf(text, sizeof text, "%lld of %lld images", (long long)t->training.count, (long long)data->count);
  int status = ranks_compare("training data", text);
  if (!status) status = ranks_compare_hash("training data: other images or labels", dataset_checksum_of_files(data));
  if (!status)
    status = ranks_compare_hash("training data: other pixels",
                                hash_bytes(hash_bytes(hash_text(""), norm->mean, bytes), norm->scale, bytes));
  snprintf(text, sizeof text, "%lld images", (long long)t->held_out.count);
  if (!status) status = ranks_compare("test data", text);
  return status ? status
                : ranks_compare_hash("test data: other images or labels", dataset_checksum_of_files(t->held_out.data));
}

int train_compare_ranks(const trainer *t, const dataset *data)
{
  char share[64];
  if (ranks_count() == 1) return COMMAND_FINE;
  snprintf(share, sizeof share, "%a", t->settings.validation);
  int status = compare_segments(t);
  if (!status) status = compare_setting("validation", share); /* it has a say in what the data are */
  if (!status) status = compare_data(t, data);
  if (!status) status = ranks_compare_text("the network", cnnblas_net_text(t->net));
  if (!status) status = compare_settings(t);
  return status ? status : ranks_compare_hash("other weights", weights_checksum(t->net));
}
