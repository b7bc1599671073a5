/* What `cnnblas train --help` prints. */
#ifndef TOOLS_TRAIN_HELP_H
#define TOOLS_TRAIN_HELP_H

extern const char train_help[];

#endif
