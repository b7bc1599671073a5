/* JPEG by libjpeg-turbo; its errors, and warnings of damage, come back as sentences. */
#include "io/picture_jpeg.h"
#include "io/system.h"
#include <setjmp.h>
#include <stdio.h>
/* jpeglib.h needs size_t and FILE. */
#include <jerror.h>
#include <jpeglib.h>
#include <string.h>

enum { MOST_SCANS = 500 /* of a progressive file: more take time and show nothing */, MOST_WORK = 1 << 30 /* bytes */ };

typedef struct {
  struct jpeg_error_mgr manager; /* first: what libjpeg hands back */
  struct jpeg_progress_mgr progress;
  const char *name;
  io_error *error;
  io_status status;
  jmp_buf jump;
  picture p;
  uint8_t *row; /* [w][channels] */
} decoder;

static void failed(j_common_ptr jpeg)
{
  decoder *d = (decoder *)jpeg->err;
  char why[JMSG_LENGTH_MAX];
  d->manager.format_message(jpeg, why);
  if (!d->status) {
    bool room = d->manager.msg_code == JERR_OUT_OF_MEMORY;
    d->status = room ? io_fail_memory(d->error, d->name, MOST_WORK, "a JPEG's decoding")
                     : io_fail(d->error, IO_BAD_INPUT, "%s: damaged JPEG: %s", d->name, why);
  }
  longjmp(d->jump, 1);
}

/* A warning is damage that libjpeg would paint grey; bytes too many between markers are not. */
static void warned(j_common_ptr jpeg, int level)
{
  if (level < 0 && jpeg->err->msg_code != JWRN_EXTRANEOUS_DATA) failed(jpeg);
}

static void count_scans(j_common_ptr jpeg)
{
  decoder *d = (decoder *)jpeg->err;
  if (((j_decompress_ptr)jpeg)->input_scan_number <= MOST_SCANS) return;
  d->status = io_fail(d->error, IO_BAD_INPUT, "%s: damaged JPEG: more than %d scans", d->name, MOST_SCANS);
  longjmp(d->jump, 1);
}

static void store(decoder *d, int64_t i, int channels)
{
  picture *p = &d->p;
  for (int64_t j = 0; j < p->w; j++) {
    const uint8_t *at = d->row + channels * j;
    if (p->c == 1)
      p->pixels[i * p->w + j] = (float)(channels == 1 ? at[0] : picture_grey(at[0], at[1], at[2])) / 255.0F;
    else
      for (int64_t c = 0; c < 3; c++) p->pixels[(c * p->h + i) * p->w + j] = (float)at[channels == 1 ? 0 : c] / 255.0F;
  }
}

static void decode(decoder *d, struct jpeg_decompress_struct *jpeg, const uint8_t *bytes, size_t count, int64_t c)
{
  if (setjmp(d->jump)) return;
  jpeg_create_decompress(jpeg);
  jpeg->progress = &d->progress;
  jpeg->mem->max_memory_to_use = MOST_WORK;
  jpeg_mem_src(jpeg, bytes, count);
  jpeg_read_header(jpeg, TRUE);
  if (jpeg->num_components != 1 && jpeg->num_components != 3) {
    d->status = io_fail(d->error, IO_BAD_INPUT, "%s: a JPEG of %d components; 1 (grey) and 3 (colours) can be read",
                        d->name, jpeg->num_components);
    return;
  }
  if ((d->status = picture_alloc(d->name, c, jpeg->image_height, jpeg->image_width, &d->p, d->error))) return;
  jpeg->out_color_space = jpeg->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg->dct_method = JDCT_ISLOW;
  jpeg_start_decompress(jpeg);
  size_t row_bytes = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
  d->row = io_alloc(row_bytes);
  if (!d->row) {
    d->status = io_fail_memory(d->error, d->name, row_bytes, "a row");
    return;
  }
  for (int64_t i = 0; i < d->p.h; i++) {
    JSAMPROW row = d->row;
    jpeg_read_scanlines(jpeg, &row, 1);
    store(d, i, jpeg->output_components);
  }
  jpeg_finish_decompress(jpeg);
}

io_status picture_parse_jpeg(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out,
                             io_error *error)
{
  decoder d = {.name = name, .error = error};
  struct jpeg_decompress_struct jpeg = {.err = jpeg_std_error(&d.manager)};
  d.manager.error_exit = failed;
  d.manager.emit_message = warned;
  d.progress.progress_monitor = count_scans;
  decode(&d, &jpeg, bytes, count, c);
  jpeg_destroy_decompress(&jpeg);
  io_free(d.row);
  if (d.status)
    picture_free(&d.p);
  else
    *out = d.p;
  return d.status;
}
