/* Rows of `classes` logits, in double. */
#ifndef CC_CHECK_REF_SOFTMAX_REF_H
#define CC_CHECK_REF_SOFTMAX_REF_H

#include <stddef.h>

void ref_softmax(size_t n, size_t classes, const double *logits, double *probability);
/* -log softmax(row)[label] */
double ref_cross_entropy(size_t classes, const double *row, int label);
/* The first among the greatest. */
int ref_argmax(size_t classes, const double *row);
/* How many classes have a greater logit, or an equal one and a lower number. */
int ref_rank(size_t classes, const double *row, int label);

#endif
