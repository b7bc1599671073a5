/* What a network makes of labelled images. */
#ifndef TOOLS_EVALUATE_H
#define TOOLS_EVALUATE_H

#include "batches.h"

/* Loss and accuracy over the images, which ranks share: all of them call it. name: of the model or the epoch, for messages. Returns an exit status. */
int evaluate_images(cnnblas_net *net, const image_set *images, batches *room, const char *name,
                    cnnblas_net_result *result, double *seconds);

/* What the answers were, class by class. */
typedef struct {
  int64_t classes;
  int64_t *table; /* [classes][classes]: true class, predicted class */
  int64_t top5;   /* images whose label is among the five largest outputs */
} evaluate_answers;

/* Fills the answers, in a pass of its own which ranks share: all of them call it; evaluate_answers_free also after an error. */
int evaluate_classes(cnnblas_net *net, const image_set *images, batches *room, const char *name,
                     evaluate_answers *answers);
void evaluate_answers_free(evaluate_answers *answers);

/* Of the images that were taken for a class those that are, and of the images that are of it those that were taken for it; NaN
   where there are none. */
double evaluate_precision(const evaluate_answers *answers, int64_t of);
double evaluate_recall(const evaluate_answers *answers, int64_t of);

/* ranking[0..count) = the places of the largest of `classes` numbers, the largest first; of equals the first is first. */
void evaluate_rank(cnnblas_dtype dtype, const void *numbers, int64_t classes, int64_t count, int32_t *ranking);

#endif
