/* What a model knows of its data; see model_data.h. */
#include "model_data.h"
#include "io/system.h"
#include "model_metadata.h"
#include <string.h>

void model_data_free(model_data *about)
{
  classes_free(&about->classes);
}

static int set_classes(json_t *metadata, const class_names *classes)
{
  if (!classes->count) return 0;
  json_t *names = json_array();
  int failed = !names;
  for (int64_t i = 0; i < classes->count && !failed; i++)
    failed = json_array_append_new(names, json_stringn_nocheck(classes->names[i], strlen(classes->names[i])));
  char *text = failed ? NULL : json_dumps(names, JSON_COMPACT);
  failed = !text || metadata_set(metadata, "class_names", "%s", text);
  io_free(text);
  json_decref(names);
  return failed;
}

int model_data_set(json_t *m, const model_data *about)
{
  const input_norm *norm = &about->norm;
  char mean[NORM_TEXT], scale[NORM_TEXT];
  return metadata_set(m, "input_mean", "%s", norm_print(norm->mean, norm->channels, mean)) ||
         metadata_set(m, "input_scale", "%s", norm_print(norm->scale, norm->channels, scale)) ||
         metadata_set(m, "input_white", "%.17g", norm->white) || set_classes(m, &about->classes);
}

/* One number, or one a channel. */
static io_status read_numbers(const char *name, const st_file *file, const char *key, int64_t channels, double *numbers,
                              int64_t *count, io_error *error)
{
  const char *text = st_metadata(file, key);
  if (text && norm_parse(text, numbers, count) && (*count == 1 || *count == channels)) return IO_OK;
  return metadata_bad(name, file, key, "one number, or one a channel, with commas between", error);
}

static io_status read_classes(const char *name, const st_file *file, int64_t most, class_names *classes,
                              io_error *error)
{
  static const char wanted[] = "a JSON array of texts, at most one a class";
  const char *text = st_metadata(file, "class_names");
  json_error_t why;
  if (!text) return IO_OK;
  io_json_begin();
  json_t *names = json_loads(text, 0, &why), *each;
  size_t i;
  io_status status = IO_OK;
  if (!names && io_json_lacked_memory()) status = io_fail_memory(error, name, strlen(text), "its classes' names");
  if (!status && !json_is_array(names)) status = metadata_bad(name, file, "class_names", wanted, error);
  json_array_foreach(names, i, each)
  {
    if (status) break;
    const char *one = json_string_value(each);
    if (!one || !*one || strlen(one) > CLASSES_MOST_NAME || (int64_t)i >= most)
      status = metadata_bad(name, file, "class_names", wanted, error);
    else if (!classes_add(classes, one))
      status = io_fail_memory(error, name, strlen(one) + 1, "a class's name");
  }
  json_decref(names);
  return status;
}

io_status model_data_read(const char *name, const st_file *file, int64_t channels, int64_t classes, model_data *about,
                          io_error *error)
{
  static const double most = 1e30;
  int64_t scales = 0;
  model_data a = {0};
  io_status status = read_numbers(name, file, "input_mean", channels, a.norm.mean, &a.norm.channels, error);
  if (!status) status = read_numbers(name, file, "input_scale", channels, a.norm.scale, &scales, error);
  if (!status && scales != a.norm.channels)
    status = metadata_bad(name, file, "input_scale", "of as many numbers as input_mean", error);
  if (!status) status = metadata_number(name, file, "input_white", 0, most, &a.norm.white, error);
  if (a.norm.white == 0) a.norm.white = 1;
  if (!status) status = read_classes(name, file, classes, &a.classes, error);
  if (status)
    model_data_free(&a);
  else
    *about = a;
  return status;
}
