/* The program on a terminal. */
#ifndef TESTS_SUPPORT_TERMINAL_H
#define TESTS_SUPPORT_TERMINAL_H

#include <stddef.h>

#include "base/compiler.h"

/* Runs "program ARGUMENTS" with its stdout on a terminal of this width, and fails the running test unless it exits with 0. What arrived on
 * the terminal is good until the next call; NULL: no terminal to be had. Files that capture lie in `folder`. */
const char *terminal_shows(const char *folder, unsigned short columns, const char *arguments, ...) CC_PRINTF(3, 4);

/* Fails the running test unless there is a line that is drawn over another, every such line leaves the last column free, and so cannot
 * leave rows behind, and nothing else controls the terminal. The last one that does not begin with `but` goes to `last`. */
void terminal_check_lines(const char *text, size_t columns, const char *but, char *last, size_t size);

#endif
