/* Numbers by name; see names.h. */
#include "onnx/names.h"
#include "onnx/zeroed.h"
#include <string.h>

cnnblas_status cb_onnx_names_create(cb_onnx_names *names, size_t count)
{
  names->room = 16;
  while (names->room < 2 * count) names->room *= 2;
  names->slots = cb_onnx_zeroed(names->room, sizeof *names->slots);
  return names->slots ? CNNBLAS_OK : cnnblas_shared_no_memory(names->room * sizeof *names->slots, "names");
}

void cb_onnx_names_free(cb_onnx_names *names)
{
  cnnblas_shared_free(names->slots);
}

/* The slot of a name, or the empty one that it would take. */
static struct cb_onnx_named *slot(const cb_onnx_names *names, const char *name)
{
  uint64_t h = 14695981039346656037u; /* the hash is FNV-1a */
  for (const char *p = name; *p; p++) h = (h ^ (unsigned char)*p) * 1099511628211u;
  size_t i = (size_t)h & (names->room - 1);
  while (names->slots[i].name && strcmp(names->slots[i].name, name)) i = (i + 1) & (names->room - 1);
  return &names->slots[i];
}

int64_t cb_onnx_names_find(const cb_onnx_names *names, const char *name)
{
  const struct cb_onnx_named *s = slot(names, name);
  return s->name ? s->number : -1;
}

void cb_onnx_names_put(cb_onnx_names *names, const char *name, int64_t number)
{
  *slot(names, name) = (struct cb_onnx_named){name, number};
}
