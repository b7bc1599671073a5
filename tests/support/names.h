/* The names of algorithms that tests ask for as a user would. test_algorithms.c holds them against the library's table; what an algorithm
   is they read there (algorithm_info). */
#ifndef TESTS_SUPPORT_NAMES_H
#define TESTS_SUPPORT_NAMES_H

#define IMPLICIT_GEMM          "implicit_gemm"
#define IMPLICIT_GEMM_CHANNELS "implicit_gemm:channels"
#define IMPLICIT_GEMM_PIXELS   "implicit_gemm:pixels"
#define IMPLICIT_GEMM_SLIVERS  "implicit_gemm:slivers"
#define IM2COL                 "im2col"
#define IM2COL_ROT180          "im2col_rot180"
#define GEMM_1X1               "gemm_1x1"
#define DEPTHWISE              "depthwise"
#define WINOGRAD               "winograd"
#define WINOGRAD_FAST          "winograd_fast"
#define WINOGRAD_FASTEST       "winograd_fastest"
#define NAIVE                  "naive"
#define REFERENCE              "reference"

#endif
