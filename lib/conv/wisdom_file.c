/*
 * Wisdom as a text file:
 *
 *   cnnblas-wisdom 2                         the version of this format
 *   library 0.2.0                            whose algorithms were measured,
 *   cpu AMD EPYC 9R14 96-Core Processor      on which machine,
 *   level avx512                             with which kernels
 *   f32 forward default 0 4194304 8 ... implicit_gemm:pixels
 *                                            one problem a line: dtype, direction, accuracy policy, the key's numbers,
 *                                            the choice; a name without its orientation leaves that to the estimate
 *   end 1 88f2c0a4c51f8e3d                   number of problems, and the FNV-1a hash of all bytes before this line
 *
 * Every line ends in one line feed. The last line shows whether a file was cut short or changed.
 */
#include "base/cpu.h"
#include "base/memory.h"
#include "base/replace.h"
#include "base/size.h"
#include "base/status.h"
#include "conv/algorithms.h"
#include "conv/wisdom.h"
#include <cnnblas/version.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  LONGEST_LINE = 640,    /* the most bytes of a line: three words, 24 numbers of up to 20 digits, and a name */
  MOST_BYTES = 64 << 20, /* the most bytes of a file that is read */
};

static const char *const dtypes[] = {"f32", "f64"};

static const char *cpu_model(void)
{
  const char *model = cb_cpu_get()->model;
  return *model ? model : "unknown";
}

static const uint64_t hash_of_nothing = 14695981039346656037u;

/* The FNV-1a hash of a text, given the hash h of what came before it. */
static uint64_t hash(uint64_t h, const char *text, size_t bytes)
{
  for (size_t i = 0; i < bytes; i++) h = (h ^ (unsigned char)text[i]) * 1099511628211u;
  return h;
}

/* A file's text while it is read line by line. */
typedef struct {
  const char *path;
  char *text;
  size_t bytes, at, line; /* bytes of the text; the next byte's index; the line's number, from 1 */
  uint64_t before, sum;   /* hash of what stands before this line; hash of that and the line */
} reader;

static cnnblas_status __attribute__((format(printf, 3, 4)))
refuse(const reader *r, cnnblas_status status, const char *format, ...)
{
  char what[256];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  return cb_fail(status, "%.200s:%zu: %s", r->path, r->line, what);
}

/* Reads the next line and replaces its line feed by a zero. */
static cnnblas_status next_line(reader *r, char **line)
{
  r->line++;
  r->before = r->sum;
  if (r->at == r->bytes) return refuse(r, CNNBLAS_BAD_FORMAT, "the file ends without its last line, \"end\"");
  char *begin = r->text + r->at, *feed = memchr(begin, '\n', r->bytes - r->at);
  if (!feed) return refuse(r, CNNBLAS_BAD_FORMAT, "the file ends within this line");
  r->sum = hash(r->sum, begin, (size_t)(feed - begin) + 1);
  *feed = 0;
  if (strlen(begin) != (size_t)(feed - begin))
    return refuse(r, CNNBLAS_BAD_FORMAT, "there is a zero byte in this line");
  r->at += (size_t)(feed - begin) + 1;
  *line = begin;
  return CNNBLAS_OK;
}

/* Reads a line "NAME value", whose value must be `expected`; a file with another value is refused as unsupported. */
static cnnblas_status expect(reader *r, const char *name, const char *expected)
{
  char *line;
  size_t length = strlen(name);
  cnnblas_status status = next_line(r, &line);
  if (status) return status;
  if (strncmp(line, name, length) != 0 || line[length] != ' ')
    return refuse(r, CNNBLAS_BAD_FORMAT, "the line is \"%.80s\"; it must begin with \"%s\"", line, name);
  if (strcmp(line + length + 1, expected) == 0) return CNNBLAS_OK;
  return refuse(r, CNNBLAS_UNSUPPORTED, "%s is \"%.80s\"; here it is \"%.80s\"", name, line + length + 1, expected);
}

/* Cuts the next word off at its space and returns it, or NULL at the end of the line. */
static char *next_word(char **rest)
{
  char *word = *rest;
  if (!word) return NULL;
  char *space = strchr(word, ' ');
  *rest = space ? space + 1 : NULL;
  if (space) *space = 0;
  return word;
}

static int index_of(const char *word, const char *const *names, int count)
{
  for (int i = 0; word && i < count; i++)
    if (strcmp(word, names[i]) == 0) return i;
  return -1;
}

/* The direction whose name the word is, or -1. */
static int direction_of(const char *word)
{
  const char *name;
  for (int i = 0; word && (name = cnnblas_conv_direction_name((cnnblas_conv_direction)i)); i++)
    if (strcmp(word, name) == 0) return i;
  return -1;
}

/* The accuracy policy whose name the word is, or -1. */
static int accuracy_of(const char *word)
{
  const char *name;
  for (int i = 0; word && (name = cnnblas_accuracy_policy_name((cnnblas_accuracy_policy)i)); i++)
    if (strcmp(word, name) == 0) return i;
  return -1;
}

static cnnblas_status read_entry(const reader *r, char *line, cb_wisdom_entry *entry)
{
  char *word = next_word(&line);
  entry->key.dtype = index_of(word, dtypes, 2);
  if (entry->key.dtype < 0) return refuse(r, CNNBLAS_BAD_FORMAT, "dtype is \"%.40s\"; it is f32 or f64", word);
  word = next_word(&line);
  entry->key.direction = direction_of(word);
  if (entry->key.direction < 0)
    return refuse(r, CNNBLAS_BAD_FORMAT, "direction is \"%.40s\", which names none", word ? word : "");
  word = next_word(&line);
  entry->key.accuracy = accuracy_of(word);
  if (entry->key.accuracy < 0)
    return refuse(r, CNNBLAS_BAD_FORMAT, "accuracy is \"%.40s\", which names none", word ? word : "");
  for (int i = 0; i < CB_WISDOM_NUMBERS; i++) {
    word = next_word(&line);
    char *end = word;
    errno = 0;
    entry->key.number[i] = word ? strtoll(word, &end, 10) : 0;
    if (!word || end == word || *end || errno)
      return refuse(r, CNNBLAS_BAD_FORMAT, "number %d of %d is \"%.40s\"", i + 1, CB_WISDOM_NUMBERS, word ? word : "");
  }
  word = next_word(&line);
  entry->algorithm = word ? cb_algorithm_find(word) : NULL;
  if (!entry->algorithm || entry->algorithm->by_name_only)
    return refuse(r, CNNBLAS_BAD_FORMAT, "algorithm is \"%.40s\", which is none to choose from", word ? word : "");
  entry->any_orientation = strcmp(entry->algorithm->full_name, word) != 0;
  return line ? refuse(r, CNNBLAS_BAD_FORMAT, "\"%.40s\" stands behind the algorithm", line) : CNNBLAS_OK;
}

/* Checks the last line: the number of problems, `count`, and the hash. */
static cnnblas_status read_end(const reader *r, const char *line, size_t count)
{
  char want[64];
  snprintf(want, sizeof want, "end %zu %016llx", count, (unsigned long long)r->before);
  if (strcmp(line, want) != 0)
    return refuse(r, CNNBLAS_BAD_FORMAT, "the line is \"%.60s\"; what stands above gives \"%s\": the file was changed",
                  line, want);
  if (r->at != r->bytes) return refuse(r, CNNBLAS_BAD_FORMAT, "the file goes on after this line");
  return CNNBLAS_OK;
}

/* Fills an empty list from the text. */
static cnnblas_status read_list(reader *r, cb_wisdom_list *list)
{
  cnnblas_status status = expect(r, "cnnblas-wisdom", "2");
  if (!status) status = expect(r, "library", cnnblas_version_string());
  if (!status) status = expect(r, "cpu", cpu_model());
  if (!status) status = expect(r, "level", cb_isa_name(cb_cpu_get()->level));
  for (char *line; !status && !(status = next_line(r, &line));) {
    if (strncmp(line, "end ", 4) == 0) return read_end(r, line, list->count);
    cb_wisdom_entry entry;
    bool found;
    status = read_entry(r, line, &entry);
    if (status) break;
    size_t place = cb_wisdom_place(list, &entry.key, &found);
    status = found ? refuse(r, CNNBLAS_BAD_FORMAT, "the problem of this line stands in a line above")
                   : cb_wisdom_insert(list, place, &entry);
  }
  return status;
}

/* Reads the whole of a regular file into memory that it allocates. */
static cnnblas_status read_text(const char *path, char **text, size_t *bytes)
{
  struct stat about;
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return cb_fail(CNNBLAS_IO_ERROR, "%.200s: %s", path, strerror(errno));
  cnnblas_status status = CNNBLAS_OK;
  if (fstat(file, &about) != 0)
    status = cb_fail(CNNBLAS_IO_ERROR, "%.200s: %s", path, strerror(errno));
  else if (!S_ISREG(about.st_mode))
    status = cb_fail(CNNBLAS_IO_ERROR, "%.200s: not a regular file", path);
  else if (about.st_size > MOST_BYTES)
    status = cb_fail(CNNBLAS_BAD_FORMAT, "%.200s: %lld bytes; wisdom has at most %d", path, (long long)about.st_size,
                     (int)MOST_BYTES);
  *bytes = 0;
  *text = status ? NULL : cb_alloc((size_t)about.st_size + 1);
  if (!status && !*text) status = cb_fail_memory((size_t)about.st_size + 1, "a wisdom file");
  while (!status && *bytes < (size_t)about.st_size) {
    ssize_t got = read(file, *text + *bytes, (size_t)about.st_size - *bytes);
    if (got > 0)
      *bytes += (size_t)got;
    else if (got == 0)
      break; /* the file became shorter meanwhile: its last line is missing */
    else if (errno != EINTR)
      status = cb_fail(CNNBLAS_IO_ERROR, "%.200s: %s", path, strerror(errno));
  }
  close(file);
  return status;
}

/* Makes `both` of the entries of a and b, with b's entry where both lists have one. An empty list may have no
   memory. */
static cnnblas_status merge(const cb_wisdom_list *a, const cb_wisdom_list *b, cb_wisdom_list *both)
{
  size_t capacity = a->count + b->count, i = 0;
  *both = (cb_wisdom_list){0};
  if (!capacity) return CNNBLAS_OK;
  both->items = cb_alloc(capacity * sizeof *both->items);
  if (!both->items) return cb_fail_memory(capacity * sizeof *both->items, "measured choices");
  both->capacity = capacity;
  for (size_t j = 0; j < b->count; j++) {
    bool found;
    size_t place = cb_wisdom_place(a, &b->items[j].key, &found);
    while (i < place) both->items[both->count++] = a->items[i++];
    i += found;
    both->items[both->count++] = b->items[j];
  }
  while (i < a->count) both->items[both->count++] = a->items[i++];
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_wisdom_load(cnnblas_wisdom *wisdom, const char *path)
{
  if (!wisdom || !path) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s is NULL", wisdom ? "path" : "wisdom");
  cb_wisdom_list list = {0}, both;
  reader r = {.path = path, .sum = hash_of_nothing};
  cnnblas_status status = read_text(path, &r.text, &r.bytes);
  if (!status) status = read_list(&r, &list);
  cb_free(r.text);
  if (!status) {
    cb_wisdom_lock();
    status = merge(&wisdom->list, &list, &both);
    if (!status) {
      cb_free(wisdom->list.items);
      wisdom->list = both;
    }
    cb_wisdom_unlock();
  }
  cb_free(list.items);
  return status;
}

/* Appends to a text of `room` bytes, which always suffices. */
static void __attribute__((format(printf, 4, 5))) append(char *text, size_t room, size_t *used, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  int written = vsnprintf(text + *used, room - *used, format, args);
  va_end(args);
  if (written > 0) *used += (size_t)written;
}

/* Writes the list as a file's text into memory that it allocates. */
static cnnblas_status write_text(const cb_wisdom_list *list, char **text, size_t *bytes)
{
  size_t room = (list->count + 5) * LONGEST_LINE;
  *bytes = 0;
  *text = cb_alloc(room);
  if (!*text) return cb_fail_memory(room, "a wisdom file");
  append(*text, room, bytes, "cnnblas-wisdom 2\nlibrary %s\ncpu %s\nlevel %s\n", cnnblas_version_string(), cpu_model(),
         cb_isa_name(cb_cpu_get()->level));
  for (size_t i = 0; i < list->count; i++) {
    const cb_wisdom_entry *entry = &list->items[i];
    append(*text, room, bytes, "%s %s %s", dtypes[entry->key.dtype],
           cnnblas_conv_direction_name((cnnblas_conv_direction)entry->key.direction),
           cnnblas_accuracy_policy_name((cnnblas_accuracy_policy)entry->key.accuracy));
    for (int n = 0; n < CB_WISDOM_NUMBERS; n++) append(*text, room, bytes, " %lld", (long long)entry->key.number[n]);
    append(*text, room, bytes, " %s\n", entry->any_orientation ? entry->algorithm->name : entry->algorithm->full_name);
  }
  uint64_t sum = hash(hash_of_nothing, *text, *bytes);
  append(*text, room, bytes, "end %zu %016llx\n", list->count, (unsigned long long)sum);
  return CNNBLAS_OK;
}

/* Writes all bytes to the file. False, with errno set, if that fails. */
static bool write_all(int file, const char *text, size_t bytes)
{
  for (size_t at = 0; at < bytes;) {
    ssize_t put = write(file, text + at, bytes - at);
    if (put > 0)
      at += (size_t)put;
    else if (put == 0 || errno != EINTR)
      return false;
  }
  return true;
}

/* Puts the text in the place of the file's content. */
static cnnblas_status replace_file(const char *path, const char *text, size_t bytes)
{
  cb_replacement r;
  int failed = cb_replace_begin(&r, path, false);
  if (!failed) {
    bool written = write_all(r.fd, text, bytes);
    int error = errno;
    failed = cb_replace_end(&r, written) || !written;
    if (!written) errno = error;
  } else if (!r.doing) {
    return cb_fail(CNNBLAS_IO_ERROR, "%.200s: not a regular file", path);
  }
  return failed ? cb_fail(CNNBLAS_IO_ERROR, "%.200s: %s", path, strerror(errno)) : CNNBLAS_OK;
}

cnnblas_status cnnblas_wisdom_save(const cnnblas_wisdom *wisdom, const char *path)
{
  if (!wisdom || !path) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s is NULL", wisdom ? "path" : "wisdom");
  char *text;
  size_t bytes;
  cb_wisdom_lock();
  cnnblas_status status = write_text(&wisdom->list, &text, &bytes);
  cb_wisdom_unlock();
  if (status) return status;
  status = replace_file(path, text, bytes);
  cb_free(text);
  return status;
}
