/*
 * A trained model, used: the class of a picture by a model that `cnnblas train` or cnnblas_net_save wrote, here a plain
 * PGM or PPM picture of the network's own size.
 *
 *   cc trained_model.c $(pkg-config --cflags --libs cnnblas_net) && ./a.out model.safetensors picture.ppm
 */
#include <cnnblas/net_model.h>
#include <stdio.h>
#include <stdlib.h>

/* The picture's bytes as [c][h][w]; NULL unless the file is a binary PGM or PPM of that size, a byte a sample, without comments. */
static uint8_t *read_picture(const char *path, const cnnblas_net_info *info)
{
  int w = 0, h = 0, c = 0, kind = 0, white = 0;
  size_t elements = (size_t)info->input_elements;
  uint8_t *pixels = malloc(elements);
  FILE *file = fopen(path, "rb");
  if (file && fscanf(file, "P%d %d %d %d", &kind, &w, &h, &white) == 4 && white == 255)
    c = kind == 6 ? 3 : kind == 5 ? 1 : 0;
  int right = pixels && c == info->c && h == info->size[0] && w == info->size[1] && fgetc(file) != EOF;
  for (size_t i = 0; right && i < elements; i++) {
    int byte = fgetc(file);
    right = byte != EOF;
    pixels[i % (size_t)c * (size_t)(h * w) + i / (size_t)c] = (uint8_t)byte;
  }
  if (file) fclose(file);
  if (right) return pixels;
  free(pixels);
  return NULL;
}

int main(int count, char **words)
{
  cnnblas_net *net;
  cnnblas_net_info info;
  int32_t class;
  if (count != 3) return fprintf(stderr, "usage: %s MODEL PICTURE\n", words[0]), 2;

  if (cnnblas_net_load(words[1], NULL, &net)) return fprintf(stderr, "%s\n", cnnblas_last_error()), 1;
  cnnblas_net_get_info(net, &info);
  uint8_t *pixels = read_picture(words[2], &info);
  float *x = malloc(sizeof *x * (size_t)info.input_elements);
  if (!pixels || !x) return fprintf(stderr, "%s: not such a picture of the network's size\n", words[2]), 1;

  cnnblas_net_normalise(net, 1, pixels, 255, x);
  if (cnnblas_net_predict(net, 1, x, NULL, &class)) return fprintf(stderr, "%s\n", cnnblas_last_error()), 1;
  printf("%d %s\n", (int)class, cnnblas_net_class_name(net, class));

  free(x);
  free(pixels);
  cnnblas_net_destroy(net);
  return 0;
}
