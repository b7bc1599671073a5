/* The command line of `cnnblas train`; see train_options.h. */
#include "train_options.h"
#include "command.h"
#include "plots.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Trains a network, tests it after each epoch, and writes it as safetensors.\n"
    "\n"
    "usage: cnnblas train [OPTION]...\n"
    "\n"
    "  --data DIR          MNIST's four IDX files, plain or .gz, any image size; none: 28x28 drawn digits\n"
    "  --transpose         images are stored column by column, as EMNIST's are\n"
    "  --label-offset N    labels are counted from N (0; EMNIST's letters: 1)\n"
    "  --net TEXT          the network (\"INPUT -> [CONV 8@5x5 -> RELU -> POOL max 2] -> [CONV 16@5x5 -> RELU ->\n"
    "                      POOL max 2] -> FC 64 -> RELU -> FC\"; INPUT and the last FC take the data's sizes)\n"
    "  --epochs N          passes over the data (8)\n"
    "  --batch N           images a step (64)\n"
    "  --lr X              learning rate (0.05)\n"
    "  --momentum X        (0.9)\n"
    "  --weight-decay X    (0)\n"
    "  --lr-step E:F,...   from epoch E on, counted from 1, the rate times F: 10:0.1,20:0.1\n"
    "  --init I            he, he-fan-out, small or zero (he)\n"
    "  --loss L            softmax or sigmoid (softmax)\n"
    "  --dtype T           f32 or f64 (f32)\n"
    "  --accuracy A        of convolutions: default, exact (each output by itself) or relaxed\n"
    "  --seed N            of the weights and the images' order (1)\n"
    "  --threads N         (one a core); the result's bits do not depend on it\n"
    "  --out FILE          the model, written after the last epoch\n"
    "  --checkpoint FILE   written after each epoch, and on Ctrl-C, SIGTERM and SIGHUP (else OUT.checkpoint, or\n"
    "                      cnnblas.checkpoint)\n"
    "  --resume FILE       go on from a checkpoint, to the same bits as without the break; needs the same --data\n"
    "  --history FILE      CSV, a row an epoch\n"
    "  --plot FILE         loss and accuracy by epoch, SVG or PNG by the ending; needs gnuplot\n"
    "  --json FILE         settings, epochs and result; - for standard output, which then holds nothing else\n"
    "  --progress WHEN     auto, always or never: a running line on standard error (auto: on a terminal)\n"
    "  -q, --quiet         only the last line\n"
    "  -h, --help  -V, --version\n"
    "\n"
    "example: cnnblas train --data mnist/ --epochs 12 --lr-step 10:0.1 --out digits.safetensors\n"
    "exit status: 0 fine, 1 training met NaN, 2 usage, 3 bad input, 4 out of memory or disk, 128 + a signal\n";

enum {
  DATA = 256,
  TRANSPOSE,
  LABEL_OFFSET,
  NET,
  EPOCHS,
  BATCH,
  LR,
  MOMENTUM,
  WEIGHT_DECAY,
  LR_STEP,
  INIT,
  LOSS,
  DTYPE,
  ACCURACY,
  SEED,
  THREADS,
  OUT,
  CHECKPOINT,
  RESUME,
  HISTORY,
  PLOT,
  JSON,
  PROGRESS,
  QUIET = 'q'
};

static const struct option long_options[] = {{"data", required_argument, NULL, DATA},
                                             {"transpose", no_argument, NULL, TRANSPOSE},
                                             {"label-offset", required_argument, NULL, LABEL_OFFSET},
                                             {"net", required_argument, NULL, NET},
                                             {"epochs", required_argument, NULL, EPOCHS},
                                             {"batch", required_argument, NULL, BATCH},
                                             {"lr", required_argument, NULL, LR},
                                             {"momentum", required_argument, NULL, MOMENTUM},
                                             {"weight-decay", required_argument, NULL, WEIGHT_DECAY},
                                             {"lr-step", required_argument, NULL, LR_STEP},
                                             {"init", required_argument, NULL, INIT},
                                             {"loss", required_argument, NULL, LOSS},
                                             {"dtype", required_argument, NULL, DTYPE},
                                             {"accuracy", required_argument, NULL, ACCURACY},
                                             {"seed", required_argument, NULL, SEED},
                                             {"threads", required_argument, NULL, THREADS},
                                             {"out", required_argument, NULL, OUT},
                                             {"checkpoint", required_argument, NULL, CHECKPOINT},
                                             {"resume", required_argument, NULL, RESUME},
                                             {"history", required_argument, NULL, HISTORY},
                                             {"plot", required_argument, NULL, PLOT},
                                             {"json", required_argument, NULL, JSON},
                                             {"progress", required_argument, NULL, PROGRESS},
                                             {"quiet", no_argument, NULL, QUIET},
                                             {"help", no_argument, NULL, COMMAND_HELP},
                                             {"version", no_argument, NULL, COMMAND_VERSION},
                                             {0}};

static int read_file_option(train_options *o, int option)
{
  switch (option) {
  case DATA:
    o->data = optarg;
    break;
  case OUT:
    o->out = optarg;
    break;
  case CHECKPOINT:
    o->checkpoint = optarg;
    break;
  case RESUME:
    o->resume = optarg;
    break;
  case HISTORY:
    o->history = optarg;
    break;
  case PLOT:
    o->plot = optarg;
    return plots_check("plot", optarg);
  case JSON:
    o->json = optarg;
    break;
  default:
    o->net = optarg;
    o->fixed_given = "net";
    break;
  }
  return COMMAND_FINE;
}

/* What may be changed when a run is resumed. */
static int read_rate_option(train_options *o, int option)
{
  train_settings *s = &o->settings;
  switch (option) {
  case EPOCHS:
    o->epochs_given = true;
    return command_integer("epochs", optarg, 1, SETTINGS_MOST_EPOCHS, &s->epochs);
  case LR:
    o->lr_given = true;
    return command_number("lr", optarg, 0, HUGE_VAL, &s->lr);
  case MOMENTUM:
    o->momentum_given = true;
    return command_number("momentum", optarg, 0, 1, &s->momentum);
  case WEIGHT_DECAY:
    o->decay_given = true;
    return command_number("weight-decay", optarg, 0, HUGE_VAL, &s->weight_decay);
  default:
    o->lr_steps_given = true;
    if (!settings_parse_lr_steps(optarg, s)) return COMMAND_FINE;
    return command_bad_value("lr-step", optarg,
                             "it must be EPOCH:FACTOR,..., epochs counted from 1, at most %d of them",
                             SETTINGS_MOST_STEPS);
  }
}

static int read_seed(const char *text, uint64_t *seed)
{
  char *end;
  *seed = strtoull(text, &end, 10);
  if (end != text && !*end && text[0] != '-') return COMMAND_FINE;
  return command_bad_value("seed", text, "it must be a whole number of at least 0");
}

/* What must stay when a run is resumed. */
static int read_fixed_option(train_options *o, int option)
{
  int choice = 0, status;
  switch (option) {
  case BATCH:
    o->fixed_given = "batch";
    return command_integer("batch", optarg, 1, 1 << 24, &o->settings.batch);
  case SEED:
    o->fixed_given = "seed";
    return read_seed(optarg, &o->settings.seed);
  case INIT:
    o->fixed_given = "init";
    status = command_choice("init", optarg, settings_init_names, &choice);
    o->settings.init = (cnnblas_init)choice;
    return status;
  case ACCURACY:
    o->fixed_given = "accuracy";
    status = command_choice("accuracy", optarg, settings_accuracy_names, &choice);
    o->settings.accuracy = (cnnblas_accuracy_policy)choice;
    return status;
  case LOSS:
    o->fixed_given = "loss";
    status = command_choice("loss", optarg, settings_loss_names, &choice);
    o->loss = (cnnblas_net_loss)choice;
    return status;
  default:
    o->fixed_given = "dtype";
    status = command_choice("dtype", optarg, settings_dtype_names, &choice);
    o->dtype = (cnnblas_dtype)choice;
    return status;
  }
}

static int read_option(train_options *o, int option, bool *done)
{
  static const char *const when[] = {"auto", "always", "never", NULL};
  int64_t threads = 0;
  int choice = 0, status;
  switch (option) {
  case DATA:
  case NET:
  case OUT:
  case CHECKPOINT:
  case RESUME:
  case HISTORY:
  case PLOT:
  case JSON:
    return read_file_option(o, option);
  case EPOCHS:
  case LR:
  case MOMENTUM:
  case WEIGHT_DECAY:
  case LR_STEP:
    return read_rate_option(o, option);
  case BATCH:
  case SEED:
  case INIT:
  case LOSS:
  case DTYPE:
  case ACCURACY:
    return read_fixed_option(o, option);
  case TRANSPOSE:
    o->form.transpose = true;
    return COMMAND_FINE;
  case LABEL_OFFSET:
    return command_integer("label-offset", optarg, INT32_MIN, INT32_MAX, &o->form.label_offset);
  case THREADS:
    status = command_integer("threads", optarg, 1, 4096, &threads);
    o->threads = (int32_t)threads;
    return status;
  case PROGRESS:
    status = command_choice("progress", optarg, when, &choice);
    o->progress = (progress_when)choice;
    return status;
  case QUIET:
    o->quiet = true;
    return COMMAND_FINE;
  default:
    return command_other(option, help, done);
  }
}

int train_options_read(int argc, char **argv, train_options *o, bool *done)
{
  int status = COMMAND_FINE;
  *o = (train_options){.settings = {.seed = 1, .batch = 64, .epochs = 8, .lr = 0.05, .momentum = 0.9}};
  *done = false;
  for (int option;
       !status && !*done && (option = getopt_long(argc, argv, "q" COMMAND_SHORT_OPTIONS, long_options, NULL)) != -1;)
    status = read_option(o, option, done);
  if (status || *done) return status;
  if (command_only_json(o->json)) o->quiet = true;
  if (o->resume && o->fixed_given)
    return command_fail(COMMAND_USAGE, "--%s cannot be given with --resume: the checkpoint has it", o->fixed_given);
  return command_no_operands(argc, argv);
}
