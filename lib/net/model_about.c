/* What a network knows of its data: how pixels become its input, and its classes' names. */
#include "base/shared.h"
#include "base/size.h"
#include "net/network.h"
#include <math.h>
#include <string.h>

enum { MOST_NAME = 255 /* bytes of a class's name */ };

/* ---- normalisation ---- */

cnnblas_status cnnblas_net_get_normalisation(const cnnblas_net *net, cnnblas_net_normalisation *normalisation)
{
  cnnblas_status status = cb_net_check(net, false);
  if (!status && !normalisation) status = cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "normalisation is NULL");
  if (!status) *normalisation = net->norm;
  return status;
}

static cnnblas_status check_normalisation(const cnnblas_net *net, const cnnblas_net_normalisation *norm)
{
  int64_t c = net->design.input.c;
  bool fits = norm->channels == 0 || norm->channels == 1 || norm->channels == c;
  if (!fits || norm->channels > CNNBLAS_NET_NORM_CHANNELS)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                               "normalisation.channels is %lld; it must be 0, 1, or the input's %lld, at most %d",
                               (long long)norm->channels, (long long)c, CNNBLAS_NET_NORM_CHANNELS);
  for (int64_t i = 0; i < norm->channels; i++)
    if (!isfinite(norm->mean[i]) || !isfinite(norm->scale[i]))
      return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                                 "normalisation of channel %lld is mean %g, scale %g; both are finite", (long long)i,
                                 norm->mean[i], norm->scale[i]);
  if (!(norm->white >= 0) || !isfinite(norm->white))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "normalisation.white is %g; it must be at least 0",
                               norm->white);
  for (int i = 0; i < 4; i++)
    if (norm->reserved[i])
      return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "normalisation.reserved is %lld, which it cannot be",
                                 (long long)norm->reserved[i]);
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_net_set_normalisation(cnnblas_net *net, const cnnblas_net_normalisation *normalisation)
{
  cnnblas_status status = cb_net_check(net, false);
  if (!status && !normalisation) status = cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "normalisation is NULL");
  if (!status) status = check_normalisation(net, normalisation);
  if (status) return status;
  net->norm = *normalisation;
  if (!net->norm.channels) {
    net->norm.channels = 1;
    net->norm.mean[0] = 0;
    net->norm.scale[0] = 1;
  }
  if (net->norm.white == 0) net->norm.white = 1;
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_net_normalise(const cnnblas_net *net, int64_t n, const uint8_t *pixels, double white, void *x)
{
  cnnblas_status status = cb_net_check(net, false);
  if (status) return status;
  if (n < 0) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "n is %lld; it must be at least 0", (long long)n);
  if (!(white >= 0 && white <= 255))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "white is %g; it must be 0 to 255", white);
  if (n && (!pixels || !x)) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "%s is NULL", pixels ? "x" : "pixels");
  const cb_net_shape *in = &net->design.input;
  int64_t plane = in->elements / in->c;
  double to_white = white > 0 ? net->norm.white / white : 1;
  for (int64_t i = 0; i < n * in->elements; i++) {
    int64_t place = net->norm.channels == 1 ? 0 : i / plane % in->c;
    double value = ((double)pixels[i] * to_white - net->norm.mean[place]) * net->norm.scale[place];
    if (net->options.dtype == CNNBLAS_F64)
      ((double *)x)[i] = value;
    else
      ((float *)x)[i] = (float)value;
  }
  return CNNBLAS_OK;
}

/* ---- names ---- */

const char *cnnblas_net_class_name(const cnnblas_net *net, int64_t label)
{
  bool named = net && net->class_names && label >= 0 && label < net->classes;
  return named ? net->class_names[label] : "";
}

/* Copies the names behind a list of pointers to them, where classes without one have ""; NULL without memory. */
static const char **copy_names(const char *const *names, int64_t count, int64_t classes, size_t bytes)
{
  const char **copy = cnnblas_shared_alloc((size_t)classes * sizeof *copy + bytes, 0);
  char *text = copy ? (char *)(copy + classes) : NULL;
  for (int64_t i = 0; copy && i < count; i++) {
    size_t length = strlen(names[i]) + 1;
    memcpy(text, names[i], length);
    copy[i] = text;
    text += length;
  }
  for (int64_t i = count; copy && i < classes; i++) copy[i] = "";
  return copy;
}

/* The bytes of a character of UTF-8 that begins with this one; 0 for a byte that begins none. */
static int utf8_bytes(unsigned char first)
{
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* True of whole characters, none longer than it need be, no half of a pair, none above the last (RFC 3629). */
static bool is_utf8(const char *text)
{
  for (const unsigned char *s = (const unsigned char *)text; *s;) {
    const int bytes = utf8_bytes(*s);
    const unsigned char least = *s == 0xe0   ? 0xa0
                                : *s == 0xf0 ? 0x90
                                             : 0x80,
                        most = *s == 0xed   ? 0x9f
                               : *s == 0xf4 ? 0x8f
                                            : 0xbf;
    if (!bytes || (bytes > 1 && (s[1] < least || s[1] > most))) return false;
    for (int i = 2; i < bytes; i++)
      if ((s[i] & 0xc0) != 0x80) return false;
    s += bytes;
  }
  return true;
}

cnnblas_status cb_net_keep_names(cnnblas_net *net, const char *const *names, int64_t count)
{
  size_t bytes = 0;
  for (int64_t i = 0; i < count; i++) {
    size_t length = names[i] ? strlen(names[i]) : 0;
    if (!length || length > MOST_NAME || !is_utf8(names[i]))
      return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                                 "names[%lld] has %zu bytes; it must have 1 to %d, and be UTF-8", (long long)i, length,
                                 MOST_NAME);
    bytes += length + 1;
  }
  const char **copy = count ? copy_names(names, count, net->classes, bytes) : NULL;
  if (count && !copy) return cnnblas_shared_no_memory(bytes, "the classes' names");
  cnnblas_shared_free(net->class_names);
  net->class_names = copy;
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_net_set_class_names(cnnblas_net *net, const char *const *names, int64_t count)
{
  cnnblas_status status = cb_net_check(net, false);
  if (status) return status;
  if (count && count != net->classes)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "count is %lld; it must be 0 or the %lld classes",
                               (long long)count, (long long)net->classes);
  if (count && !names) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "names is NULL");
  return cb_net_keep_names(net, names, count);
}
