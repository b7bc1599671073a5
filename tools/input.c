/* A file's image as a network's input; see input.h. */
#include "input.h"
#include "command.h"
#include "dataset.h"
#include "io/idx.h"
#include "io/picture.h"
#include <string.h>

int input_wrong_size(const char *path, const char *model, const cnnblas_net_info *info, int64_t c,
                     const int64_t size[3])
{
  char is[96], wanted[96];
  return command_fail(COMMAND_BAD_INPUT, "%s: %s pixels; %s takes %s", path, command_shape(is, sizeof is, c, size),
                      model, command_shape(wanted, sizeof wanted, info->c, info->size));
}

int input_from_picture(const char *path, const io_buffer *file, const char *model, const cnnblas_net_info *info,
                       const input_norm *norm, bool invert, void *x)
{
  picture pic = {0};
  io_error error;
  int64_t h, w; /* a picture of another size is not decoded, however large it says to be */
  if (picture_size(file->bytes, file->count, &h, &w) && (h != info->size[0] || w != info->size[1] || info->size[2]))
    return input_wrong_size(path, model, info, info->c, (int64_t[3]){h, w, 0});
  io_status read = picture_parse(path, file->bytes, file->count, info->c, &pic, &error);
  if (read) return command_fail((int)read, "%s", error.text);
  int status = COMMAND_FINE;
  if (pic.h != info->size[0] || pic.w != info->size[1] || info->size[2])
    status = input_wrong_size(path, model, info, pic.c, (int64_t[3]){pic.h, pic.w, 0});
  for (int64_t i = 0; i < info->input_elements && !status; i++) {
    double pixel = norm->white * (double)(invert ? 1 - pic.pixels[i] : pic.pixels[i]);
    double value = (pixel - norm->mean) * norm->scale;
    if (info->dtype == CNNBLAS_F64)
      ((double *)x)[i] = value;
    else
      ((float *)x)[i] = (float)value;
  }
  picture_free(&pic);
  return status;
}

int input_check_images(const char *path, const io_buffer *file, const char *model, const cnnblas_net_info *info,
                       bool transposed)
{
  idx_array a;
  io_error error;
  if (idx_parse_head(path, file->bytes, file->count, &a, &error) || a.rank < 3 || a.rank > 4) return COMMAND_FINE;
  int64_t c = a.rank == 4 ? a.size[1] : 1, size[3] = {0};
  size[transposed] = a.size[a.rank - 2];
  size[!transposed] = a.size[a.rank - 1];
  if (c == info->c && !memcmp(size, info->size, sizeof size)) return COMMAND_FINE;
  return input_wrong_size(path, model, info, c, size);
}

static int first_of_idx(const char *path, const char *model, const cnnblas_net_info *info, const input_norm *norm,
                        void *x)
{
  static const dataset_form plain = {0};
  dataset d = {0};
  io_error error;
  io_status read = dataset_read_images(path, &plain, &d, &error);
  if (read) return command_fail((int)read, "%s", error.text);
  int status = COMMAND_FINE;
  if (d.c != info->c || memcmp(d.size, info->size, sizeof d.size))
    status = input_wrong_size(path, model, info, d.c, d.size);
  else if (d.count == 0)
    status = command_fail(COMMAND_BAD_INPUT, "%s: it has no image", path);
  else
    dataset_gather(&d, NULL, 0, 1, norm, info->dtype, x, NULL);
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
  int status = is_picture ? input_from_picture(path, &file, model, info, norm, invert, x)
                          : input_check_images(path, &file, model, info, false);
  io_buffer_free(&file);
  return is_picture || status ? status : first_of_idx(path, model, info, norm, x);
}
