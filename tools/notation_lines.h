/* A network's notation in lines for people. */
#ifndef TOOLS_NOTATION_LINES_H
#define TOOLS_NOTATION_LINES_H

#include <cnnblas/net.h>

/* Prints the network's notation on standard output if it is not what was given: that of a preset. */
void notation_print(const cnnblas_net *net, const char *given);

/*
 * Behind the library's message that names a column, of the text of a network that it has not created: tells what the text
 * stands for, with a mark below the column. Tells nothing if the text stands for itself.
 */
void notation_explain(const char *given, const cnnblas_net_options *options);

#endif
