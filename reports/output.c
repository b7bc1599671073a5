/* Text files put in place when whole; see output.h. */
#define _GNU_SOURCE
#include "reports/output.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int io_output_open(io_output *output, const char *path)
{
  output->file = NULL;
  if (cb_replace_begin(&output->replacement, path, true)) return -1;
  int copy = fcntl(output->replacement.fd, F_DUPFD_CLOEXEC, 0);
  output->file = copy < 0 ? NULL : fdopen(copy, "w");
  if (output->file) return 0;
  int reason = errno;
  if (copy >= 0) close(copy);
  cb_replace_end(&output->replacement, false);
  errno = reason;
  return -1;
}

int io_output_close(io_output *output)
{
  errno = EIO;
  bool good = fflush(output->file) == 0 && !ferror(output->file);
  int reason = errno;
  if (fclose(output->file) && good) good = false, reason = errno;
  output->file = NULL;
  int failed = cb_replace_end(&output->replacement, good);
  if (!good) errno = reason;
  return good && !failed ? 0 : -1;
}

int io_output_check(const char *path)
{
  cb_replacement r;
  return cb_replace_check(&r, path, true);
}
