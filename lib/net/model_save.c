/* Writing a model file; its form is in cnnblas/net_model.h. The JSON is jansson's to write. */
#include "base/shared.h"
#include "net/model_words.h"
#include <endian.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- header ---- */

/* A value's text, which cnnblas_shared_free frees; NULL without memory. */
static char *text_of(const json_t *value, size_t flags)
{
  size_t bytes = value ? json_dumpb(value, NULL, 0, flags) : 0;
  char *text = bytes ? cnnblas_shared_alloc(bytes + 1, 0) : NULL;
  if (!text) return NULL;
  bytes = json_dumpb(value, text, bytes, flags);
  text[bytes] = 0;
  return text;
}

/* Numbers with commas between, as JSON writes them, whatever the locale; NULL without memory. */
static json_t *numbers(const double *values, int64_t count)
{
  json_t *list = json_array();
  int failed = !list;
  for (int64_t i = 0; i < count && !failed; i++) failed = json_array_append_new(list, json_real(values[i]));
  char *text = failed ? NULL : text_of(list, JSON_COMPACT | JSON_REAL_PRECISION(17));
  json_t *bare = text ? json_stringn(text + 1, strlen(text) - 2) : NULL; /* without the brackets */
  json_decref(list);
  cnnblas_shared_free(text);
  return bare;
}

/* The classes' names as the text of a JSON array; NULL without memory. */
static json_t *names(const cnnblas_net *net)
{
  json_t *list = json_array();
  int failed = !list;
  for (int64_t i = 0; i < net->classes && net->class_names[i][0] && !failed; i++)
    failed = json_array_append_new(list, json_stringn_nocheck(net->class_names[i], strlen(net->class_names[i])));
  char *text = failed ? NULL : text_of(list, JSON_COMPACT);
  json_t *whole = text ? json_string(text) : NULL;
  json_decref(list);
  cnnblas_shared_free(text);
  return whole;
}

/* The metadata; NULL without memory. */
static json_t *make_metadata(const cnnblas_net *net)
{
  static const char *const losses[] = CB_MODEL_LOSSES;
  const cb_net_shape *in = &net->design.input;
  char size[80], input[110];
  json_t *m = json_object();
  snprintf(input, sizeof input, "%lldx%s", (long long)in->c,
           cb_net_sizes(size, sizeof size, net->design.rank, in->size, 1));
  int failed = !m || json_object_set_new(m, "cnnblas_model", json_sprintf("%d", CB_MODEL_FORMAT)) ||
               json_object_set_new(m, "network", json_string(net->text)) ||
               json_object_set_new(m, "input", json_string(input)) ||
               json_object_set_new(m, "classes", json_sprintf("%lld", (long long)net->classes)) ||
               json_object_set_new(m, "loss", json_string(losses[net->options.loss])) ||
               json_object_set_new(m, "input_mean", numbers(net->norm.mean, net->norm.channels)) ||
               json_object_set_new(m, "input_scale", numbers(net->norm.scale, net->norm.channels)) ||
               json_object_set_new(m, "input_white", numbers(&net->norm.white, 1)) ||
               (net->class_names && json_object_set_new(m, "class_names", names(net)));
  if (!failed) return m;
  json_decref(m);
  return NULL;
}

/* {"dtype": "F32", "shape": [...], "data_offsets": [begin, end]}; NULL without memory. */
static json_t *describe(const cnnblas_net_tensor *t, size_t begin, size_t bytes)
{
  json_t *shape = json_array();
  int failed = !shape;
  for (int i = 0; i < t->rank && !failed; i++) failed = json_array_append_new(shape, json_integer(t->shape[i]));
  if (!failed)
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", cb_model_dtype(t->dtype), "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)(begin + bytes));
  json_decref(shape);
  return NULL;
}

/* The JSON text that a model file begins with: metadata, then each tensor's type, shape and place. cnnblas_shared_free
   frees it; NULL if there is no memory. */
static char *make_header(const cnnblas_net *net)
{
  json_t *header = json_object();
  int failed = !header || json_object_set_new(header, "__metadata__", make_metadata(net));
  size_t begin = 0;
  for (int64_t i = 0; i < net->param_count + net->state_count && !failed; i++) {
    cnnblas_net_tensor t;
    cnnblas_net_get_tensor(net, i, &t);
    size_t bytes = (size_t)t.elements * net->element;
    failed = json_object_set_new(header, t.name, describe(&t, begin, bytes));
    begin += bytes;
  }
  char *text = failed ? NULL : text_of(header, JSON_COMPACT);
  json_decref(header);
  return text;
}

/* ---- file ---- */

static int write_all(int fd, const void *bytes, size_t count)
{
  for (size_t done = 0; done < count;) {
    ssize_t put = write(fd, (const char *)bytes + done, count - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return -1;
    done += (size_t)put;
  }
  return 0;
}

/* Writes the header, with blanks behind it to a multiple of 8, and the tensors. */
static int write_model(int fd, const cnnblas_net *net, const char *header)
{
  size_t length = strlen(header), blanks = (8 - length % 8) % 8;
  uint64_t written = htole64(length + blanks);
  int failed = write_all(fd, &written, 8) || write_all(fd, header, length) || write_all(fd, "       ", blanks);
  for (int64_t i = 0; i < net->param_count + net->state_count && !failed; i++) {
    cnnblas_net_tensor t;
    cnnblas_net_get_tensor(net, i, &t);
    failed = write_all(fd, t.value, (size_t)t.elements * net->element);
  }
  return failed;
}

cnnblas_status cnnblas_net_save(const cnnblas_net *net, const char *path)
{
  cnnblas_status status = cb_net_check(net, true);
  if (status) return status;
  if (!path) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "path is NULL");
  char *header = make_header(net);
  if (!header) return cnnblas_shared_fail(CNNBLAS_OUT_OF_MEMORY, "%.200s: out of memory for the header", path);
  if (strlen(header) > CB_MODEL_MOST_HEADER - 8) {
    cnnblas_shared_free(header);
    return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED, "%.200s: the header would have more than %d bytes", path,
                               CB_MODEL_MOST_HEADER);
  }
  cb_replacement r;
  const char *doing = "write";
  int failed = cnnblas_shared_replace_begin(&r, path);
  if (failed) {
    doing = r.doing ? r.doing : "replace what is not a regular file";
  } else {
    failed = write_model(r.fd, net, header);
    int reason = errno;
    int ended = cnnblas_shared_replace_end(&r, !failed);
    if (failed) errno = reason;
    if (!failed && ended) doing = r.doing;
    failed = failed || ended;
  }
  int reason = errno;
  cnnblas_shared_free(header);
  return failed ? cnnblas_shared_fail(CNNBLAS_IO_ERROR, "%.200s: cannot %s: %s", path, doing, strerror(reason))
                : CNNBLAS_OK;
}
