/* camcl_faults: camcl whose calls of the C library, of OpenCL and of other libraries can be made to fail, one place of call at a time. The
 * linker's --wrap lets camcl's own code call __wrap_NAME instead of NAME; drivers and libraries are not touched. The environment says what
 * happens:
 *   FAULTS_FOLDER  each process writes PID.txt into this folder when it ends: the places that it reached, and what it still holds
 *   FAULTS_PLACE   the number of the place that fails, as PID.txt has it
 *   FAULTS_KIND    instead: all places of this kind count as one
 *   FAULTS_AT      which call there fails, counted from 1
 *   FAULTS_HOW     "once" (that call alone), "on" (it and all later calls of its kind), or "kill": SIGKILL at that call; a write is then
 *                  half done
 *   FAULTS_CODE    the errno of failing calls of the kind "write", or the code of those of the kind "device", instead of one that fits
 *   FAULTS_DEVICE  calls of the kind "device" are counted only where they concern the device that was opened as this one, from 1
 *   FAULTS_CALL    calls of other functions than this one are not counted
 *   FAULTS_AFTER   nothing is counted until this file exists
 *   FAULTS_BELOW   calls of the kinds "read" and "write" whose path is known and not below this folder are not counted */
#ifndef TESTS_FAULTS_INJECT_H
#define TESTS_FAULTS_INJECT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum fault_kind {
    FAULT_MEMORY, /* host memory */
    FAULT_DEVICE, /* OpenCL and CLBlast */
    FAULT_READ,   /* files, without changing them */
    FAULT_WRITE,  /* files, changing them */
    FAULT_OUTPUT, /* standard output */
    FAULT_TASK,   /* threads and processes, and talking to these */
} fault_kind;

typedef enum fault { FAULT_NONE, FAULT_FAIL, FAULT_KILL } fault;

/* Counts a call of `function` at the place in the program that it comes from, and says what has to become of it. about: the path, the
 * number of the device, or NULL. To be called by the __wrap_ function itself. */
fault fault_decide(fault_kind kind, const char *function, const char *about);
/* Whether the call has to fail, for calls of which there is no half. A macro, since the place is where fault_decide is called from. */
#define FAULT_FAILS(kind, function, about) fault_fails(fault_decide((kind), (function), (about)))
bool fault_fails(fault found);
/* The path of an open file in one of some buffers used in turn, or NULL. */
const char *fault_path(int file);

/* Whether what was opened is only read, or written. */
fault_kind fault_of_file(int file);

/* Whether fault_decide wants to know which device a call concerns. */
bool fault_asks_for_device(void);

/* The errno of a call of the kind "write" that fails, the code of one of the kind "device". */
int fault_code(int otherwise);

/* What the program holds: `key` of a class such as "memory" or "cl_mem". The place is that of this thread's last fault_decide. A key that
 * is forgotten but was not held is not camcl's own, and ignored. */
void held_add(const char *class, const void *key, size_t bytes);
void held_remove(const char *class, const void *key);
/* The sum of bytes of a class, and their number. */
size_t held_bytes(const char *class, size_t *count);

#endif
