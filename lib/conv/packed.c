/* Packing weights for a plan, and recognising them; see packed.h. */
#include "conv/packed.h"
#include "base/arguments.h"
#include "base/cpu.h"
#include "base/parallel.h"
#include "base/status.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The tag says what packed weights were packed for. The number of images is not in it, and a forward's sizes, strides,
   dilation and padding are not either, since its weights do not depend on them. The tag takes whole cache lines, so that
   the weights behind it are aligned as the buffer is. */
typedef struct {
  char magic[8];
  uint32_t version, dtype;
  char algorithm[24], form[16], level[16]; /* each is "" if the weights are as they were */
  int64_t k, c, groups, kernel[3];
  cb_axis axis[3]; /* of an input gradient, whose phases take taps by them; else zeros */
} tag;

enum { TAG_BYTES = 320, ALIGNMENT = 64, VERSION = 3, TAG_TEXT = 400 };
_Static_assert(sizeof(tag) <= TAG_BYTES && TAG_BYTES % ALIGNMENT == 0, "the tag has five cache lines");

static const char magic[8] = "cnnbl-w";

/* How the plan's weights are packed, or NULL if they stay as they are. */
static const cb_packing *packing_of(const cnnblas_conv_plan *plan)
{
  return plan->problem.packed ? cb_row_packing(plan->algorithm, plan->problem.direction) : NULL;
}

static tag tag_of(const cnnblas_conv_plan *plan)
{
  const cb_geometry *geo = &plan->problem.geo;
  const cb_packing *packing = packing_of(plan);
  tag t;
  memset(&t, 0, sizeof t);
  memcpy(t.magic, magic, sizeof t.magic);
  t.version = VERSION;
  t.dtype = (uint32_t)geo->dtype;
  if (packing) {
    snprintf(t.algorithm, sizeof t.algorithm, "%s", plan->algorithm->name);
    const bool rotated = packing->rotated && geo->axis[2].step < 0;
    snprintf(t.form, sizeof t.form, "%s", rotated ? packing->rotated : packing->form);
    snprintf(t.level, sizeof t.level, "%s", cb_isa_name(cb_cpu_get()->level));
  }
  t.k = geo->k;
  t.c = plan->c;
  t.groups = geo->g;
  memcpy(t.kernel, plan->kernel, sizeof t.kernel);
  if (packing && plan->problem.direction == CNNBLAS_BACKWARD_DATA) memcpy(t.axis, geo->axis, sizeof t.axis);
  return t;
}

/* Writes the tag in words to `text`; what stands in the tag may be any bytes. */
static const char *say_tag(const tag *t, char *text)
{
  int used = snprintf(text, TAG_TEXT, "%.23s%s%.15s%s%.15s%s%s, k %lld, c %lld, groups %lld, kernel %lldx%lldx%lld",
                      t->algorithm, t->form[0] ? " " : "", t->form, t->level[0] ? " of " : "", t->level,
                      t->form[0] ? ", " : "", t->dtype == CNNBLAS_F64 ? "f64" : "f32", (long long)t->k, (long long)t->c,
                      (long long)t->groups, (long long)t->kernel[0], (long long)t->kernel[1], (long long)t->kernel[2]);
  for (int i = 0; i < 3 && t->axis[2].stride && used < TAG_TEXT; i++)
    used += snprintf(text + used, (size_t)(TAG_TEXT - used), "%s%lld/%lld%+lld%+lld",
                     i ? "x" : ", input/stride+base+step ", (long long)t->axis[i].in, (long long)t->axis[i].stride,
                     (long long)t->axis[i].base, (long long)t->axis[i].step);
  return text;
}

/* Refuses a plan that takes no packed weights; else *bytes becomes the bytes of tag and weights. */
static cnnblas_status size_of(const cnnblas_conv_plan *plan, int64_t *bytes)
{
  if (!plan) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "plan is NULL");
  if (!plan->options.packed_weights)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "the plan was not made for packed weights (options.packed_weights)");
  const cb_geometry *geo = &plan->problem.geo;
  const cb_packing *packing = packing_of(plan);
  bool fits = packing ? packing->bytes(geo, bytes) : cb_mul(geo->k * geo->q, (int64_t)geo->element, bytes);
  if (fits && cb_add(*bytes, TAG_BYTES, bytes)) return CNNBLAS_OK;
  return cb_fail(CNNBLAS_SIZE_OVERFLOW, "packed weights of %lld filters of %lld taps exceed 63 bits", (long long)geo->k,
                 (long long)geo->q);
}

cnnblas_status cnnblas_conv_plan_packed_bytes(const cnnblas_conv_plan *plan, size_t *bytes)
{
  int64_t needed;
  cnnblas_status status = size_of(plan, &needed);
  if (status) return status;
  if (!bytes) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "bytes is NULL");
  *bytes = (size_t)needed;
  return CNNBLAS_OK;
}

typedef struct {
  const cb_geometry *geo;
  const cb_packing *packing;
  const void *w;
  void *packed; /* where the packed weights go, behind the tag */
} job;

static void pack_task(void *context, int64_t task, int worker)
{
  const job *j = context;
  (void)worker;
  j->packing->pack(j->geo, task, j->w, j->packed);
}

static cnnblas_status check_packed(const void *packed)
{
  if (packed && (uintptr_t)packed % ALIGNMENT == 0) return CNNBLAS_OK;
  return cb_fail(CNNBLAS_INVALID_ARGUMENT, "packed is %p; packed weights are aligned to %d bytes", packed, ALIGNMENT);
}

cnnblas_status cnnblas_conv_plan_pack_weights(const cnnblas_conv_plan *plan, const void *w, void *packed, size_t bytes)
{
  int64_t needed;
  cnnblas_status status = size_of(plan, &needed);
  if (!status) status = check_packed(packed);
  if (status) return status;
  const cb_geometry *geo = &plan->problem.geo;
  cb_array arrays[] = {{"packed", packed, needed, 1, false}, {"w", w, geo->k * geo->q, geo->element, false}};
  status = cb_check_arrays(arrays, 2, 1);
  if (status) return status;
  if (bytes < (size_t)needed)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "bytes is %zu; packed weights need %lld", bytes, (long long)needed);
  const tag t = tag_of(plan);
  job j = {geo, packing_of(plan), w, (char *)packed + TAG_BYTES};
  memset(packed, 0, TAG_BYTES);
  if (j.packing)
    cb_parallel_for(plan->options.threads == 0 && cb_in_parallel() ? 1 : plan->team, j.packing->tasks(geo), pack_task,
                    &j);
  else
    memcpy(j.packed, w, (size_t)(geo->k * geo->q) * geo->element);
  memcpy(packed, &t, sizeof t);
  return CNNBLAS_OK;
}

const void *cb_packed_open(const cnnblas_conv_plan *plan, const void *packed, int64_t *bytes)
{
  tag found, wanted = tag_of(plan);
  char own[TAG_TEXT], other[TAG_TEXT];
  if (check_packed(packed) || size_of(plan, bytes)) return NULL;
  memcpy(&found, packed, sizeof found);
  if (memcmp(found.magic, magic, sizeof magic) != 0 || found.version != VERSION) {
    cb_fail(CNNBLAS_INVALID_ARGUMENT, "packed (%p) does not hold packed weights", packed);
    return NULL;
  }
  if (memcmp(&found, &wanted, sizeof found) != 0) {
    cb_fail(CNNBLAS_INVALID_ARGUMENT, "packed holds weights of %s; the plan's are %s", say_tag(&found, other),
            say_tag(&wanted, own));
    return NULL;
  }
  return (const char *)packed + TAG_BYTES;
}
