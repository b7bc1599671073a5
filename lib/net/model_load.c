/* Reading a model file; its form is in cnnblas/net_model.h. Nothing in the file is taken on trust. The JSON is
   jansson's to read. */

#include "base/shared.h"
#include "net/model_words.h"
#include "net/text.h"
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  const char *path;
  int fd;
  uint64_t data, data_bytes; /* where the arrays begin in the file, and their bytes */
  json_t *header;
} model;

typedef struct {
  uint64_t begin, end; /* bytes of the data: [begin, end) */
} span;

/* Fails with the file's name in front of the sentence. */
static cnnblas_status bad(const model *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
static cnnblas_status bad(const model *m, const char *format, ...)
{
  char why[280];
  va_list args;
  va_start(args, format);
  vsnprintf(why, sizeof why, format, args);
  va_end(args);
  return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "%.200s: %s", m->path, why);
}

/* ---- bytes ---- */

static cnnblas_status read_at(const model *m, uint64_t place, void *bytes, uint64_t count)
{
  for (uint64_t done = 0; done < count;) {
    ssize_t got = pread(m->fd, (char *)bytes + done, count - done, (off_t)(place + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cnnblas_shared_fail(CNNBLAS_IO_ERROR, "%.200s: cannot read: %s", m->path, strerror(errno));
    if (got == 0) return bad(m, "it ends too early");
    done += (uint64_t)got;
  }
  return CNNBLAS_OK;
}

static cnnblas_status parse_header(model *m, const char *text, size_t length)
{
  json_error_t why;
  m->header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
  if (!m->header && json_error_code(&why) == json_error_out_of_memory)
    return cnnblas_shared_no_memory(length, "a header");
  if (!m->header) return bad(m, "header, byte %d: %.120s", why.position, why.text);
  return json_is_object(m->header) ? CNNBLAS_OK : bad(m, "its header is no object");
}

static cnnblas_status read_header(model *m)
{
  uint64_t length = 0;
  struct stat file;
  if (fstat(m->fd, &file)) return cnnblas_shared_fail(CNNBLAS_IO_ERROR, "%.200s: %s", m->path, strerror(errno));
  if (!S_ISREG(file.st_mode)) return bad(m, "not a regular file");
  cnnblas_status status = read_at(m, 0, &length, 8);
  if (status) return status;
  length = le64toh(length);
  if (length > CB_MODEL_MOST_HEADER)
    return bad(m, "not a safetensors file, or a header of %llu bytes; at most %d are read", (unsigned long long)length,
               CB_MODEL_MOST_HEADER);
  if (length > (uint64_t)file.st_size - 8) return bad(m, "it ends within the header");
  char *text = cnnblas_shared_alloc((size_t)length, 0);
  if (!text) return cnnblas_shared_no_memory((size_t)length, "a header");
  status = read_at(m, 8, text, length);
  if (!status) status = parse_header(m, text, (size_t)length);
  cnnblas_shared_free(text);
  m->data = 8 + length;
  m->data_bytes = (uint64_t)file.st_size - m->data;
  return status;
}

/* ---- metadata ---- */

static const char *word(const model *m, const char *key)
{
  return json_string_value(json_object_get(json_object_get(m->header, "__metadata__"), key));
}

static cnnblas_status bad_word(const model *m, const char *key, const char *wanted)
{
  const char *text = word(m, key);
  if (!text) return bad(m, "its metadata lack %s", key);
  return bad(m, "metadata %s is \"%.64s\"; it must be %s", key, text, wanted);
}

/* Reads the whole numbers of 1 to CB_NET_MAX_NUMBER between which `between` stands; false if the text is anything else. */
static bool whole_numbers(const char *text, char between, int most, int64_t *values, int *count)
{
  for (*count = 0; text && *count < most; text++) {
    int64_t value = 0;
    int digits = 0;
    for (; *text >= '0' && *text <= '9' && value <= CB_NET_MAX_NUMBER; text++, digits++)
      value = 10 * value + (*text - '0');
    if (!digits || value < 1 || value > CB_NET_MAX_NUMBER || (*text && *text != between)) return false;
    values[(*count)++] = value;
    if (!*text) return true;
  }
  return false;
}

/* Reads the doubles of a key: one, or one a channel. */
static cnnblas_status doubles(const model *m, const char *key, int64_t channels, double *values, int64_t *count)
{
  const char *text = word(m, key);
  char list[CNNBLAS_NET_NORM_CHANNELS * 40];
  int used = text ? snprintf(list, sizeof list, "[%s]", text) : 0;
  json_t *all = used > 0 && used < (int)sizeof list ? json_loads(list, 0, NULL) : NULL;
  size_t n = json_array_size(all);
  bool right = n == 1 || (n == (size_t)channels && n <= CNNBLAS_NET_NORM_CHANNELS);
  for (size_t i = 0; i < n && right; i++) {
    right = json_is_number(json_array_get(all, i));
    if (right) values[i] = json_number_value(json_array_get(all, i));
  }
  json_decref(all);
  *count = (int64_t)n;
  return right ? CNNBLAS_OK : bad_word(m, key, "one number, or one a channel, with commas between");
}

static cnnblas_status read_normalisation(const model *m, cnnblas_net *net)
{
  cnnblas_net_normalisation norm = {0};
  int64_t c = net->design.input.c, scales = 0, whites = 0;
  cnnblas_status status = doubles(m, "input_mean", c, norm.mean, &norm.channels);
  if (!status) status = doubles(m, "input_scale", c, norm.scale, &scales);
  if (!status && scales != norm.channels) status = bad_word(m, "input_scale", "of as many numbers as input_mean");
  if (!status) status = doubles(m, "input_white", 1, &norm.white, &whites);
  if (!status && cnnblas_net_set_normalisation(net, &norm)) status = bad_word(m, "input_white", "at least 0");
  return status;
}

static cnnblas_status read_names(const model *m, cnnblas_net *net)
{
  static const char wanted[] = "a JSON array of texts, at most one a class";
  const char *text = word(m, "class_names");
  json_t *list = text ? json_loads(text, 0, NULL) : NULL;
  size_t count = json_array_size(list);
  const char **names = NULL;
  cnnblas_status status = CNNBLAS_OK;
  if (!text) return CNNBLAS_OK;
  if (!json_is_array(list) || count > (size_t)net->classes) status = bad_word(m, "class_names", wanted);
  if (!status && count && !(names = cnnblas_shared_alloc(count * sizeof *names, 0)))
    status = cnnblas_shared_no_memory(count * sizeof *names, "the classes' names");
  for (size_t i = 0; i < count && !status; i++) names[i] = json_string_value(json_array_get(list, i));
  if (!status) status = cb_net_keep_names(net, names, (int64_t)count);
  if (status == CNNBLAS_INVALID_ARGUMENT) status = bad_word(m, "class_names", wanted);
  cnnblas_shared_free(names);
  json_decref(list);
  return status;
}

/* ---- options ---- */

static cnnblas_status read_dtype(const model *m, cnnblas_net_options *o)
{
  const char *key;
  json_t *entry;
  json_object_foreach(m->header, key, entry)
  {
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    if (!strcmp(key, "__metadata__")) continue;
    if (!dtype || (strcmp(dtype, "F32") != 0 && strcmp(dtype, "F64") != 0))
      return bad(m, "%.64s has dtype %.16s; models are F32 or F64", key, dtype ? dtype : "none");
    o->dtype = !strcmp(dtype, "F64") ? CNNBLAS_F64 : CNNBLAS_F32;
    return CNNBLAS_OK;
  }
  return bad(m, "it has no tensors");
}

static cnnblas_status disagree(const char *option)
{
  return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "options.%s is not what the file says", option);
}

/* Sets what the file says in the options; those that the caller gave must agree. */
static cnnblas_status read_options(const model *m, cnnblas_net_options *o)
{
  static const char *const losses[] = CB_MODEL_LOSSES;
  const char *loss = word(m, "loss");
  int64_t format, input[4] = {0}, classes;
  int count, axes, which = 0;
  if (!word(m, "network")) return bad(m, "its metadata lack network: not a model of this library");
  if (!whole_numbers(word(m, "cnnblas_model"), ',', 1, &format, &count) || format != CB_MODEL_FORMAT)
    return bad_word(m, "cnnblas_model", "1");
  if (!whole_numbers(word(m, "input"), 'x', 4, input, &axes))
    return bad_word(m, "input", "channels and sizes, as 1x28x28");
  if (!whole_numbers(word(m, "classes"), ',', 1, &classes, &count)) return bad_word(m, "classes", "a whole number");
  while (loss && which < 2 && strcmp(loss, losses[which]) != 0) which++;
  if (!loss || which == 2) return bad_word(m, "loss", "softmax or sigmoid");
  cnnblas_net_options file = *o;
  cnnblas_status status = read_dtype(m, &file);
  if (status) return status;
  if (o->dtype && o->dtype != file.dtype) return disagree("dtype");
  if (o->loss && (int)o->loss != which) return disagree("loss");
  if (o->classes && o->classes != classes) return disagree("classes");
  file.loss = (cnnblas_net_loss)which;
  file.classes = classes;
  file.init = CNNBLAS_INIT_ZERO;
  if (o->c && o->c != input[0]) return disagree("c");
  if ((o->c || o->size[0] || o->size[1] || o->size[2]) && memcmp(o->size, input + 1, sizeof o->size) != 0)
    return disagree("size");
  file.c = input[0];
  memcpy(file.size, input + 1, sizeof file.size);
  *o = file;
  return CNNBLAS_OK;
}

/* ---- tensors ---- */

/* The bytes of a tensor within the data: false if the entry does not have two such places. */
static bool read_span(const model *m, const json_t *entry, span *bytes)
{
  const json_t *ends = json_object_get(entry, "data_offsets"), *begin = json_array_get(ends, 0),
               *end = json_array_get(ends, 1);
  if (json_array_size(ends) != 2 || !json_is_integer(begin) || !json_is_integer(end)) return false;
  json_int_t from = json_integer_value(begin), to = json_integer_value(end);
  *bytes = (span){(uint64_t)from, (uint64_t)to};
  return from >= 0 && to >= from && (uint64_t)to <= m->data_bytes;
}

static int by_place(const void *a, const void *b)
{
  const span *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return x->end < y->end ? -1 : x->end > y->end;
}

/* The arrays must follow each other from the data's first byte to the last. */
static cnnblas_status check_spans(const model *m, const span *spans, size_t count)
{
  uint64_t at = 0;
  for (size_t i = 0; i < count; at = spans[i++].end)
    if (spans[i].begin != at)
      return bad(m, "%s at byte %llu of the data", spans[i].begin < at ? "tensors overlap" : "a hole between tensors",
                 (unsigned long long)(spans[i].begin < at ? spans[i].begin : at));
  if (at == m->data_bytes) return CNNBLAS_OK;
  return bad(m, "%llu bytes after the last tensor", (unsigned long long)(m->data_bytes - at));
}

/* Checks the places of all tensors, also of those that the network does not have. */
static cnnblas_status check_places(const model *m)
{
  size_t most = json_object_size(m->header), count = 0;
  span *spans = cnnblas_shared_alloc(most * sizeof *spans, 0);
  cnnblas_status status = spans ? CNNBLAS_OK : cnnblas_shared_no_memory(most * sizeof *spans, "the tensors' places");
  const char *key;
  json_t *entry;
  json_object_foreach(m->header, key, entry)
  {
    if (status || !strcmp(key, "__metadata__")) continue;
    if (!read_span(m, entry, &spans[count++]))
      status = bad(m, "data_offsets of %.64s are not two places within the data", key);
  }
  if (!status) {
    qsort(spans, count, sizeof *spans, by_place);
    status = check_spans(m, spans, count);
  }
  cnnblas_shared_free(spans);
  return status;
}

/* Writes the sizes of a tensor in the file and returns text. */
static const char *shape_text(const json_t *shape, char *text, size_t size)
{
  const size_t rank = json_array_size(shape);
  int used = snprintf(text, size, rank ? "" : "no sizes");
  for (size_t i = 0; i < rank && used < (int)size; i++)
    used += snprintf(text + used, size - (size_t)used, "%s%lld", i ? "x" : "",
                     (long long)json_integer_value(json_array_get(shape, i)));
  return text;
}

/* Finds where a tensor's bytes begin in the file, if it is there in the type and shape that the network has. */
static cnnblas_status find(const model *m, const cnnblas_net_tensor *t, size_t element, uint64_t *place)
{
  const json_t *entry = json_object_get(m->header, t->name), *shape = json_object_get(entry, "shape");
  const char *dtype = json_string_value(json_object_get(entry, "dtype"));
  char is[80], wanted[80];
  span bytes;
  if (!entry) return bad(m, "its network has a tensor %s, which the file lacks", t->name);
  if (!dtype || strcmp(dtype, cb_model_dtype(t->dtype)) != 0)
    return bad(m, "%s is not %s as the first tensor", t->name, cb_model_dtype(t->dtype));
  bool same = json_array_size(shape) == (size_t)t->rank;
  for (int i = 0; i < t->rank && same; i++) {
    const json_t *size = json_array_get(shape, (size_t)i);
    same = json_is_integer(size) && json_integer_value(size) == t->shape[i];
  }
  if (!same)
    return bad(m, "%s has not the shape that its network gives it: %s, not %s", t->name,
               shape_text(shape, is, sizeof is), cb_net_sizes(wanted, sizeof wanted, t->rank, t->shape, 0));
  if (!read_span(m, entry, &bytes) || bytes.end - bytes.begin != (uint64_t)t->elements * element)
    return bad(m, "data_offsets of %s are not those of %lld elements within the data", t->name, (long long)t->elements);
  *place = m->data + bytes.begin;
  return CNNBLAS_OK;
}

/* Finds all tensors of the network in the file and, if it has arrays, reads them. */
static cnnblas_status read_tensors(const model *m, cnnblas_net *net)
{
  cnnblas_status status = CNNBLAS_OK;
  for (int64_t i = 0; i < net->param_count + net->state_count && !status; i++) {
    cnnblas_net_tensor t;
    uint64_t place = 0;
    cnnblas_net_get_tensor(net, i, &t);
    status = find(m, &t, net->element, &place);
    if (!status && t.value) status = read_at(m, place, t.value, (uint64_t)t.elements * net->element);
    if (!status && t.average) memcpy(t.average, t.value, (size_t)t.elements * net->element);
  }
  return status;
}

/* ---- the file, read from its begin to its end ---- */

/* Creates the network; puts the file's name in front of what the library says of its text. */
static cnnblas_status create(const model *m, const cnnblas_net_options *o, cnnblas_net **net)
{
  char why[280];
  cnnblas_status status = cnnblas_net_create(word(m, "network"), o, net);
  if (!status || status == CNNBLAS_INVALID_ARGUMENT || status == CNNBLAS_OUT_OF_MEMORY) return status;
  snprintf(why, sizeof why, "%s", cnnblas_last_error());
  return cnnblas_shared_fail(status, "%.200s: its network: %s", m->path, why);
}

/* Makes the network, first as a design, whose tensors must be those of the file before memory is taken for them. */
static cnnblas_status make(const model *m, const cnnblas_net_options *wanted, cnnblas_net **net)
{
  cnnblas_net_options o = *wanted, design = *wanted;
  design.mode = CNNBLAS_NET_DESIGN;
  design.packed_weights = 0;
  cnnblas_status status = create(m, &design, net);
  if (!status) status = read_tensors(m, *net);
  if (!status) status = check_places(m);
  if (status) return status;
  cnnblas_net_destroy(*net);
  *net = NULL;
  status = create(m, &o, net);
  if (!status && o.mode != CNNBLAS_NET_DESIGN) status = read_tensors(m, *net);
  if (!status) status = read_normalisation(m, *net);
  if (!status) status = read_names(m, *net);
  if (!status && o.packed_weights && o.mode == CNNBLAS_NET_INFERENCE) status = cnnblas_net_pack_weights(*net);
  return status;
}

cnnblas_status cnnblas_net_load(const char *path, const cnnblas_net_options *options, cnnblas_net **net)
{
  cnnblas_net_options o = {.mode = CNNBLAS_NET_INFERENCE, .packed_weights = 1};
  cnnblas_net *made = NULL;
  if (!path) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "path is NULL");
  if (!net) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "net is NULL");
  if (options) o = *options;
  model m = {.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (m.fd < 0) return cnnblas_shared_fail(CNNBLAS_IO_ERROR, "%.200s: %s", path, strerror(errno));
  cnnblas_status status = read_header(&m);
  if (!status) status = read_options(&m, &o);
  if (!status) status = make(&m, &o, &made);
  close(m.fd);
  json_decref(m.header);
  if (status)
    cnnblas_net_destroy(made);
  else
    *net = made;
  return status;
}
