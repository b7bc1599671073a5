/* Plain and gzipped bytes; see source.h. Decoding is zlib's. */
#include "io/source.h"
#include "io/system.h"
#include <limits.h>
#include <string.h>

enum { GZIP = 16 + MAX_WBITS, PIECE = 1 << 30 /* zlib counts in unsigned int */ };

static voidpf allocate(voidpf opaque, uInt items, uInt size)
{
  (void)opaque;
  return io_alloc_zeroed(items, size);
}

static void release(voidpf opaque, voidpf memory)
{
  (void)opaque;
  io_free(memory);
}

io_status io_source_open(io_source *s, const char *name, const uint8_t *bytes, size_t count, io_error *error)
{
  memset(s, 0, sizeof *s);
  s->name = name;
  s->bytes = bytes;
  s->count = count;
  s->gzip = count >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
  if (!s->gzip) return IO_OK;
  s->stream.zalloc = allocate;
  s->stream.zfree = release;
  if (inflateInit2(&s->stream, GZIP) != Z_OK) return io_fail_memory(error, name, 65536, "decompression");
  return IO_OK;
}

void io_source_close(io_source *s)
{
  if (s->gzip) inflateEnd(&s->stream);
  s->gzip = false;
}

/* Compressed bytes that zlib has not been given or not used yet. */
static size_t compressed_left(const io_source *s)
{
  return s->count - s->at + s->stream.avail_in;
}

static void feed(io_source *s)
{
  if (s->stream.avail_in || s->at == s->count) return;
  size_t piece = s->count - s->at < PIECE ? s->count - s->at : PIECE;
  s->stream.next_in = (Bytef *)(uintptr_t)(s->bytes + s->at); /* zlib does not write to it */
  s->stream.avail_in = (uInt)piece;
  s->at += piece;
}

/* At the end of a member: Z_OK, ready for the next, if one follows; Z_STREAM_END if nothing does, or zeros alone (tapes and
   blocks are filled up with them); Z_DATA_ERROR for anything else. */
static int next_member(io_source *s)
{
  size_t left = compressed_left(s), zeros = 0;
  const uint8_t *at = s->bytes + (s->count - left);
  if (left >= 2 && at[0] == 0x1f && at[1] == 0x8b) return inflateReset(&s->stream);
  while (zeros < left && !at[zeros]) zeros++;
  if (zeros == left) {
    s->at = s->count;
    s->stream.avail_in = 0;
    return Z_STREAM_END;
  }
  static char words[] = "its end is followed by what is neither gzip data nor zeros";
  s->stream.msg = words;
  return Z_DATA_ERROR;
}

/* Decodes up to count bytes, over the seams of files that were concatenated. Z_STREAM_END at the end of all. */
static int inflate_some(io_source *s, uint8_t *out, size_t count, size_t *got)
{
  int code = Z_OK;
  for (*got = 0; code == Z_OK;) {
    size_t piece = count - *got < PIECE ? count - *got : PIECE;
    feed(s);
    s->stream.next_out = out + *got;
    s->stream.avail_out = (uInt)piece;
    code = inflate(&s->stream, Z_NO_FLUSH);
    *got += piece - s->stream.avail_out;
    if (code == Z_STREAM_END) code = next_member(s);
    if (code == Z_OK && *got == count && count) break;
  }
  return code;
}

static io_status bad_gzip(const io_source *s, int code, const char *what, io_error *error)
{
  if (code == Z_MEM_ERROR) return io_fail_memory(error, s->name, 65536, "decompression");
  if (code == Z_DATA_ERROR || code == Z_NEED_DICT)
    return io_fail(error, IO_BAD_INPUT, "%s: damaged gzip data%s%s", s->name, s->stream.msg ? ": " : "",
                   s->stream.msg ? s->stream.msg : "");
  return io_fail(error, IO_BAD_INPUT, "%s: ends within %s", s->name, what);
}

io_status io_source_read(io_source *s, void *out, size_t count, const char *what, io_error *error)
{
  if (!count) return IO_OK;
  if (s->gzip) {
    size_t got;
    int code = inflate_some(s, out, count, &got);
    return got == count ? IO_OK : bad_gzip(s, code, what, error);
  }
  if (s->count - s->at < count) return io_fail(error, IO_BAD_INPUT, "%s: ends within %s", s->name, what);
  memcpy(out, s->bytes + s->at, count);
  s->at += count;
  return IO_OK;
}

size_t io_source_bound(const io_source *s)
{
  if (!s->gzip) return s->count - s->at;
  size_t bound, left = compressed_left(s);
  /* Deflate makes at most 1032 bytes of one; up to 64 KiB may wait inside zlib. */
  if (__builtin_mul_overflow(left, (size_t)1032, &bound) || __builtin_add_overflow(bound, (size_t)65536, &bound))
    return SIZE_MAX;
  return bound;
}

io_status io_source_end(io_source *s, io_error *error)
{
  uint8_t byte;
  size_t got = 0;
  int code = Z_STREAM_END;
  if (s->gzip) {
    code = inflate_some(s, &byte, 1, &got);
    if (got == 0 && code != Z_STREAM_END) return bad_gzip(s, code, "its gzip checksum", error);
  } else {
    got = s->count > s->at;
  }
  return got ? io_fail(error, IO_BAD_INPUT, "%s: goes on after its last element", s->name) : IO_OK;
}
