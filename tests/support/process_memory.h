/* The memory of this process, as the kernel counts it. */
#ifndef CC_TESTS_PROCESS_MEMORY_H
#define CC_TESTS_PROCESS_MEMORY_H

#include <stddef.h>

/* Bytes; 0 where the system does not say. */
size_t process_address_space(void);
size_t process_resident_memory(void);

#endif
