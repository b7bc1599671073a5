/* From bytes to messages; see wire.h. */
#include "onnx/wire.h"
#include "base/shared.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the scan ---- */

typedef struct {
  const uint8_t *bytes;
  size_t at, end;
} cursor;

static bool read_varint(cursor *c, uint64_t *value)
{
  *value = 0;
  for (int shift = 0; shift < 70 && c->at < c->end; shift += 7) {
    uint8_t byte = c->bytes[c->at++];
    if (shift < 64) *value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) return true;
  }
  return false;
}

/* The kind of message that a field of a message is; NULL if it is no message. */
static const ProtobufCMessageDescriptor *message_of(const ProtobufCMessageDescriptor *type, uint64_t field)
{
  const ProtobufCFieldDescriptor *f =
      field <= UINT32_MAX ? protobuf_c_message_descriptor_get_field(type, (unsigned)field) : NULL;
  return f && f->type == PROTOBUF_C_TYPE_MESSAGE ? f->descriptor : NULL;
}

typedef struct {
  const ProtobufCMessageDescriptor *type;
  size_t end;
} level;

/* Steps over one field, or into a message: *inside gets its kind and end. Returns false if the bytes are not in the
   format. */
static bool step(cursor *c, const ProtobufCMessageDescriptor *type, level *inside)
{
  uint64_t key, n;
  inside->type = NULL;
  if (!read_varint(c, &key) || !(key >> 3)) return false;
  switch (key & 7) {
  case 0:
    return read_varint(c, &n);
  case 1:
    n = 8;
    break;
  case 5:
    n = 4;
    break;
  case 2:
    if (!read_varint(c, &n)) return false;
    break;
  default:
    return false;
  }
  if (n > c->end - c->at) return false;
  if ((key & 7) == 2) inside->type = message_of(type, key >> 3);
  inside->end = c->at + (size_t)n;
  if (!inside->type) c->at = inside->end;
  return true;
}

static cnnblas_status scan(const ProtobufCMessageDescriptor *type, const void *bytes, size_t count, const char *what)
{
  level levels[CB_ONNX_DEPTH] = {{type, count}};
  int depth = 0;
  cursor c = {.bytes = bytes, .end = count};
  while (depth >= 0) {
    c.end = levels[depth].end;
    if (c.at == c.end) {
      depth--;
      continue;
    }
    level inside;
    if (!step(&c, levels[depth].type, &inside))
      return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "%s: not in protobuf's format at byte %zu", what, c.at);
    if (!inside.type) continue;
    if (++depth == CB_ONNX_DEPTH)
      return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "%s: messages nest deeper than %d at byte %zu", what,
                                 CB_ONNX_DEPTH, c.at);
    levels[depth] = inside;
  }
  return CNNBLAS_OK;
}

/* ---- unpacking ---- */

/* Each allocated piece has so many bytes in front, which hold its size. */
enum { FRONT = 64 };

static void *take(void *data, size_t bytes)
{
  cb_onnx_message *m = data;
  if (bytes > SIZE_MAX - FRONT || bytes + FRONT > m->budget - m->used) {
    m->spent = true;
    return NULL;
  }
  char *piece = cnnblas_shared_alloc(bytes + FRONT, 0);
  if (!piece) return NULL;
  memcpy(piece, &bytes, sizeof bytes);
  m->used += bytes + FRONT;
  return piece + FRONT;
}

static void give_back(void *data, void *piece)
{
  if (!piece) return;
  cb_onnx_message *m = data;
  size_t bytes;
  memcpy(&bytes, (char *)piece - FRONT, sizeof bytes);
  m->used -= bytes + FRONT;
  cnnblas_shared_free((char *)piece - FRONT);
}

cnnblas_status cb_onnx_unpack(cb_onnx_message *m, const ProtobufCMessageDescriptor *type, const void *bytes,
                              size_t count, const char *what)
{
  *m = (cb_onnx_message){.budget = count > (SIZE_MAX - CB_ONNX_SPARE) / 3 ? SIZE_MAX : 3 * count + CB_ONNX_SPARE};
  cnnblas_status status = scan(type, bytes, count, what);
  if (status) return status;
  m->allocator = (ProtobufCAllocator){.alloc = take, .free = give_back, .allocator_data = m};
  m->message = protobuf_c_message_unpack(type, &m->allocator, count, bytes);
  if (m->message) return CNNBLAS_OK;
  if (m->spent)
    return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT,
                               "%s: its messages take more than %zu bytes, too many for a file of %zu", what, m->budget,
                               count);
  return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "%s: not a message of ONNX's format, or out of memory", what);
}

void cb_onnx_message_free(cb_onnx_message *m)
{
  if (m->message) protobuf_c_message_free_unpacked(m->message, &m->allocator);
  m->message = NULL;
}

void cb_onnx_message_drop(cb_onnx_message *m, void *piece)
{
  give_back(m, piece);
}

/* ---- files ---- */

cnnblas_status cb_onnx_read_at(int fd, const char *path, size_t offset, size_t count, void *bytes)
{
  for (size_t done = 0; done < count;) {
    ssize_t n = pread(fd, (char *)bytes + done, count - done, (off_t)(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return cnnblas_shared_fail(CNNBLAS_IO_ERROR, "%.200s: %s", path, strerror(errno));
    if (!n) return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "%.200s: it ends at byte %zu", path, offset + done);
    done += (size_t)n;
  }
  return CNNBLAS_OK;
}

cnnblas_status cb_onnx_open(const char *path, int *fd, size_t *size)
{
  struct stat s;
  cnnblas_status status = CNNBLAS_OK;
  *fd = open(path, O_RDONLY | O_CLOEXEC);
  if (*fd < 0 || fstat(*fd, &s))
    status = cnnblas_shared_fail(CNNBLAS_IO_ERROR, "%.200s: %s", path, strerror(errno));
  else if (!S_ISREG(s.st_mode))
    status = cnnblas_shared_fail(CNNBLAS_IO_ERROR, "%.200s: not a regular file", path);
  else
    *size = (size_t)s.st_size;
  if (status && *fd >= 0) {
    close(*fd);
    *fd = -1;
  }
  return status;
}

cnnblas_status cb_onnx_read_file(const char *path, size_t offset, size_t count, void **bytes, size_t *got)
{
  int fd;
  size_t size;
  void *room = NULL;
  cnnblas_status status = cb_onnx_open(path, &fd, &size);
  if (status) return status;
  if (count == SIZE_MAX && offset <= size) count = size - offset;
  if (offset > size || count > size - offset)
    status = cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "%.200s: has %zu bytes, too few for %zu from byte %zu", path, size,
                                 count, offset);
  else if (!(room = cnnblas_shared_alloc(count ? count : 1, 0)))
    status = cnnblas_shared_no_memory(count, path);
  if (!status) status = cb_onnx_read_at(fd, path, offset, count, room);
  if (status) {
    cnnblas_shared_free(room);
  } else {
    *bytes = room;
    *got = count;
  }
  close(fd);
  return status;
}
