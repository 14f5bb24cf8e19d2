/* Compiling in other processes. The first start of a training needs some fifty kernels, and drivers compile one at a time per process, PoCL
 * even if several threads ask. So programs that are in no cache yet go to helpers, one process per processor. Each helper builds one
 * program at a time and leaves it in the caches of camcl and of the driver, where this process finds it.
 *
 * The two sides talk over a socket, in this machine's byte order: a hello, then jobs, and one byte back for each job that is done. A text
 * is sent as its length and its bytes.
 *
 *     hello = version, selector, cache folder: texts          job = program, options: texts; launches: u32; launch ...
 *     launch = kernel: text; dims: u32; global[3], local[3]: u64; an argument for each of the kernel's parameters
 *     argument = kind: u32; an integer: i64, or a float, or a buffer's size: u64 */
#ifndef CC_DEVICE_COMPILE_H
#define CC_DEVICE_COMPILE_H

#include "device/opencl.h"

/* The largest length of a text and number of launches in a message. A helper that reads a larger one refuses the message. */
enum { CC_COMPILE_MOST = 1 << 20 };

#endif
