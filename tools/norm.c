/* How pixels become a network's input; see norm.h. */
#include "norm.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t norm_place(const input_norm *norm, int64_t channel)
{
  return norm->channels == 1 ? 0 : channel;
}

void norm_begin(norm_sums *sums, int64_t c)
{
  memset(sums, 0, sizeof *sums);
  sums->channels = c <= NORM_MOST_CHANNELS ? c : 1;
}

void norm_add(norm_sums *sums, bool bytes, const void *values, int64_t pixels)
{
  int64_t plane = pixels / sums->channels;
  for (int64_t channel = 0; channel < sums->channels; channel++) { /* an image's sums first: less is rounded away */
    double s = 0, s2 = 0;
    for (int64_t i = channel * plane; i < (channel + 1) * plane; i++) {
      double v = bytes ? (double)((const uint8_t *)values)[i] : (double)((const float *)values)[i];
      s += v;
      s2 += v * v;
      sums->largest = v > sums->largest ? v : sums->largest;
    }
    sums->sum[channel] += s;
    sums->squares[channel] += s2;
  }
  sums->count += plane;
}

input_norm norm_end(const norm_sums *sums)
{
  static const double deviation = 0.16;
  input_norm n = {.channels = sums->channels, .white = sums->largest > 0 ? sums->largest : 1};
  for (int64_t channel = 0; channel < sums->channels; channel++) {
    double mean = sums->sum[channel] / (double)sums->count;
    double variance = sums->squares[channel] / (double)sums->count - mean * mean;
    n.mean[channel] = mean;
    n.scale[channel] = variance > 1e-12 * mean * mean ? deviation / sqrt(variance) : 1;
  }
  return n;
}

input_norm norm_for_white(const input_norm *norm, double white)
{
  input_norm n = *norm;
  if (!(norm->white > 0) || !(white > 0)) return n;
  for (int64_t channel = 0; channel < norm->channels; channel++) {
    n.mean[channel] *= white / norm->white;
    n.scale[channel] *= norm->white / white;
  }
  n.white = white;
  return n;
}

const char *norm_print(const double *numbers, int64_t channels, char text[NORM_TEXT])
{
  int used = 0;
  for (int64_t channel = 0; channel < channels; channel++)
    used += snprintf(text + used, (size_t)(NORM_TEXT - used), "%s%.17g", channel ? "," : "", numbers[channel]);
  return text;
}

bool norm_parse(const char *text, double *numbers, int64_t *channels)
{
  static const double most = 1e30;
  for (*channels = 0; *channels < NORM_MOST_CHANNELS; text++) {
    char *end;
    double number = strtod(text, &end);
    if (end == text || (*end && *end != ',') || !(fabs(number) < most)) return false;
    numbers[(*channels)++] = number;
    if (!*end) return true;
    text = end;
  }
  return false;
}
