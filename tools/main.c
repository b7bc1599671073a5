/* cnnblas: trains, evaluates and looks into convolutional networks. A file a subcommand; here they are chosen. */
#include "command.h"
#include "io/system.h"
#include "ranks.h"
#include <cnnblas/version.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *name;
  int (*run)(int argc, char **argv);
  bool shares; /* its work among ranks */
} commands[] = {{"train", command_train, true},      {"eval", command_eval, true}, {"predict", command_predict, true},
                {"inspect", command_inspect, false}, {"run", command_run, false},  {"info", command_info, false}};

static const char help[] =
    "Trains convolutional networks on the CPU, evaluates them, and looks into them.\n"
    "\n"
    "usage: cnnblas COMMAND [OPTION]...\n"
    "\n"
    "commands:\n"
    "  train     train a network on IDX images, CIFAR-10, folders of pictures, or digits that it draws\n"
    "  eval      loss and accuracy of a model on test images\n"
    "  predict   classes of pictures (PNG, JPEG, PGM, PPM) or of the images of an IDX file\n"
    "  inspect   a model's or a notation's layers, shapes, parameters, FLOPs and memory\n"
    "  run       run an ONNX model on arrays or pictures\n"
    "  info      the machine and the libraries as cnnblas sees them\n"
    "\n"
    "options:\n"
    "  -h, --help     of a command: cnnblas COMMAND --help, or cnnblas help COMMAND\n"
    "  -V, --version\n"
    "\n"
    "examples:\n"
    "  cnnblas train --out digits.safetensors\n"
    "  cnnblas eval --model digits.safetensors --data mnist/ --confusion\n"
    "exit status: 0 fine, 1 training met NaN, 2 usage, 3 bad input, 4 out of memory or disk, 5 a rank is gone,\n"
    "128 + a signal\n";

/* What was printed must have reached its reader. */
static int flushed(int status)
{
  if ((fflush(stdout) || ferror(stdout)) && !status) {
    ranks_all_know(); /* the output is rank 0's alone */
    return command_fail(COMMAND_NO_ROOM, "standard output could not be written");
  }
  return status;
}

/* Runs the command of that name; -1 if there is none. argv[0] is its name. */
static int run_command(int argc, char **argv)
{
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    if (strcmp(argv[0], commands[i].name) != 0) continue;
    snprintf(command_name, sizeof command_name, "cnnblas %s", argv[0]);
    argv[0] = command_name; /* what getopt_long's messages begin with */
    command_words = argv;
    int status = commands[i].run(argc, argv);
    if (!commands[i].shares) ranks_all_know();
    return status;
  }
  return -1;
}

static bool is_one_of(const char *word, const char *short_name, const char *long_name)
{
  return !strcmp(word, short_name) || !strcmp(word, long_name);
}

int main(int argc, char **argv)
{
  static char long_help[] = "--help";
  io_use_json();
  signal(SIGXFSZ, SIG_IGN); /* a file past the process's limit is then an error of write, and is told */
  if (argc > 1 && !strcmp(argv[1], "help")) { /* help, help COMMAND: as --help, COMMAND --help */
    if (argc > 2) argv[1] = argv[2];
    argv[argc > 2 ? 2 : 1] = long_help;
  }
  ranks_prepare(&argc, argv);
  int status = argc > 1 ? run_command(argc - 1, argv + 1) : -1;
  if (status >= 0) return ranks_end(flushed(status));
  if (argc == 2 && is_one_of(argv[1], "-h", "--help")) {
    fputs(help, stdout);
    return flushed(COMMAND_FINE);
  }
  if (argc == 2 && is_one_of(argv[1], "-V", "--version")) {
    printf("cnnblas %s\n", cnnblas_version_string());
    return flushed(COMMAND_FINE);
  }
  if (argc > 1)
    return ranks_end(command_fail(COMMAND_USAGE, "\"%s\" is no command; cnnblas --help lists them", argv[1]));
  ranks_all_know();
  if (ranks_first()) fputs(help, stderr);
  return ranks_end(COMMAND_USAGE);
}
