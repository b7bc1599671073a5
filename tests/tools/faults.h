/*
 * Makes the k-th memory or file call of the tools fail. The linker sends libc's names in here (--wrap, see meson.build);
 * in the tools they are called by io/system.c alone, through which jansson, zlib and libpng take their memory too.
 */
#ifndef TESTS_TOOLS_FAULTS_H
#define TESTS_TOOLS_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { FAULTS_NONE, FAULTS_MEMORY, FAULTS_FILES } faults_kind;

/* From now on the k-th call of the kind (from 1) fails: with ENOMEM, ENOSPC or EIO. */
void faults_arm(faults_kind kind, long k);

/* Ends it; true if a call was made to fail. */
bool faults_disarm(void);

/* From now on reads and writes move at most this many bytes a call; 0: as many as they like. */
void faults_trickle(long bytes);

/* Allocations that have not been freed. */
long faults_live(void);

/* Bytes that malloc was asked for since the last call of this. */
size_t faults_total(void);

#endif
