/* Filters and feature maps as grids of small pictures; see network_pictures.h. */
#include "network_pictures.h"
#include "command.h"
#include "input.h"
#include "io/system.h"
#include "plots.h"
#include <stdio.h>
#include <string.h>

enum { MOST_ROWS = 6, MOST_PICTURES = 64 /* of a layer; the first */ };

static double element(cnnblas_dtype dtype, const void *array, int64_t i)
{
  return dtype == CNNBLAS_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

/* Copies the first pictures of h x w that lie one behind the other. */
static bool fill(plots_row *row, cnnblas_dtype dtype, const void *array, int64_t pictures)
{
  row->count = pictures < MOST_PICTURES ? pictures : MOST_PICTURES;
  row->values = io_alloc_zeroed((size_t)(row->count * row->h * row->w), sizeof *row->values);
  for (int64_t i = 0; row->values && i < row->count * row->h * row->w; i++) row->values[i] = element(dtype, array, i);
  return row->values;
}

static int draw(const char *path, const char *title, plots_row *rows, int64_t count, bool room)
{
  int status = room ? plots_grid(path, title, rows, count)
                    : command_fail(COMMAND_NO_ROOM, "%s: out of memory for the pictures", path);
  for (int64_t i = 0; i < MOST_ROWS; i++) io_free(rows[i].values);
  return status;
}

/* Height and width of a picture of up to three axes: planes lie under each other. */
static void picture_size(plots_row *row, const int64_t *axes, int rank)
{
  row->h = rank > 1 ? axes[rank - 2] : 1;
  row->w = rank > 0 ? axes[rank - 1] : 1;
  if (rank > 2) row->h *= axes[0];
}

/* The file's name without its folder. */
static const char *short_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

int draw_filters(const cnnblas_net *net, const char *model, const char *path)
{
  plots_row rows[MOST_ROWS] = {0};
  cnnblas_net_info info;
  char title[512];
  int64_t count = 0;
  bool room = true;
  cnnblas_net_get_info(net, &info);
  for (int64_t i = 0; i < info.tensors && count < MOST_ROWS && room; i++) {
    cnnblas_net_tensor t;
    cnnblas_net_get_tensor(net, i, &t);
    if (t.rank < 3) continue; /* a convolution's weights are [k][c][...] */
    plots_row *row = &rows[count++];
    picture_size(row, t.shape + 2, t.rank - 2);
    row->channels = t.shape[1];
    room = fill(row, info.dtype, t.value, t.shape[0] * t.shape[1]);
    snprintf(row->title, sizeof row->title, "%s: %lld of %lld filters%s", t.name,
             (long long)((row->count + row->channels - 1) / row->channels), (long long)t.shape[0],
             row->channels > 1 ? ", a picture a channel (filter.channel)" : "");
  }
  if (!count) return command_fail(COMMAND_BAD_INPUT, "%s: the network has no convolution, so no filters", model);
  snprintf(title, sizeof title, "Filters of %.40s: each row from its least weight (black) to its largest (white)",
           short_name(model));
  return draw(path, title, rows, count, room);
}

int draw_activations(cnnblas_net *net, const input_norm *norm, const char *model, const char *image, bool invert,
                     const char *path)
{
  plots_row rows[MOST_ROWS] = {0};
  cnnblas_net_info info;
  char title[512];
  cnnblas_net_get_info(net, &info);
  size_t width = info.dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float);
  void *x = io_alloc_zeroed((size_t)info.input_elements, width), *logits = io_alloc_zeroed((size_t)info.classes, width);
  bool room = x && logits;
  int status = room ? input_from_file(image, model, &info, norm, invert, x) : COMMAND_FINE;
  if (room && !status && cnnblas_net_forward(net, 1, x, logits))
    status = command_fail_library(CNNBLAS_INVALID_ARGUMENT, COMMAND_BAD_INPUT, model);
  int64_t count = 0;
  if (room && !status) {
    picture_size(&rows[count], info.size, info.rank);
    snprintf(rows[count].title, sizeof rows[count].title, "input");
    room = fill(&rows[count++], info.dtype, x, info.c);
  }
  for (int64_t i = 0; i < info.layers && count < MOST_ROWS && room && !status; i++) {
    cnnblas_net_layer_info l;
    const void *output;
    cnnblas_net_get_layer(net, i, &l);
    if (l.fused || l.elements == l.c || cnnblas_net_layer_output(net, i, &output)) continue;
    plots_row *row = &rows[count++];
    picture_size(row, l.size, info.rank);
    room = fill(row, info.dtype, output, l.c);
    snprintf(row->title, sizeof row->title, "%s (%s %s): %lld of %lld maps", l.name, l.kind, l.detail,
             (long long)row->count, (long long)l.c);
  }
  io_free(x);
  io_free(logits);
  if (status) return status;
  snprintf(title, sizeof title, "What %.30s makes of %.30s: rows from their least value (black)", short_name(model),
           short_name(image));
  return draw(path, title, rows, count, room);
}
