/*
 * What every test file includes: cmocka, the public interface, and a note of what is being done for the case that it
 * crashes.
 */
#ifndef TESTS_SUPPORT_HARNESS_H
#define TESTS_SUPPORT_HARNESS_H

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <cnnblas/cnnblas.h>
#include <stdbool.h>

/* Remembers a line, and from the first call on prints it if the process is about to die of a signal. */
void harness_doing(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The remembered line. */
const char *harness_line(void);

/* Asserts that a call succeeded; otherwise fails with its message and the remembered line. */
#define ASSERT_OK(call) harness_assert_ok((call), #call, __FILE__, __LINE__)
void harness_assert_ok(cnnblas_status status, const char *call, const char *file, int line);

/* Fails the test with a message and the remembered line. */
#define FAIL(...) harness_fail(__FILE__, __LINE__, __VA_ARGS__)
void harness_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Ends the program with exit code 77, meson's "skipped", where the level that CNNBLAS_ISA asks for is not there. */
void harness_skip_without_isa(void);

/* Number of directions. */
enum { DIRECTIONS = 3 };

/* Number of rows in the library's table of algorithms. */
int algorithm_count(void);

/* What the row of that name declares; NULL or a name of no row: the automatic choice, of which nothing is declared. */
cnnblas_algorithm_info algorithm_info(const char *name);

/* The name of the first row that is as wanted; fails if there is none. */
const char *algorithm_where(bool (*is)(const cnnblas_algorithm_info *row));

/* Asserts that a plan's algorithm is what was asked for: that row if it is a row's full name, else a row of that family. */
void assert_algorithm(const char *name, const char *asked);

#endif
