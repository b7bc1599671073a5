/*
 * What is in a picture, by an ONNX model that was trained for ImageNet's classes, or any other.
 *
 *   cc classify.c $(pkg-config --cflags --libs cnnblas_onnx libpng) -lm && ./a.out model.onnx photo.png [names.txt]
 *
 * The model takes one image, f32 [1][3][height][width], and gives a score for each class. The picture is scaled to that size
 * and normalised as ImageNet's are. Prints the five classes of the highest scores, with their softmax.
 * Exit status 2: usage, 3: a file that cannot be read or a model that takes no such picture, 4: out of memory.
 */
#include <cnnblas/onnx.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what, const char *why, int status)
{
  fprintf(stderr, "classify: %s: %s\n", what, why);
  return status;
}

/* x[c][i][j] = the mean of the pixels that (i, j) stands for, normalised. */
static void scale(const png_byte *pixels, int64_t in_h, int64_t in_w, int64_t h, int64_t w, float *x)
{
  static const float mean[] = {0.485F, 0.456F, 0.406F}, deviation[] = {0.229F, 0.224F, 0.225F};
  for (int64_t c = 0; c < 3; c++)
    for (int64_t i = 0; i < h; i++)
      for (int64_t j = 0; j < w; j++) {
        const int64_t top = i * in_h / h, left = j * in_w / w;
        int64_t bottom = (i + 1) * in_h / h, right = (j + 1) * in_w / w;
        if (bottom == top) bottom++;
        if (right == left) right++;
        float sum = 0;
        for (int64_t k = top; k < bottom; k++)
          for (int64_t l = left; l < right; l++) sum += pixels[(k * in_w + l) * 3 + c];
        *x++ = (sum / (float)((bottom - top) * (right - left)) / 255 - mean[c]) / deviation[c];
      }
}

/* Reads the picture as the model's input takes it; *x is the caller's to free. */
static int read_picture(const char *path, cnnblas_onnx_array *input, float **x)
{
  png_image image = {.version = PNG_IMAGE_VERSION};
  if (!png_image_begin_read_from_file(&image, path)) return fail(path, image.message, 3);
  image.format = PNG_FORMAT_RGB;
  png_byte *pixels = malloc(PNG_IMAGE_SIZE(image));
  *x = malloc((size_t)(3 * input->size[2] * input->size[3]) * sizeof **x);
  int status = pixels && *x ? 0 : fail(path, "out of memory", 4);
  if (!status && !png_image_finish_read(&image, NULL, pixels, 0, NULL)) status = fail(path, image.message, 3);
  if (!status) scale(pixels, image.height, image.width, input->size[2], input->size[3], *x);
  png_image_free(&image);
  free(pixels);
  input->data = *x;
  return status;
}

/* The name in line `index` of the file, without its end; the number where there is no such line. */
static void print_name(const char *path, int64_t index)
{
  char line[256] = "";
  FILE *file = path ? fopen(path, "r") : NULL;
  for (int64_t i = 0; file && i <= index; i++)
    if (!fgets(line, sizeof line, file)) line[0] = 0;
  if (file) fclose(file);
  line[strcspn(line, "\r\n")] = 0;
  if (line[0])
    puts(line);
  else
    printf("class %lld\n", (long long)index);
}

static void print_best(const cnnblas_onnx_array *y, const char *names)
{
  const float *score = y->data;
  int64_t classes = 1, best[5] = {0}, count = 0;
  double sum = 0;
  for (int i = 0; i < y->rank; i++) classes *= y->size[i];
  for (; count < 5 && count < classes; count++) {
    int64_t next = -1;
    for (int64_t i = 0; i < classes; i++) {
      int64_t told = 0;
      while (told < count && best[told] != i) told++;
      if (told == count && (next < 0 || score[i] > score[next])) next = i;
    }
    best[count] = next;
  }
  for (int64_t i = 0; i < classes; i++) sum += exp((double)score[i] - (double)score[best[0]]);
  for (int64_t i = 0; i < count; i++) {
    printf("%5.1f%%  ", 100 * exp((double)score[best[i]] - (double)score[best[0]]) / sum);
    print_name(names, best[i]);
  }
}

int main(int argc, char **argv)
{
  if (argc < 3 || argc > 4) return fail("usage", "classify MODEL.onnx PICTURE.png [NAMES.txt]", 2);
  cnnblas_onnx *model = NULL;
  if (cnnblas_onnx_load(argv[1], NULL, &model)) return fail(argv[1], cnnblas_last_error(), 3);
  cnnblas_onnx_array input = {0}, output = {0};
  float *x = NULL;
  int status = 0;
  if (cnnblas_onnx_get_input(model, 0, &input) || input.rank != 4 || input.size[1] != 3 || input.size[2] < 1 ||
      input.size[3] < 1)
    status = fail(argv[1], "its input is no picture of a known size in three colours", 3);
  input.size[0] = 1;
  if (!status) status = read_picture(argv[2], &input, &x);
  if (!status && (cnnblas_onnx_run(model, &input, 1, &output, 1) || output.type != CNNBLAS_ONNX_F32))
    status = fail(argv[1], cnnblas_last_error(), 3);
  if (!status) print_best(&output, argc > 3 ? argv[3] : NULL);
  free(x);
  cnnblas_onnx_destroy(model);
  return status;
}
