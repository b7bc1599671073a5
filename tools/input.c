/* A file's image as a network's input; see input.h. */
#include "input.h"
#include "command.h"
#include "data/idx_images.h"
#include "io/idx.h"
#include "io/picture.h"
#include "io/picture_fit.h"
#include <string.h>

int input_wrong_size(const char *path, const char *model, const cnnblas_net_info *info, int64_t c,
                     const int64_t size[3])
{
  char is[96], wanted[96];
  return command_fail(COMMAND_BAD_INPUT, "%s: %s pixels; %s takes %s", path, command_shape(is, sizeof is, c, size),
                      model, command_shape(wanted, sizeof wanted, info->c, info->size));
}

int input_from_picture(const char *path, const io_buffer *file, const cnnblas_net_info *info, const input_norm *norm,
                       bool invert, void *x)
{
  picture pic = {0};
  io_error error;
  if (!info->size[1] || info->size[2])
    return command_fail(COMMAND_BAD_INPUT, "%s: a picture has two axes, the network's input has another number", path);
  io_status read = picture_parse(path, file->bytes, file->count, info->c, &pic, &error);
  if (!read) read = picture_fit(path, &pic, info->size[0], info->size[1], &pic, &error);
  const int64_t plane = info->size[0] * info->size[1];
  for (int64_t i = 0; i < info->input_elements && !read; i++) {
    const int64_t at = norm_place(norm, i / plane);
    double pixel = norm->white * (double)(invert ? 1 - pic.pixels[i] : pic.pixels[i]);
    double value = (pixel - norm->mean[at]) * norm->scale[at];
    if (info->dtype == CNNBLAS_F64)
      ((double *)x)[i] = value;
    else
      ((float *)x)[i] = (float)value;
  }
  picture_free(&pic);
  return read ? command_fail((int)read, "%s", error.text) : COMMAND_FINE;
}

/* As an IDX file begins, plain or packed by gzip. */
static bool begins_as_idx(const io_buffer *file)
{
  const unsigned char *b = file->bytes;
  return file->count < 4 || (!b[0] && !b[1]) || (b[0] == 0x1f && b[1] == 0x8b);
}

int input_check_images(const char *path, const io_buffer *file, const char *model, const cnnblas_net_info *info,
                       bool transposed)
{
  idx_array a;
  io_error error;
  if (!begins_as_idx(file))
    return command_fail(COMMAND_BAD_INPUT, "%s: neither PNG, JPEG, PGM or PPM nor an IDX file", path);
  if (idx_parse_head(path, file->bytes, file->count, &a, &error) || a.rank < 3 || a.rank > 4) return COMMAND_FINE;
  int64_t c = a.rank == 4 ? a.size[1] : 1, size[3] = {0};
  size[transposed] = a.size[a.rank - 2];
  size[!transposed] = a.size[a.rank - 1];
  if (c == info->c && !memcmp(size, info->size, sizeof size)) return COMMAND_FINE;
  if (a.rank == 4 && a.size[3] == info->c && a.size[1] == info->size[0] && a.size[2] == info->size[1])
    return command_fail(COMMAND_BAD_INPUT, "%s: its axes are n, h, w, c; they must be n, c, h, w", path);
  return input_wrong_size(path, model, info, c, size);
}

static int first_of_idx(const char *path, const char *model, const cnnblas_net_info *info, const input_norm *norm,
                        void *x)
{
  static const dataset_form plain = {0};
  dataset d = {0};
  io_error error;
  const dataset_part first = {.count = 1};
  io_status read = idx_images_read_file(path, &plain, &d, &error);
  if (read) return command_fail((int)read, "%s", error.text);
  int status = COMMAND_FINE;
  if (d.c != info->c || memcmp(d.size, info->size, sizeof d.size))
    status = input_wrong_size(path, model, info, d.c, d.size);
  else if (d.count == 0)
    status = command_fail(COMMAND_BAD_INPUT, "%s: it has no image", path);
  else if ((read = dataset_gather(&d, &first, norm, info->dtype, x, NULL, &error)))
    status = command_fail((int)read, "%s", error.text);
  dataset_free(&d);
  return status;
}

int input_from_file(const char *path, const char *model, const cnnblas_net_info *info, const input_norm *norm,
                    bool invert, void *x)
{
  io_buffer file = {0};
  io_error error;
  io_status read = io_read_file(path, IO_MOST_BYTES, &file, &error);
  if (read) return command_fail((int)read, "%s", error.text);
  bool is_picture = picture_recognise(file.bytes, file.count);
  int status = is_picture ? input_from_picture(path, &file, info, norm, invert, x)
                          : input_check_images(path, &file, model, info, false);
  io_buffer_free(&file);
  return is_picture || status ? status : first_of_idx(path, model, info, norm, x);
}
