/* Compiling in other processes. Drivers compile one kernel at a time, PoCL even in all threads of a process; the first start of a training
 * needs some fifty. So what is in no cache yet goes to helpers, one per processor: processes that build it, each a program at a time, and
 * leave it in the caches of camcl and of the driver, where this process finds it.
 *
 * Between the two, on a socket, in this machine's byte order: a hello, jobs, and one byte back per job when it is done. A text is its
 * length and its bytes.
 *
 *     hello = version, selector, cache folder: texts          job = program, options: texts; launches: u32; launch ...
 *     launch = kernel: text; dims: u32; global[3], local[3]: u64; an argument for each of the kernel's parameters
 *     argument = kind: u32; an integer: i64, or a float, or a buffer's size: u64 */
#ifndef CC_DEVICE_COMPILE_H
#define CC_DEVICE_COMPILE_H

#include "device/opencl.h"

/* The largest text and number of launches in a message: a helper that reads more takes it for nonsense. */
enum { CC_COMPILE_MOST = 1 << 20 };

#endif
