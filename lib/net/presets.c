/*
 * The presets' notations. Blocks are pieces of text put together by the compiler: what a name stands for is one string,
 * which cnnblas_net_text gives.
 */
#include "net/presets.h"
#include "base/shared.h"
#include "net/text.h"
#include <stdio.h>
#include <string.h>

#define NEXT                " -> "
#define CONV_BN(words)      "CONV " words " -> BN"
#define CONV_BN_RELU(words) CONV_BN(words) " -> RELU"

/* He et al., "Deep residual learning for image recognition", 2015: the network for 32x32 pixels, with projections. */
#define BASIC(k) "ADD[ " CONV_BN_RELU(k "@3x3 pad 1") NEXT CONV_BN(k "@3x3 pad 1") " | ] -> RELU"
#define BASIC_HALF(k)                                                                                                  \
  "ADD[ " CONV_BN_RELU(k "@3x3 stride 2 pad 1") NEXT CONV_BN(k "@3x3 pad 1") " | " CONV_BN(                            \
      k "@1x1 stride 2") " ] -> RELU"
static const char resnet20[] = CONV_BN_RELU("16@3x3 pad 1") NEXT "[" BASIC("16") "]*3 -> " BASIC_HALF("32") NEXT
    "[" BASIC("32") "]*2 -> " BASIC_HALF("64") NEXT "[" BASIC("64") "]*2 -> GPOOL avg -> FC";

/* The same paper's network of 50 layers, with its strides in the 3x3 convolutions. */
#define BOTTLENECK(k, wide)                                                                                            \
  "ADD[ " CONV_BN_RELU(k "@1x1") NEXT CONV_BN_RELU(k "@3x3 pad 1") NEXT CONV_BN(wide "@1x1") " | ] -> RELU"
#define BOTTLENECK_FIRST(k, wide, stride)                                                                              \
  "ADD[ " CONV_BN_RELU(k "@1x1") NEXT CONV_BN_RELU(k "@3x3 stride " stride " pad 1") NEXT CONV_BN(                     \
      wide "@1x1") " | " CONV_BN(wide "@1x1 stride " stride) " ] -> RELU"
static const char resnet50[] =
    CONV_BN_RELU("64@7x7 stride 2 pad 3") NEXT "POOL max 3/2 pad 1 -> " BOTTLENECK_FIRST("64", "256", "1") NEXT
    "[" BOTTLENECK("64", "256") "]*2 -> " BOTTLENECK_FIRST("128", "512", "2") NEXT
    "[" BOTTLENECK("128", "512") "]*3 -> " BOTTLENECK_FIRST("256", "1024", "2") NEXT
    "[" BOTTLENECK("256", "1024") "]*5 -> " BOTTLENECK_FIRST("512", "2048", "2") NEXT
    "[" BOTTLENECK("512", "2048") "]*2 -> GPOOL avg -> FC";

/* Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", 2018. */
#define CONV_BN_CLIP(words) CONV_BN(words) " -> CLIP 0 6"
#define INVERTED(e, k, stride)                                                                                         \
  CONV_BN_CLIP(e "@1x1") NEXT CONV_BN_CLIP(e "@3x3 stride " stride " pad 1 groups " e) NEXT CONV_BN(k "@1x1")
#define INVERTED_ADD(e, k) "ADD[ " INVERTED(e, k, "1") " | ]"
static const char mobilenet_v2[] = CONV_BN_CLIP("32@3x3 stride 2 pad 1") NEXT CONV_BN_CLIP("32@3x3 pad 1 groups 32")
    NEXT CONV_BN("16@1x1") NEXT INVERTED("96", "24", "2") NEXT INVERTED_ADD("144", "24") NEXT INVERTED("144", "32", "2")
        NEXT "[" INVERTED_ADD("192", "32") "]*2 -> " INVERTED("192", "64", "2") NEXT
    "[" INVERTED_ADD("384", "64") "]*3 -> " INVERTED("384", "96", "1") NEXT
    "[" INVERTED_ADD("576", "96") "]*2 -> " INVERTED("576", "160", "2") NEXT
    "[" INVERTED_ADD("960", "160") "]*2 -> " INVERTED("960", "320", "1") NEXT CONV_BN_CLIP("1280@1x1") NEXT
    "GPOOL avg -> DROPOUT 0.2 -> FC";

/* Szegedy et al., "Going deeper with convolutions", 2014, with batch normalisation and 3x3 filters in place of 5x5. */
#define INCEPTION(a, b, c, d, e, f)                                                                                    \
  "CAT[ " CONV_BN_RELU(a "@1x1") " | " CONV_BN_RELU(b "@1x1") NEXT CONV_BN_RELU(c "@3x3 pad 1") " | " CONV_BN_RELU(    \
      d "@1x1") NEXT                                                                                                   \
  CONV_BN_RELU(e "@3x3 pad 1") " | POOL max 3/1 pad 1 -> " CONV_BN_RELU(f "@1x1") " ]"
static const char googlenet[] =
    CONV_BN_RELU("64@7x7 stride 2 pad 3") NEXT "POOL max 3/2 ceil -> " CONV_BN_RELU("64@1x1")
        NEXT CONV_BN_RELU("192@3x3 pad 1") NEXT "POOL max 3/2 ceil -> " INCEPTION("64", "96", "128", "16", "32", "32")
            NEXT INCEPTION("128", "128", "192", "32", "96", "64") NEXT
    "POOL max 3/2 ceil -> " INCEPTION("192", "96", "208", "16", "48", "64")
        NEXT INCEPTION("160", "112", "224", "24", "64", "64") NEXT INCEPTION("128", "128", "256", "24", "64", "64")
            NEXT INCEPTION("112", "144", "288", "32", "64", "64")
                NEXT INCEPTION("256", "160", "320", "32", "128", "128") NEXT
    "POOL max 2 ceil -> " INCEPTION("256", "160", "320", "32", "128", "128")
        NEXT INCEPTION("384", "192", "384", "48", "128", "128") NEXT "GPOOL avg -> DROPOUT 0.2 -> FC";

/* Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2014. */
#define PLAIN(k, times) "[CONV " k "@3x3 pad 1 -> RELU]*" times " -> POOL max 2"
static const char vgg16[] = PLAIN("64", "2") NEXT PLAIN("128", "2") NEXT PLAIN("256", "3") NEXT PLAIN("512", "3")
    NEXT PLAIN("512", "3") NEXT "[FC 4096 -> RELU -> DROPOUT 0.5]*2 -> FC";

/* Ronneberger et al., "U-Net: convolutional networks for biomedical image segmentation", 2015, padded, with batch
   normalisation. */
#define TWICE(k)               "[" CONV_BN_RELU(k "@3x3 pad 1") "]*2"
#define DOWN_AND_UP(k, inside) TWICE(k) " -> CAT[ POOL max 2 -> " inside " -> TCONV " k "@2x2 stride 2 | ] -> " TWICE(k)
static const char unet[] =
    DOWN_AND_UP("64", DOWN_AND_UP("128", DOWN_AND_UP("256", DOWN_AND_UP("512", TWICE("1024"))))) " -> CONV 2@1x1";

static const struct {
  const char *name, *input, *body,
      *classes; /* input: the data's size; classes: the last FC's outputs, "": there is no such FC */
} presets[] = {{"resnet20", "3x32x32", resnet20, " 10"},
               {"resnet50", "3x224x224", resnet50, " 1000"},
               {"mobilenet_v2", "3x224x224", mobilenet_v2, " 1000"},
               {"googlenet", "3x224x224", googlenet, " 1000"},
               {"vgg16", "3x224x224", vgg16, " 1000"},
               {"unet", "3x256x256", unet, ""}};
enum { PRESETS = sizeof presets / sizeof *presets };

/* Takes a preset's name, in any case, if it stands next and does not go on as a longer one. */
static bool named(cb_net_text *t, const char *name)
{
  const int64_t start = t->at;
  if (!cb_text_word(t, name)) return false;
  const char next = t->text[t->at];
  if ((next < '0' || next > '9') && next != '_') return true;
  t->at = start;
  return false;
}

static cnnblas_status expand(int i, const cnnblas_net_options *o, char **made)
{
  size_t bytes = strlen(presets[i].body) + 64;
  *made = cnnblas_shared_alloc(bytes, 0);
  if (!*made) return cnnblas_shared_no_memory(bytes, "a preset's text");
  snprintf(*made, bytes, "INPUT%s%s -> %s%s", o->c ? "" : " ", o->c ? "" : presets[i].input, presets[i].body,
           o->classes ? "" : presets[i].classes);
  return CNNBLAS_OK;
}

cnnblas_status cb_net_expand_preset(const char *text, const cnnblas_net_options *o, char **made)
{
  cb_net_text t = {.text = text};
  char names[200] = "";
  *made = NULL;
  if (!cb_text_word(&t, "net")) return CNNBLAS_OK;
  for (int i = 0; i < PRESETS; i++) {
    size_t used = strlen(names);
    if (named(&t, presets[i].name)) {
      if (!cb_text_peek(&t)) return expand(i, o, made);
      cb_text_expected(&t, "the end of the text behind a preset's name");
      return t.status;
    }
    snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : i + 1 < PRESETS ? ", " : " or ", presets[i].name);
  }
  cb_text_expected(&t, names);
  return t.status;
}

cnnblas_status cnnblas_net_expand(const char *text, const cnnblas_net_options *options, char *buffer, size_t size,
                                  size_t *needed)
{
  static const cnnblas_net_options defaults;
  char *made;
  if (!text) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "text is NULL");
  if (size && !buffer) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "buffer is NULL, but size is %zu", size);
  cnnblas_status status = cb_net_expand_preset(text, options ? options : &defaults, &made);
  if (status) return status;
  int length = snprintf(buffer, size, "%s", made ? made : text);
  if (needed) *needed = (size_t)length + 1;
  cnnblas_shared_free(made);
  return CNNBLAS_OK;
}
