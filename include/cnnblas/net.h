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
 * The notation, in EBNF; words may be in any case, blanks may stand anywhere between tokens:
 *
 *   network    = input , { "->" , item } | "NET" , preset ;
 *   preset     = "resnet20" | "resnet50" | "mobilenet_v2" | "googlenet" | "vgg16" | "unet" ;
 *   input      = "INPUT" , [ number , { "x" , number } ] ;       channels, then 0 to 3 axes: 3x32x32, 1x16000, 784
 *   item       = layer | group | join ;
 *   group      = "[" , item , { "->" , item } , "]" , [ "*" , number ] ;              *0 leaves the group out
 *   join       = ( "ADD" | "MUL" | "CAT" ) , "[" , branch , "|" , branch , { "|" , branch } , "]" ;
 *   branch     = [ item , { "->" , item } ] ;                    an empty branch gives its input
 *   layer      = conv | tconv | up | pool | gpool | fc | "BN" | dropout | activation ;
 *   conv       = "CONV" , [ number , "@" , sizes ] , { conv word } ;                  filters @ filter size
 *   tconv      = "TCONV" , number , "@" , sizes , { "stride" , sizes | "dilation" , sizes | "groups" , number | "bias"
 *              | "pad" , ends | "output" , sizes } ;             transposed; output: elements added to its end
 *   up         = "UP" , number , ( "nearest" | "linear" ) ;      how many times as large the image becomes
 *   conv word  = "stride" , sizes | "dilation" , sizes | "groups" , number | "bias"
 *              | "pad" , ( ends | "same" | "valid" ) | "maps" , maps ;
 *   maps       = list , { "/" , list } ;                         a list for each filter: the input maps that it sees
 *   list       = range , { "," , range } ;
 *   range      = number , [ "-" , number ] ;                     counted from 0, both ends included
 *   pool       = "POOL" , [ "max" | "avg" | "l2" ] , [ sizes , [ "/" , sizes ] ]      window / stride
 *              , { "pad" , ends | "ceil" } , [ "?" ] ;
 *   gpool      = "GPOOL" , ( "avg" | "max" ) ;                   the window is the whole image
 *   fc         = "FC" , [ number ] ;                             outputs
 *   dropout    = "DROPOUT" , decimal ;                           the share that is dropped, below 1
 *   activation = "RELU" | "LEAKY" , [ decimal ]                  slope of the negative side
 *              | "ELU" , [ decimal ] | "SELU" | "CLIP" , bound , bound
 *              | "SIGMOID" | "TANH" | "SOFTPLUS" | "HSIGMOID" | "SWISH" | "HSWISH" | "GELU" ;
 *   bound      = [ "-" ] , decimal ;
 *   sizes      = number , { "x" , number } ;                     one number for all axes, or one an axis
 *   ends       = number , [ ":" , number ] , { "x" , number , [ ":" , number ] } ;    zeros in front, behind: 1:2x0:1
 *
 * Defaults of bare words: INPUT takes its size from the options; CONV is `CONV 16@3x3 pad same`; a size without pad is
 * `pad valid` (none); `same` pads (F-1)/2 * dilation at both ends; POOL is `POOL max 2`, its stride the window's size;
 * FC is `FC 128`, but the last layer's FC has as many outputs as the options have classes. LEAKY is 0.01. A pool that
 * ends in `?` is left out where the image is smaller than its window. An input without axes has two of size 1. Of a
 * word that CONV, TCONV or POOL repeats the last one counts. A decimal is digits, perhaps with a
 * fraction and an exponent: 0.5, 1e-3.
 * ADD sums branches of one shape, CAT puts the channels of branches of one image size behind each other, MUL multiplies
 * two branches of one shape, or scales each channel of one by the other's single element. So
 * `ADD[ CONV 64@3x3 pad 1 -> BN -> RELU -> CONV 64@3x3 pad 1 -> BN | ] -> RELU` is a residual block,
 * `MUL[ | GPOOL avg -> FC 16 -> RELU -> FC 64 -> SIGMOID ]` squeeze and excitation.
 *
 * Limits: a number is at most 10^9; groups and joins may hold each other 16 deep; a join has 2 to 256 branches; a
 * network has at most 1000 layers; a table of maps has at most 2^24 places (filters times maps); groups repeat at most
 * 100000 times in all, where each is read once more than it repeats; repetitions that take more than 10^8 characters to
 * read are refused.
 *
 * NET NAME stands for a notation that cnnblas_net_text gives: its INPUT and last FC are bare where the options have the
 * input and the classes, or else those of the network's paper (resnet20: 3x32x32 and 10). A network's outputs are all elements that its last layer makes;
 * unet's outputs are two maps.
 *
 * A convolution has F*F*D1*K weights (D1/groups with groups) and K biases, but none where BN alone reads it unless
 * `bias` is written; a fully connected layer has out*in and out; BN a scale (weight) and a shift (bias) a channel and,
 * not trained, running_mean and running_var, which follow the batch's by a tenth in each update. Training uses the
 * batch's mean and variance, all else the running ones. What DROPOUT drops follows from seed, step and the image's
 * number alone.
 * Layers are named by their kind and their number among its layers: conv1, relu1, pool1, conv2, fc1; their tensors
 * conv1.weight, conv1.bias. The last layer's outputs are the logits; the loss includes the softmax or the sigmoid.
 *
 * One thread at a time may use a network (its calls use threads of their own). Training is bit-reproducible from the
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

/** A network: opaque; one thread at a time may use it. */
typedef struct cnnblas_net cnnblas_net;

/** The loss after the last layer. */
typedef enum cnnblas_net_loss {
  CNNBLAS_NET_SOFTMAX = 0, /* softmax cross-entropy, its mean over the images */
  CNNBLAS_NET_SIGMOID = 1 /* sigmoid cross-entropy against the label's one-hot vector, its mean over images * classes */
} cnnblas_net_loss;

/** How parameters follow their gradients. */
typedef enum cnnblas_net_optimiser_kind {
  CNNBLAS_NET_SGD = 0,      /* cnnblas_sgd_step, with momentum or without */
  CNNBLAS_NET_NESTEROV = 1, /* cnnblas_nesterov_step: SGD with Nesterov's momentum */
  CNNBLAS_NET_ADAMW = 2     /* cnnblas_adamw_step: Adam with decoupled weight decay */
} cnnblas_net_optimiser_kind;

/** What a network is for. */
typedef enum cnnblas_net_mode {
  CNNBLAS_NET_TRAINING = 0,  /* the network trains, evaluates, predicts */
  CNNBLAS_NET_INFERENCE = 1, /* the network evaluates and predicts, in much less memory */
  CNNBLAS_NET_DESIGN = 2     /* the network has shapes, sizes and algorithms only: no arrays, and nothing can be run */
} cnnblas_net_mode;

/** How a network is to be made. Zero, or a NULL pointer to the whole, means the defaults. */
typedef struct cnnblas_net_options {
  cnnblas_dtype dtype;   /* the type of data, parameters and arithmetic; default f32 */
  cnnblas_net_mode mode; /* what the network is for; default training */
  cnnblas_net_loss loss; /* the loss after the last layer; default softmax */
  cnnblas_init init;     /* the distribution of initial weights; default He; biases begin at 0 */
  uint64_t seed;         /* the seed of the initial weights */
  int64_t batch;         /* the largest batch of a call, in images; 0 means 64 */
  int64_t c;             /* the data's channels; c and size fill an INPUT without size, and must agree with one
                            that has it; 0: the text says them */
  int64_t size[3];       /* the data's size, {h, w}, {w} or {d, h, w} */
  int64_t classes; /* the data's classes: they fill a last FC without size, must agree with one that has it; or 0 */
  int32_t threads; /* the most threads of a call; 0 means one a core */
  cnnblas_effort effort;   /* how the convolutions' algorithms are chosen; see conv.h */
  const char *algorithm;   /* the convolutions' algorithm, read by create alone; NULL or "auto": the library chooses */
  cnnblas_wisdom *wisdom;  /* with effort measure: choices that create looks into first and adds to; or NULL */
  int32_t packed_weights;  /* 1: the network has room for packed weights (cnnblas_net_pack_weights); not for training */
  int32_t flush_denormals; /* 1: numbers below the least normal one count as zeros in layers and updates; see conv.h */
  cnnblas_accuracy_policy accuracy;     /* which bounds on the error the automatic choice may take; see conv.h */
  cnnblas_net_optimiser_kind optimiser; /* whose arrays a training network has room for: ADAMW keeps one more */
  int32_t average;  /* 1: a training network has room for its parameters' moving averages: cnnblas_net_swap_average */
  int32_t segments; /* a training network's batch is cut in so many segments whose weight gradients are summed by
                       themselves and joined in a binary tree: a power of two up to 1024; 0 means 1 */
  int32_t reserved[18]; /* for later fields: its elements must be 0 */
} cnnblas_net_options;

/** Sets every field to zero, the defaults. NULL is ignored. */
CNNBLAS_API void cnnblas_net_options_init(cnnblas_net_options *options);

/**
 * Parses the text, computes every shape, makes the convolution plans, allocates the one block and initialises the
 * weights from the seed (tensor t of the network is stream t; biases 0). The caller owns *net.
 *
 * Returns CNNBLAS_OK; CNNBLAS_BAD_FORMAT for a text that is wrong: the message names the column, counted from 1, what
 * was expected and what was found ("column 17: expected a number after '@', found 'x'"), also if layers do not
 * fit their input; CNNBLAS_INVALID_ARGUMENT (null pointer, bad option); CNNBLAS_UNSUPPORTED; CNNBLAS_SIZE_OVERFLOW;
 * CNNBLAS_OUT_OF_MEMORY. On an error *net is untouched.
 */
CNNBLAS_API cnnblas_status cnnblas_net_create(const char *text, const cnnblas_net_options *options, cnnblas_net **net);

/** Frees the network. NULL is ignored. */
CNNBLAS_API void cnnblas_net_destroy(cnnblas_net *net);

/** What follows from text and options alone. */
typedef struct cnnblas_net_info {
  cnnblas_dtype dtype;    /* the type of data, parameters and arithmetic */
  cnnblas_net_mode mode;  /* what the network was created for */
  cnnblas_net_loss loss;  /* the loss after the last layer */
  int32_t rank;           /* the number of spatial axes of the input, 1 to 3 */
  int32_t threads;        /* the most threads that a call will use */
  int32_t packed;         /* 1: passes read the weights that cnnblas_net_pack_weights packed */
  int64_t batch;          /* the largest batch of a call, in images */
  int64_t c;              /* the input's channels */
  int64_t size[3];        /* the input's size, one entry an axis */
  int64_t input_elements; /* elements of one input image */
  int64_t classes;        /* elements of the last layer's output for one image */
  int64_t layers;         /* layers with groups written out, fused ones included */
  int64_t tensors;        /* tensors: first those that are trained, then the others */
  int64_t parameters;     /* elements of the tensors that are trained */
  double flops; /* operations of one image's forward pass in convolutions and FC: 2 a multiplication and addition */
  double training_flops;  /* operations of one image's training step: forward, both gradients (no dx at the input) */
  size_t training_bytes;  /* bytes of the block of a training network of these options */
  size_t inference_bytes; /* bytes of the block of an inference network of these options, packed weights too */
  size_t allocated_bytes; /* bytes of this network's block: one of these two, 0 for a design */
  int64_t steps;          /* number of updates so far */
  uint64_t seed;          /* the seed of the last initialisation */
  int64_t reserved[8];    /* written as 0 */
} cnnblas_net_info;

/** Fills info. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (null pointer). */
CNNBLAS_API cnnblas_status cnnblas_net_get_info(const cnnblas_net *net, cnnblas_net_info *info);

/** The notation that the network was made from, as given, or of the preset. The string lives as
    long as the network; "" for NULL. */
CNNBLAS_API const char *cnnblas_net_text(const cnnblas_net *net);

/**
 * The notation that cnnblas_net_create reads for a text: of `NET resnet20` the preset's, in which an error's column counts;
 * any other text is its own. Only c, size and classes of the options are looked at; NULL stands for none. It is written as
 * snprintf does: cnnblas_conv_plan_describe has the details.
 * Returns CNNBLAS_OK, CNNBLAS_BAD_FORMAT (NET with a name that no preset has), CNNBLAS_INVALID_ARGUMENT (null pointer), or
 * CNNBLAS_OUT_OF_MEMORY.
 */
CNNBLAS_API cnnblas_status cnnblas_net_expand(const char *text, const cnnblas_net_options *options, char *buffer,
                                              size_t size, size_t *needed);

/** One layer, for inspection. */
typedef struct cnnblas_net_layer_info {
  char name[24];         /* the layer's name, "conv1" */
  char kind[16];         /* the kind of layer: "CONV", "POOL max", "FC", "RELU", ... */
  char detail[168];      /* the layer's settings, "8@5x5 stride 1 pad 0" */
  char algorithm[3][32]; /* a convolution's algorithms: forward, backward_data, backward_weights; "" for none */
  int32_t column;        /* the column, from 1, in which the text names the layer */
  int32_t fused;         /* 1: the store of a layer before does this activation or ADD, without an array of its own */
  int64_t c;             /* channels of one image's output; FC: outputs */
  int64_t size[3];       /* size of one image's output, one entry an axis; FC: all 1 */
  int64_t elements;      /* elements of one image's output */
  int64_t weights;       /* number of parameters that multiply */
  int64_t biases;        /* number of parameters that are added */
  double flops;          /* operations of one image's forward pass */
  int32_t packed;        /* 1: a convolution whose weights are read packed (cnnblas_net_pack_weights) */
  int32_t reserved[15];  /* written as 0 */
} cnnblas_net_layer_info;

/** Fills info for layer index of 0 to info.layers - 1. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT. */
CNNBLAS_API cnnblas_status cnnblas_net_get_layer(const cnnblas_net *net, int64_t index, cnnblas_net_layer_info *info);

/**
 * The outputs [n][c][size...] that the last pass over a training network left in layer index: *output points into the
 * network and is valid until its next call. A layer over whose output an activation or an ADD lies holds the values of
 * that one.
 * Returns CNNBLAS_OK, or CNNBLAS_INVALID_ARGUMENT (bad index, an inference network, no pass yet).
 */
CNNBLAS_API cnnblas_status cnnblas_net_layer_output(const cnnblas_net *net, int64_t index, const void **output);

/**
 * *norm = the Euclidean norm of the gradient of layer index's parameters that the last backward pass left, summed in
 * double; 0 for a layer without parameters. Errors as cnnblas_net_layer_output.
 */
CNNBLAS_API cnnblas_status cnnblas_net_layer_gradient_norm(const cnnblas_net *net, int64_t index, double *norm);

/** A table for people: each layer's shape, parameters, MFLOPs and algorithms, and the network's bytes. It is
    written as snprintf does: cnnblas_conv_plan_describe has the details. */
CNNBLAS_API cnnblas_status cnnblas_net_describe(const cnnblas_net *net, char *buffer, size_t size, size_t *needed);

/** One parameter tensor. The arrays lie in the network and may be read and written between its calls. */
typedef struct cnnblas_net_tensor {
  char name[32];       /* the tensor's name, "conv1.weight" */
  cnnblas_dtype dtype; /* the type of the network's arrays */
  int32_t rank;        /* the number of axes, 1 to 5: [k][c/g][r][s], [out][in], [k] */
  int64_t shape[8];    /* the size of each axis, in the first rank entries; 0 in the others */
  int64_t elements;    /* elements of the tensor, the product of its sizes */
  void *value;         /* the tensor itself; NULL in a design */
  void *gradient;      /* the gradient of the last backward pass; NULL unless the network trains */
  void *momentum;      /* the optimiser's v, ADAMW's first moment; NULL unless network and tensor are trained */
  void *second;        /* ADAMW's second moment; NULL unless the network has room for it (options.optimiser) */
  void *average;       /* the moving average; NULL unless the network has room for it (options.average) */
  int32_t trained; /* 1: it is a parameter; 0: it follows the data, as batch normalisation's running statistics do */
  int32_t decays;  /* 1: the optimiser's weight decay applies to it: weights, not biases */
  int64_t reserved[1]; /* written as 0 */
} cnnblas_net_tensor;

/** Fills tensor for index of 0 to info.tensors - 1. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT. */
CNNBLAS_API cnnblas_status cnnblas_net_get_tensor(const cnnblas_net *net, int64_t index, cnnblas_net_tensor *tensor);

/** Fills tensor for a tensor's name. A name that the network does not have is CNNBLAS_INVALID_ARGUMENT. */
CNNBLAS_API cnnblas_status cnnblas_net_find_tensor(const cnnblas_net *net, const char *name,
                                                   cnnblas_net_tensor *tensor);

/**
 * Initialises all parameters anew from a seed, zeroes the momentum and the step count. Passes read the weights as they
 * lie again, not packed ones.
 * Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (a design).
 */
CNNBLAS_API cnnblas_status cnnblas_net_initialise(cnnblas_net *net, cnnblas_init init, uint64_t seed);

/**
 * Packs the convolutions' weights as they are now: from here on passes read the packed weights and need not pack in
 * each call.
 * For an inference network made with options.packed_weights. A BN that alone reads a convolution goes into its weights
 * and bias, and an ADD of two branches and an activation behind it into its store: results of such networks differ by
 * rounding; those of all others have the same bits. It pays where many
 * weights meet few pixels: small images, few at a time. Before the first call passes read the weights as they are.
 *
 * The packed weights lie in the network's block. What is written to a convolution's weight tensor afterwards, or to the
 * tensors of a BN that went into it, counts from the next cnnblas_net_pack_weights on; biases and fully connected
 * weights count at once. A layer whose plan would not pack its weights (cnnblas_conv_plan_packs) has no packed ones:
 * what is written to its weights counts at once too.
 *
 * The call runs on the network's threads; one thread at a time may use the network.
 * Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (null pointer, a design, a network made without the option).
 */
CNNBLAS_API cnnblas_status cnnblas_net_pack_weights(cnnblas_net *net);

/** Sets the number of updates so far, for a run that is resumed. */
CNNBLAS_API cnnblas_status cnnblas_net_set_steps(cnnblas_net *net, int64_t steps);

/** What a pass over labelled images found. */
typedef struct cnnblas_net_result {
  double loss;     /* the mean of the loss over the images */
  int64_t correct; /* number of images whose largest logit is the label's (the first of equals; NaN is never right) */
  int64_t images;  /* number of images that the pass saw */
  int64_t steps;   /* number of updates so far */
  char nonfinite[24];  /* the name of the first layer that made a NaN or Inf ("input" for the data), or "" */
  int64_t reserved[4]; /* written as 0 */
} cnnblas_net_result;

/**
 * A hook is called between backward and update; it may change the gradients, for example sum them over machines.
 * gradients  all tensors' gradients in one array of the network's dtype, in the tensors' order, each padded with
 *            zeros to a multiple of 64 bytes
 * Return CNNBLAS_OK to go on; anything else ends the step without an update and is returned from it.
 */
typedef cnnblas_status (*cnnblas_net_hook)(void *context, void *gradients, int64_t elements);

/** An optimiser and its settings. */
typedef struct cnnblas_net_optimiser {
  cnnblas_net_optimiser_kind kind; /* which optimiser; default SGD */
  double lr;                       /* the learning rate, at least 0 */
  double momentum;                 /* SGD's and NESTEROV's momentum, in [0, 1); ADAMW does not look at it */
  double weight_decay;  /* decay of weights, not of biases nor batch normalisation's gamma and beta; at least 0 */
  double beta1;         /* ADAMW's beta1, as optimiser.h has it; 0 means its default */
  double beta2;         /* ADAMW's beta2; 0 means its default */
  double epsilon;       /* ADAMW's epsilon; 0 means its default */
  double most_norm;     /* above 0: gradients whose norm over all tensors is larger are scaled to it; 0: no limit */
  double average_decay; /* above 0, at most 1: averages go 1 - average_decay of the way to parameters; 0: they stay */
  int64_t reserved[3];  /* for later fields: its elements must be 0 */
} cnnblas_net_optimiser;

/** One training step: some labelled images, and what follows from their gradient. The arrays are read during the
    call. */
typedef struct cnnblas_net_step {
  int64_t n;                       /* number of images, 1 to the network's batch */
  const void *images;              /* the images, [n][c][size...] */
  const int32_t *labels;           /* the images' labels, [n], each 0 to classes - 1 */
  const int64_t *numbers;          /* the images' numbers in the data, [n], each at least 0; or NULL. What is random
                                      in a layer or an augmentation is drawn by them, whatever batch an image comes in;
                                      NULL: 0, 1, ... */
  cnnblas_net_optimiser optimiser; /* the optimiser and its settings, which update reads */
  cnnblas_net_hook hook;           /* what update calls first; or NULL */
  void *context;                   /* the hook's first argument */
  double label_smoothing;          /* e of the softmax's loss, at least 0 and below 1: a label's share is 1 - e, and all
                             classes share e alike. Gradient and the step's loss have it, evaluation does not */
  struct cnnblas_net_exchange *exchange; /* the other ranks that have images of the step (net_exchange.h): n counts all
                             ranks' images, the arrays have this rank's, cnnblas_net_share's count. NULL: there are none */
  int64_t reserved[6];                   /* for later fields: its elements must be 0 */
} cnnblas_net_step;

/** Sets every field to zero; n, images, labels and the learning rate remain to be given. NULL is ignored. */
CNNBLAS_API void cnnblas_net_step_init(cnnblas_net_step *step);

/** How the learning rate follows the steps. */
typedef enum cnnblas_net_schedule_kind {
  CNNBLAS_NET_LR_STEPS = 0, /* cnnblas_lr_get: factors hold from given epochs on; without any the rate is constant */
  CNNBLAS_NET_LR_COSINE = 1 /* the rate is half a cosine, from lr behind the warm-up to 0 at the end */
} cnnblas_net_schedule_kind;

/** A schedule of the learning rate. */
typedef struct cnnblas_net_schedule {
  cnnblas_net_schedule_kind kind; /* how the rate follows the steps; default LR_STEPS */
  double lr;                      /* the rate that all others are parts of */
  int64_t epoch_steps;            /* number of steps of an epoch, at least 1 */
  int64_t epochs;                 /* COSINE: number of epochs of the whole run, at least 1 */
  int64_t warm_up;                /* number of steps in which the rate rises evenly to lr, at least 0 */
  const cnnblas_lr_step *steps;   /* STEPS: the factors, as cnnblas_lr_get has them; NULL: none */
  int64_t count;                  /* number of entries of steps */
  int64_t reserved[4];            /* for later fields: its elements must be 0 */
} cnnblas_net_schedule;

/** Sets every field to zero; lr and epoch_steps remain to be given. NULL is ignored. */
CNNBLAS_API void cnnblas_net_schedule_init(cnnblas_net_schedule *schedule);

/**
 * The learning rate of a step, counted from 0 over all epochs. For step < warm_up it is lr * (step + 1) / warm_up; then
 *   STEPS    cnnblas_lr_get(lr, steps, count, step / epoch_steps)
 *   COSINE   lr * (1 + cos(pi * (step - warm_up) / (epochs * epoch_steps - warm_up))) / 2, and 0 behind the last step
 * The rate follows from the arguments alone: a run that is resumed goes on with the same rates. It is NaN for NULL, an
 * unknown kind, an epoch_steps below 1, or a step, warm_up or count below 0.
 */
CNNBLAS_API double cnnblas_net_schedule_rate(const cnnblas_net_schedule *schedule, int64_t step);

/**
 * Computes the logits of n images.
 *
 * n        number of images, 0 to the network's batch
 * x        the images, [n][c][size...]
 * logits   [n][classes], written
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT (null pointer, n out of range, a design), and what the layers return.
 */
CNNBLAS_API cnnblas_status cnnblas_net_forward(cnnblas_net *net, int64_t n, const void *x, void *logits);

/**
 * Forward, loss and backward: leaves the gradient of the mean loss over the step's images in the tensors and changes no
 * parameter.
 *
 * result   filled; NULL if not wanted
 * Returns CNNBLAS_OK; CNNBLAS_NOT_FINITE if the loss, a logit or a gradient is NaN or Inf: the message and
 * result->nonfinite name the first layer that made one, and the step; CNNBLAS_INVALID_ARGUMENT.
 */
CNNBLAS_API cnnblas_status cnnblas_net_gradient(cnnblas_net *net, const cnnblas_net_step *step,
                                                cnnblas_net_result *result);

/**
 * Calls the step's hook, limits the gradients' norm, runs the optimiser with the gradients that lie in the tensors,
 * moves the averages, and counts a step. It does not look at the images. ADAMW's step number is info.steps + 1.
 * Returns CNNBLAS_OK, what the hook returns, or CNNBLAS_INVALID_ARGUMENT (no gradient yet, a setting out of its range,
 * no room for what the optimiser or the averages keep).
 */
CNNBLAS_API cnnblas_status cnnblas_net_update(cnnblas_net *net, const cnnblas_net_step *step);

/**
 * Parameters and their averages change places: what follows, evaluation for example, sees the averages as values, until
 * the next such call. The averages begin as the initial values; a caller that writes tensors writes their averages too.
 * Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (a network made without options.average).
 */
CNNBLAS_API cnnblas_status cnnblas_net_swap_average(cnnblas_net *net);

/**
 * One training step: cnnblas_net_gradient, then cnnblas_net_update. Where the gradient fails nothing is updated: the
 * parameters are still those of the step before.
 */
CNNBLAS_API cnnblas_status cnnblas_net_train_step(cnnblas_net *net, const cnnblas_net_step *step,
                                                  cnnblas_net_result *result);

/**
 * Finds loss and accuracy over any number of images, in batches of the network's size; changes nothing. NaN or Inf in
 * the loss is not an error here: result->nonfinite tells. An empty set has loss 0.
 */
CNNBLAS_API cnnblas_status cnnblas_net_evaluate(cnnblas_net *net, int64_t n, const void *x, const int32_t *labels,
                                                cnnblas_net_result *result);

/**
 * Finds the classes of n images, n from 0 to the network's batch: one image's answer does not depend on the others.
 *
 * probabilities  [n][classes] of the network's dtype: softmax or sigmoid of the logits; NULL if not wanted
 * classes        [n], the place of each image's largest logit, the first of equals (a NaN counts as the largest); NULL
 *                if not wanted
 */
CNNBLAS_API cnnblas_status cnnblas_net_predict(cnnblas_net *net, int64_t n, const void *x, void *probabilities,
                                               int32_t *classes);

#ifdef __cplusplus
}
#endif
#endif
