/* ranks.h in a build without MPI: there is one rank. */
#include "command.h"
#include "ranks.h"
#include <stdlib.h>

void ranks_prepare(int *argc, char **argv)
{
  (void)argc;
  (void)argv;
}

bool ranks_started(void)
{
  return false;
}

/* Several processes that know nothing of each other would write the same files. */
int ranks_begin(void)
{
  const char *open = getenv("OMPI_COMM_WORLD_SIZE"), *other = getenv("PMI_SIZE"), *size = open ? open : other;
  if (!size || atoi(size) < 2) return COMMAND_FINE;
  return command_fail(COMMAND_USAGE, "%s processes, but this cnnblas was built without MPI (libopenmpi-dev)", size);
}

int32_t ranks_count(void)
{
  return 1;
}

int32_t ranks_own(void)
{
  return 0;
}

bool ranks_first(void)
{
  return true;
}

cnnblas_net_exchange *ranks_exchange(void)
{
  return NULL;
}

int64_t ranks_threads(int64_t asked)
{
  return asked;
}

int ranks_agree(int status)
{
  return status;
}

int ranks_most(int *value)
{
  (void)value;
  return COMMAND_FINE;
}

int ranks_sum(int64_t count, double *values)
{
  (void)count;
  (void)values;
  return COMMAND_FINE;
}

int ranks_compare(const char *what, const char *text)
{
  (void)what;
  (void)text;
  return COMMAND_FINE;
}

int ranks_compare_text(const char *what, const char *text)
{
  (void)what;
  (void)text;
  return COMMAND_FINE;
}

int ranks_compare_hash(const char *what, uint64_t hash)
{
  (void)what;
  (void)hash;
  return COMMAND_FINE;
}

void ranks_all_know(void) {}

int ranks_end(int status)
{
  return status;
}

ranks_figures ranks_get_figures(void)
{
  return (ranks_figures){0};
}
