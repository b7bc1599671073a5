/* Packing weights, and recognising them; see packed.h. */
#include "conv/packed.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/status.h"
#include "gemm/panel.h"
#include <stdint.h>
#include <string.h>

/* What packed weights depend on: not n, not sizes, strides or padding. One cache line, so that what follows is aligned as
   the buffer is. */
typedef struct {
  char magic[8];
  uint32_t version, dtype, lanes, in_panels;
  int64_t k, c, groups, taps;
  int64_t spare;
} tag;

enum { TAG_BYTES = 64, VERSION = 1 };
_Static_assert(sizeof(tag) <= TAG_BYTES, "the tag has a cache line");

static const char magic[8] = "cnnbl-w";

bool cb_packed_in_panels(const cb_geometry *geo)
{
  return geo->cg > 1;
}

static tag tag_of(const cb_geometry *geo)
{
  tag t = {.version = VERSION,
           .dtype = (uint32_t)geo->dtype,
           .lanes = (uint32_t)cb_engine_get(geo->dtype)->lanes,
           .in_panels = cb_packed_in_panels(geo),
           .k = geo->k,
           .c = geo->c,
           .groups = geo->g,
           .taps = geo->taps};
  memcpy(t.magic, magic, sizeof t.magic);
  return t;
}

static int64_t group_elements(const cb_geometry *geo)
{
  return cb_packed_in_panels(geo) ? cb_panel_elements(cb_engine_get(geo->dtype), geo->kg, geo->q) : geo->kg * geo->q;
}

size_t cb_packed_bytes(const cb_geometry *geo)
{
  return TAG_BYTES + (size_t)(geo->g * group_elements(geo)) * geo->element;
}

cnnblas_status cnnblas_conv_packed_bytes(const cnnblas_conv_desc *desc, size_t *bytes)
{
  cb_geometry geo;
  int64_t total;
  if (!bytes) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "bytes is NULL");
  cnnblas_status status = cb_geometry_init(&geo, desc);
  if (status) return status;
  int64_t outputs = cb_round_up(geo.kg, cb_engine_get(geo.dtype)->lanes);
  if (!cb_mul(outputs, geo.q, &total) || !cb_mul(total, geo.g * (int64_t)geo.element, &total) ||
      total > INT64_MAX - TAG_BYTES)
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "packed weights of %lld filters of %lld taps exceed 63 bits",
                   (long long)geo.k, (long long)geo.q);
  *bytes = cb_packed_bytes(&geo);
  return CNNBLAS_OK;
}

/* One packing. */
typedef struct {
  const cb_geometry *geo;
  const void *w;
  char *panels;
} packing;

/* task = (group, panel). */
static void pack_panel(void *context, int64_t task, int worker)
{
  const packing *p = context;
  const cb_geometry *geo = p->geo;
  const cb_engine *engine = cb_engine_get(geo->dtype);
  int64_t panels = cb_panels(engine, geo->kg), ig = task / panels, b = task % panels;
  cb_panel panel = cb_panel_at(engine, geo->kg, b);
  (void)worker;
  engine->pack_lanes(cb_at_mut(p->panels, ig * group_elements(geo) + cb_panel_offset(engine, geo->q, b), geo->element),
                     cb_at(p->w, (ig * geo->kg + panel.first) * geo->q, geo->element), geo->q, geo->q, panel.count,
                     panel.width);
}

cnnblas_status cnnblas_conv_pack_weights(const cnnblas_conv_desc *desc, const void *w, void *packed, size_t bytes)
{
  cb_geometry geo;
  size_t needed;
  cnnblas_status status = cb_geometry_init(&geo, desc);
  if (!status) status = cnnblas_conv_packed_bytes(desc, &needed);
  if (status) return status;
  if (!w || (uintptr_t)w % geo.element)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "w is %p, which is NULL or not aligned to its element", w);
  if (!packed || (uintptr_t)packed % TAG_BYTES)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "packed is %p; it must be aligned to %d bytes", packed, TAG_BYTES);
  if (bytes < needed) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "bytes is %zu; packed weights need %zu", bytes, needed);
  const tag t = tag_of(&geo);
  packing p = {&geo, w, (char *)packed + TAG_BYTES};
  memset(packed, 0, TAG_BYTES);
  if (cb_packed_in_panels(&geo))
    cb_parallel_for(cb_threads_default(), geo.g * cb_panels(cb_engine_get(geo.dtype), geo.kg), pack_panel, &p);
  else
    memcpy(p.panels, w, (size_t)(geo.k * geo.q) * geo.element);
  memcpy(packed, &t, sizeof t);
  return CNNBLAS_OK;
}

const void *cb_packed_open(const cb_geometry *geo, const void *packed)
{
  tag found, wanted = tag_of(geo);
  if (!packed || (uintptr_t)packed % TAG_BYTES) {
    cb_fail(CNNBLAS_INVALID_ARGUMENT, "packed is %p; packed weights are aligned to %d bytes", packed, TAG_BYTES);
    return NULL;
  }
  memcpy(&found, packed, sizeof found);
  if (memcmp(found.magic, magic, sizeof magic) != 0) {
    cb_fail(CNNBLAS_INVALID_ARGUMENT, "packed (%p) does not hold packed weights", packed);
    return NULL;
  }
  if (memcmp(&found, &wanted, sizeof found) != 0) {
    cb_fail(CNNBLAS_INVALID_ARGUMENT,
            "packed holds weights of k %lld, c %lld, groups %lld, %lld taps, dtype %d, vectors of %d; the plan's are k "
            "%lld, c %lld, groups %lld, %lld taps, dtype %d, vectors of %d",
            (long long)found.k, (long long)found.c, (long long)found.groups, (long long)found.taps, (int)found.dtype,
            (int)found.lanes, (long long)wanted.k, (long long)wanted.c, (long long)wanted.groups,
            (long long)wanted.taps, (int)wanted.dtype, (int)wanted.lanes);
    return NULL;
  }
  return (const char *)packed + TAG_BYTES;
}
