/*
 * Convolutional networks from one line of text. Library: libcnnblas_net (pkg-config cnnblas_net).
 *
 *   cnnblas_net *net;
 *   cnnblas_net_options options = {.batch = 64, .seed = 1};
 *   cnnblas_net_create("INPUT 1x28x28 -> [CONV 8@5x5 -> RELU -> POOL max 2]*2 -> FC 64 -> RELU -> FC 10", &options, &net);
 *   cnnblas_net_step step = {.n = 64, .images = images, .labels = labels, .optimiser = {.lr = 0.05, .momentum = 0.9}};
 *   cnnblas_net_train_step(net, &step, &result);                            // as often as you like
 *   cnnblas_net_predict(net, 64, images, NULL, predicted);
 *   cnnblas_net_destroy(net);
 *
 * The notation, in EBNF; words in any case, blanks anywhere between tokens:
 *
 *   network    = input , { "->" , item } | "NET" , preset ;
 *   preset     = "resnet20" | "resnet50" | "mobilenet_v2" | "googlenet" | "vgg16" | "unet" ;
 *   input      = "INPUT" , [ number , { "x" , number } ] ;       channels, then 0 to 3 axes: 3x32x32, 1x16000, 784
 *   item       = layer | group | join ;
 *   group      = "[" , item , { "->" , item } , "]" , [ "*" , number ] ;              *0 leaves the group out
 *   join       = ( "ADD" | "MUL" | "CAT" ) , "[" , branch , "|" , branch , { "|" , branch } , "]" ;
 *   branch     = [ item , { "->" , item } ] ;                    an empty one gives what goes in
 *   layer      = conv | tconv | up | pool | gpool | fc | "BN" | dropout | activation ;
 *   conv       = "CONV" , [ number , "@" , sizes ] , { conv word } ;                  filters @ filter size
 *   tconv      = "TCONV" , number , "@" , sizes , { "stride" , sizes | "dilation" , sizes | "groups" , number | "bias"
 *              | "pad" , ends | "output" , sizes } ;             transposed; output: added to the output's end
 *   up         = "UP" , number , ( "nearest" | "linear" ) ;      how many times as large
 *   conv word  = "stride" , sizes | "dilation" , sizes | "groups" , number | "bias"
 *              | "pad" , ( ends | "same" | "valid" ) | "maps" , maps ;
 *   maps       = list , { "/" , list } ;                         a list a filter: the input maps that it sees
 *   list       = range , { "," , range } ;
 *   range      = number , [ "-" , number ] ;                     counted from 0, both ends included
 *   pool       = "POOL" , [ "max" | "avg" | "l2" ] , [ sizes , [ "/" , sizes ] ]      window / stride
 *              , { "pad" , ends | "ceil" } , [ "?" ] ;
 *   gpool      = "GPOOL" , ( "avg" | "max" ) ;                   the whole image
 *   fc         = "FC" , [ number ] ;                             outputs
 *   dropout    = "DROPOUT" , decimal ;                           the share that is dropped, below 1
 *   activation = "RELU" | "LEAKY" , [ decimal ]                  slope of the negative side
 *              | "ELU" , [ decimal ] | "SELU" | "CLIP" , bound , bound
 *              | "SIGMOID" | "TANH" | "SOFTPLUS" | "HSIGMOID" | "SWISH" | "HSWISH" | "GELU" ;
 *   bound      = [ "-" ] , decimal ;
 *   sizes      = number , { "x" , number } ;                     one for all axes, or one an axis
 *   ends       = number , [ ":" , number ] , { "x" , number , [ ":" , number ] } ;    front and back, 1:2x0:1
 *
 * Defaults of bare words: INPUT takes its size from the options; CONV is `CONV 16@3x3 pad same`; a size without pad is
 * `pad valid` (none); `same` pads (F-1)/2 * dilation at both ends; POOL is `POOL max 2`, its stride the window's size;
 * FC is `FC 128`, but the last layer's FC has as many outputs as the options have classes. LEAKY is 0.01. A pool that
 * ends in `?` is left out where the image is smaller than its window. A list of 1x1 stands for an axis beyond those
 * that INPUT gives. ADD sums branches of one shape, CAT puts the channels of branches of one image size behind each other, MUL
 * multiplies two branches of one shape, or scales each channel of one by the other's single element. So
 * `ADD[ CONV 64@3x3 pad 1 -> BN -> RELU -> CONV 64@3x3 pad 1 -> BN | ] -> RELU` is a residual block,
 * `MUL[ | GPOOL avg -> FC 16 -> RELU -> FC 64 -> SIGMOID ]` squeeze and excitation. Groups and joins may hold each other, 16 deep; a network has at most 1000 layers; a table of maps has at most
 * 2^24 places (filters times maps); repetitions that take more than 10^8 characters to read are refused.
 *
 * NET NAME stands for a notation that cnnblas_net_text gives: with the input and classes of the options, or else those of its
 * paper (resnet20: 3x32x32 and 10). A network's outputs are all elements that its last layer makes; unet's are two maps.
 *
 * A convolution has F*F*D1*K weights (D1/groups with groups) and K biases, none where BN alone reads it unless `bias` is written;
 * a fully connected layer has out*in and out; BN a scale (weight) and a shift (bias) a channel and, not trained, running_mean and
 * running_var, which follow the batch's by a tenth in each update. Training uses the batch's mean and variance, all else the
 * running ones. What DROPOUT drops follows from seed, step and the image's number alone.
 * Layers are named by their kind and place among it: conv1, relu1, pool1, conv2, fc1; their tensors conv1.weight,
 * conv1.bias. The last layer's outputs are the logits; the loss includes the softmax or the sigmoid.
 *
 * A network belongs to one thread at a time (its calls use threads of their own). Training is bit-reproducible from the
 * seed for any number of threads. All arrays of a network lie in one block of memory whose size is known before it is
 * allocated; no array is allocated later (UP makes the small tables of resize.h in each call).
 */
#ifndef CNNBLAS_NET_H
#define CNNBLAS_NET_H

#include <cnnblas/conv.h>
#include <cnnblas/layers.h>
#include <cnnblas/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A network: opaque; belongs to one thread at a time. */
typedef struct cnnblas_net cnnblas_net;

/** The loss after the last layer. */
typedef enum cnnblas_net_loss {
  CNNBLAS_NET_SOFTMAX = 0, /* softmax cross-entropy, mean over the images */
  CNNBLAS_NET_SIGMOID = 1  /* sigmoid cross-entropy against the label's one-hot vector, mean over images * classes */
} cnnblas_net_loss;

/** How parameters follow their gradients. */
typedef enum cnnblas_net_optimiser_kind {
  CNNBLAS_NET_SGD = 0,      /* cnnblas_sgd_step, with momentum or without */
  CNNBLAS_NET_NESTEROV = 1, /* cnnblas_nesterov_step: SGD with Nesterov's momentum */
  CNNBLAS_NET_ADAMW = 2     /* cnnblas_adamw_step: Adam with decoupled weight decay */
} cnnblas_net_optimiser_kind;

/** What a network is for. */
typedef enum cnnblas_net_mode {
  CNNBLAS_NET_TRAINING = 0,  /* trains, evaluates, predicts */
  CNNBLAS_NET_INFERENCE = 1, /* evaluates and predicts in much less memory */
  CNNBLAS_NET_DESIGN = 2     /* shapes, sizes and algorithms only: no array is allocated, nothing can be run */
} cnnblas_net_mode;

/** How a network is to be made. Zero, or a NULL pointer to the whole, means the defaults. */
typedef struct cnnblas_net_options {
  cnnblas_dtype dtype;   /* of data, parameters and arithmetic; default f32 */
  cnnblas_net_mode mode; /* default training */
  cnnblas_net_loss loss; /* default softmax */
  cnnblas_init init;     /* of the weights; default He; biases begin at 0 */
  uint64_t seed;         /* of the initial weights */
  int64_t batch;         /* the largest batch of a call; 0 means 64 */
  int64_t c;       /* the data's channels and size, {h, w}: fill an INPUT without size, must agree with one that */
  int64_t size[3]; /*   has it; 0: the text says it. size is {h, w}, {w} or {d, h, w}. */
  int64_t classes; /* the data's classes: fill a last FC without size, must agree with one that has it; or 0 */
  int32_t threads; /* upper bound; 0 means one a core */
  cnnblas_effort effort; /* of the convolution plans */
  const char *algorithm; /* of all convolutions, read only by create; NULL or "auto": the library chooses */
  cnnblas_wisdom
      *wisdom; /* with effort measure: looked into first, and told what was measured; used by create alone; or NULL */
  int32_t packed_weights; /* 1: not for training; has room for convolutions' weights packed: cnnblas_net_pack_weights */
  int32_t
      flush_denormals; /* 1: numbers below the least normal one count as zeros in all layers and updates; see conv.h */
  cnnblas_accuracy_policy accuracy; /* of the convolution plans; see conv.h */
  cnnblas_net_optimiser_kind
      optimiser;   /* what a training network has room for: ADAMW keeps one array more than the others */
  int32_t average; /* 1: a training network has room for moving averages of its parameters: cnnblas_net_swap_average */
  int32_t reserved[19]; /* must be 0 */
} cnnblas_net_options;

/** Sets every field to zero, the defaults. NULL is ignored. */
CNNBLAS_API void cnnblas_net_options_init(cnnblas_net_options *options);

/**
 * Parses the text, computes every shape, makes the convolution plans, allocates the one block and initialises the
 * weights from the seed (tensor t of the network is stream t; biases 0). The caller owns *net.
 *
 * Returns CNNBLAS_OK; CNNBLAS_BAD_FORMAT for a text that is wrong: the message names the column, counted from 1, what
 * was expected and what was found ("column 17: expected a number after '@', found 'x'"), also where the layers do not
 * fit their input; CNNBLAS_INVALID_ARGUMENT (null pointer, bad option); CNNBLAS_UNSUPPORTED; CNNBLAS_SIZE_OVERFLOW;
 * CNNBLAS_OUT_OF_MEMORY. On an error *net is untouched.
 */
CNNBLAS_API cnnblas_status cnnblas_net_create(const char *text, const cnnblas_net_options *options, cnnblas_net **net);

/** Frees the network. NULL is ignored. */
CNNBLAS_API void cnnblas_net_destroy(cnnblas_net *net);

/** What follows from text and options alone. */
typedef struct cnnblas_net_info {
  cnnblas_dtype dtype;    /* of data, parameters and arithmetic */
  cnnblas_net_mode mode;  /* as created */
  cnnblas_net_loss loss;  /* as created */
  int32_t rank;           /* spatial axes of the input, 1 to 3 */
  int32_t threads;        /* the most that a call will use */
  int32_t packed;         /* 1: passes read the weights that cnnblas_net_pack_weights packed */
  int64_t batch;          /* the largest batch of a call */
  int64_t c;              /* the input's channels */
  int64_t size[3];        /* and size */
  int64_t input_elements; /* of one image */
  int64_t classes;        /* outputs of the last layer, for one image */
  int64_t layers;         /* as written out, fused ones included */
  int64_t tensors;        /* weights, biases and the like, then those that are not trained */
  int64_t parameters;     /* elements of those that are trained */
  double flops;           /* of one image's forward pass: 2 a multiplication and addition, convolutions and FC */
  double training_flops;  /* of one image's training step: forward, both gradients (no backward_data at the input) */
  size_t training_bytes;  /* the block of a training network of these options */
  size_t inference_bytes; /* the block of an inference network of these options, packed weights too */
  size_t allocated_bytes; /* the block of this network: one of the two, 0 for a design */
  int64_t steps;          /* updates so far */
  uint64_t seed;          /* of the last initialisation */
  int64_t reserved[8];    /* written as 0 */
} cnnblas_net_info;

/** Fills info. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (null pointer). */
CNNBLAS_API cnnblas_status cnnblas_net_get_info(const cnnblas_net *net, cnnblas_net_info *info);

/** The notation that the network was made from, as given, or of the preset. Valid as long as the network. "" for NULL. */
CNNBLAS_API const char *cnnblas_net_text(const cnnblas_net *net);

/** One layer, for inspection. */
typedef struct cnnblas_net_layer_info {
  char name[24];         /* "conv1" */
  char kind[16];         /* "CONV", "POOL max", "FC", "RELU", ... */
  char detail[168];      /* "8@5x5 stride 1 pad 0" */
  char algorithm[3][32]; /* of a convolution: forward, backward_data, backward_weights; "" if there is none */
  int32_t column;        /* where the text names it, from 1 */
  int32_t fused;         /* 1: done in the store of a layer before it: no array of its own */
  int64_t c;             /* output channels of one image; FC: outputs */
  int64_t size[3];       /* output shape of one image; FC: c outputs, sizes 1 */
  int64_t elements;      /* of one image's output */
  int64_t weights;       /* parameters that multiply */
  int64_t biases;        /* parameters */
  double flops;          /* of one image's forward pass */
  int32_t packed;        /* 1: a convolution whose weights are read packed (cnnblas_net_pack_weights) */
  int32_t reserved[15];  /* written as 0 */
} cnnblas_net_layer_info;

/** Fills info for layer index of 0 to info.layers - 1. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT. */
CNNBLAS_API cnnblas_status cnnblas_net_get_layer(const cnnblas_net *net, int64_t index, cnnblas_net_layer_info *info);

/**
 * The outputs [n][c][size...] that the last pass over a training network left in layer index: *output points into the
 * network, until its next call. A layer whose activation is fused holds the activated values, as that layer does.
 * Returns CNNBLAS_OK, or CNNBLAS_INVALID_ARGUMENT (bad index, an inference network, no pass yet).
 */
CNNBLAS_API cnnblas_status cnnblas_net_layer_output(const cnnblas_net *net, int64_t index, const void **output);

/**
 * Euclidean norm of the gradient of layer index's parameters that the last backward pass left, summed in double; 0 for
 * a layer without parameters. Errors as cnnblas_net_layer_output.
 */
CNNBLAS_API cnnblas_status cnnblas_net_layer_gradient_norm(const cnnblas_net *net, int64_t index, double *norm);

/** A table for people: each layer's shape, parameters, MFLOPs and algorithms, and the bytes. As snprintf:
    cnnblas_conv_plan_describe has the details. */
CNNBLAS_API cnnblas_status cnnblas_net_describe(const cnnblas_net *net, char *buffer, size_t size, size_t *needed);

/** One parameter tensor. The arrays lie in the network and may be read and written between its calls. */
typedef struct cnnblas_net_tensor {
  char name[32];       /* "conv1.weight" */
  cnnblas_dtype dtype; /* the network's */
  int32_t rank;        /* 5 to 1: [k][c/g][r][s], [out][in], [k] */
  int64_t shape[8];    /* the first rank entries; the rest 0 */
  int64_t elements;    /* their product */
  void *value;         /* NULL in a design */
  void *gradient;      /* of the last backward pass; NULL unless the network trains */
  void
      *momentum; /* the optimiser's v, ADAMW's first moment; NULL unless the network trains and the tensor is trained */
  void *second;  /* ADAMW's second moment; NULL unless the network has room for it (options.optimiser) */
  void *average; /* the moving average; NULL unless the network has room for it (options.average) */
  int32_t trained;     /* 1: a parameter; 0: follows the data, as batch normalisation's running statistics */
  int32_t decays;      /* 1: the optimiser's weight decay is for it: weights, not biases */
  int64_t reserved[1]; /* written as 0 */
} cnnblas_net_tensor;

/** Fills tensor for index of 0 to info.tensors - 1. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT. */
CNNBLAS_API cnnblas_status cnnblas_net_get_tensor(const cnnblas_net *net, int64_t index, cnnblas_net_tensor *tensor);

/** The same by name. A name that the network does not have is CNNBLAS_INVALID_ARGUMENT. */
CNNBLAS_API cnnblas_status cnnblas_net_find_tensor(const cnnblas_net *net, const char *name,
                                                   cnnblas_net_tensor *tensor);

/**
 * Initialises all parameters anew from a seed, zeroes the momentum and the step count. Passes read the weights as they
 * are again, not packed.
 * Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (a design).
 */
CNNBLAS_API cnnblas_status cnnblas_net_initialise(cnnblas_net *net, cnnblas_init init, uint64_t seed);

/**
 * Packs the convolutions' weights as they are now: from here on passes read these and need not pack them in each call.
 * For an inference network made with options.packed_weights. A BN that alone reads a convolution goes into its weights and bias, and
 * an ADD of two branches and an activation behind it into its store: results of such networks differ by rounding; those of all others
 * have the same bits. It pays where many
 * weights meet few pixels: small images, few at a time. Before the first call passes read the weights as they are.
 *
 * The packed weights lie in the network's block. What is written to a convolution's weight tensor afterwards, or to the tensors of a
 * BN that went into it, counts from the next cnnblas_net_pack_weights on; biases and fully connected weights count at once. A layer whose plan would not
 * pack its weights (cnnblas_conv_plan_packs) has no packed ones: what is written there counts at once too.
 *
 * Belongs to one thread at a time, as all calls of a network; runs in parallel.
 * Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (null pointer, a design, a network made without the option).
 */
CNNBLAS_API cnnblas_status cnnblas_net_pack_weights(cnnblas_net *net);

/** Sets the step count, for a run that is resumed. */
CNNBLAS_API cnnblas_status cnnblas_net_set_steps(cnnblas_net *net, int64_t steps);

/** What a pass over labelled images found. */
typedef struct cnnblas_net_result {
  double loss;         /* mean of the loss over the images */
  int64_t correct;     /* images whose largest logit is the label's (the first of equals; NaN is never right) */
  int64_t images;      /* seen */
  int64_t steps;       /* updates so far */
  char nonfinite[24];  /* "" or the first layer ("input" for the data) that made a NaN or Inf */
  int64_t reserved[4]; /* written as 0 */
} cnnblas_net_result;

/**
 * Called between backward and update: may change the gradients, for example sum them over machines.
 * gradients  all tensors' gradients in one array of the network's dtype, in the tensors' order, each padded with
 *            zeros to a multiple of 64 bytes
 * Return CNNBLAS_OK to go on; anything else ends the step without an update and is returned from it.
 */
typedef cnnblas_status (*cnnblas_net_hook)(void *context, void *gradients, int64_t elements);

/** An optimiser and its settings. */
typedef struct cnnblas_net_optimiser {
  cnnblas_net_optimiser_kind kind; /* default SGD */
  double lr;                       /* learning rate, at least 0 */
  double momentum;                 /* in [0, 1); ADAMW does not look at it */
  double weight_decay;  /* at least 0; for weights, not for biases nor batch normalisation's gamma and beta */
  double beta1;         /* of ADAMW, as optimiser.h has it; 0 means its default */
  double beta2;         /* likewise */
  double epsilon;       /* likewise */
  double most_norm;     /* above 0: gradients whose norm over all tensors is larger are scaled to it; 0: they are not */
  double average_decay; /* above 0, at most 1: the averages follow by 1 - average_decay of the way; 0: they stay */
  int64_t reserved[3];  /* must be 0 */
} cnnblas_net_optimiser;

/** One training step: some labelled images, and what follows from their gradient. The arrays are read during the call. */
typedef struct cnnblas_net_step {
  int64_t n;             /* images, 1 to the network's batch */
  const void *images;    /* [n][c][size...] */
  const int32_t *labels; /* [n], each 0 to classes - 1 */
  const int64_t
      *numbers; /* [n], the images' numbers in the data, each at least 0; or NULL. What is random in a layer or
                                      an augmentation is drawn by them, whatever batch an image comes in; NULL: 0, 1, ... */
  cnnblas_net_optimiser optimiser; /* read by update */
  cnnblas_net_hook hook;           /* called by update; or NULL */
  void *context;                   /* the hook's first argument */
  double
      label_smoothing; /* e, at least 0 and below 1, of the softmax's loss: a label's share is 1 - e, and e is shared by all
                             classes alike. Gradient and the step's loss; evaluation has none */
  int64_t reserved[7]; /* must be 0 */
} cnnblas_net_step;

/** Sets every field to zero; n, images, labels and the learning rate remain to be given. NULL is ignored. */
CNNBLAS_API void cnnblas_net_step_init(cnnblas_net_step *step);

/** How the learning rate follows the steps. */
typedef enum cnnblas_net_schedule_kind {
  CNNBLAS_NET_LR_STEPS = 0, /* cnnblas_lr_get: factors from given epochs on; without any the rate is constant */
  CNNBLAS_NET_LR_COSINE = 1 /* half a cosine, from the rate behind the warm-up to 0 at the end */
} cnnblas_net_schedule_kind;

/** A schedule. */
typedef struct cnnblas_net_schedule {
  cnnblas_net_schedule_kind kind; /* default steps */
  double lr;                      /* the rate that all others are parts of */
  int64_t epoch_steps;            /* steps of an epoch, at least 1 */
  int64_t epochs;                 /* COSINE: of the whole run, at least 1 */
  int64_t warm_up;                /* steps in which the rate rises, evenly, to lr; 0: none do */
  const cnnblas_lr_step *steps;   /* STEPS: as cnnblas_lr_get has them; NULL: none */
  int64_t count;                  /* of these */
  int64_t reserved[4];            /* must be 0 */
} cnnblas_net_schedule;

/** Sets every field to zero; lr and epoch_steps remain to be given. NULL is ignored. */
CNNBLAS_API void cnnblas_net_schedule_init(cnnblas_net_schedule *schedule);

/**
 * The rate of a step, counted from 0 over all epochs. For step < warm_up it is lr * (step + 1) / warm_up; then
 *   STEPS    cnnblas_lr_get(lr, steps, count, step / epoch_steps)
 *   COSINE   lr * (1 + cos(pi * (step - warm_up) / (epochs * epoch_steps - warm_up))) / 2, and 0 behind the last step
 * A function of its arguments alone: a run that is resumed goes on with the same rates. NaN for NULL, an unknown kind, an
 * epoch_steps below 1, or a step, warm_up or count below 0.
 */
CNNBLAS_API double cnnblas_net_schedule_rate(const cnnblas_net_schedule *schedule, int64_t step);

/**
 * The logits of n images.
 *
 * n        0 to the network's batch
 * x        [n][c][size...]
 * logits   [n][classes], written
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT (null pointer, n, a design), and what the layers return.
 */
CNNBLAS_API cnnblas_status cnnblas_net_forward(cnnblas_net *net, int64_t n, const void *x, void *logits);

/**
 * Forward, loss and backward: leaves the gradient of the mean loss over the step's images in the tensors, changes no parameter.
 *
 * result   filled; NULL if not wanted
 * Returns CNNBLAS_OK; CNNBLAS_NOT_FINITE if the loss, a logit or a gradient is NaN or Inf: the message and
 * result->nonfinite name the first layer that made one, and the step; CNNBLAS_INVALID_ARGUMENT.
 */
CNNBLAS_API cnnblas_status cnnblas_net_gradient(cnnblas_net *net, const cnnblas_net_step *step,
                                                cnnblas_net_result *result);

/**
 * The step's hook, then the gradients' norm limited, then the optimiser with the gradients that lie in the tensors, then the
 * averages; counts a step. The images are not looked at. ADAMW's step number is info.steps + 1.
 * Returns CNNBLAS_OK, what the hook returns, or CNNBLAS_INVALID_ARGUMENT (no gradient yet, a setting out of its range, no room for
 * what the optimiser or the averages keep).
 */
CNNBLAS_API cnnblas_status cnnblas_net_update(cnnblas_net *net, const cnnblas_net_step *step);

/**
 * Parameters and their averages change places: what follows, evaluation for example, sees the averages as values, until the
 * next such call. The averages begin as the initial values; whoever writes tensors writes theirs.
 * Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (a network made without options.average).
 */
CNNBLAS_API cnnblas_status cnnblas_net_swap_average(cnnblas_net *net);

/**
 * One training step: cnnblas_net_gradient, then cnnblas_net_update. Where the first fails nothing is updated: the
 * parameters are still those of the step before.
 */
CNNBLAS_API cnnblas_status cnnblas_net_train_step(cnnblas_net *net, const cnnblas_net_step *step,
                                                  cnnblas_net_result *result);

/**
 * Loss and accuracy over any number of images, in batches of the network's; changes nothing. NaN or Inf in the loss is
 * not an error here: result->nonfinite tells. An empty set has loss 0.
 */
CNNBLAS_API cnnblas_status cnnblas_net_evaluate(cnnblas_net *net, int64_t n, const void *x, const int32_t *labels,
                                                cnnblas_net_result *result);

/**
 * Classes of n images, 0 to the network's batch: one image's answer does not depend on the others.
 *
 * probabilities  [n][classes] of the network's dtype: softmax or sigmoid of the logits; NULL if not wanted
 * classes        [n], the largest logit's place, the first of equals (a NaN counts as the largest); NULL if not wanted
 */
CNNBLAS_API cnnblas_status cnnblas_net_predict(cnnblas_net *net, int64_t n, const void *x, void *probabilities,
                                               int32_t *classes);

#ifdef __cplusplus
}
#endif
#endif
