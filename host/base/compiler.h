/* Compiler-specific attributes, which C11 lacks. No other file uses one. */
#ifndef CC_BASE_COMPILER_H
#define CC_BASE_COMPILER_H

#if defined(__GNUC__)
#define CC_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define CC_PRINTF(text, first)
#endif

#endif
