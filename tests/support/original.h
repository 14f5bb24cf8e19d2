/* For test programs that define an OpenCL function of their own in place of the library's: the library's. */
#ifndef CC_TESTS_ORIGINAL_H
#define CC_TESTS_ORIGINAL_H

/* Writes the address of the function `name` of the OpenCL library into *function, a pointer to a function of size `size`. Fails the running
 * test if there is none. */
void original_function(const char *name, void *function, unsigned long size);

#endif
