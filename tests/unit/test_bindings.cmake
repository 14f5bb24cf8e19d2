# What the build makes of kernels' declarations (host/cmake/bindings.cmake): run by ctest as cmake -DGENERATOR=... -DFOLDER=... -P this.
cmake_minimum_required(VERSION 3.16)

# Runs the generator on the files and sets `result`, `errors` and, when it succeeded, `header` and `source`.
macro(generate)
  execute_process(COMMAND ${CMAKE_COMMAND} -DHEADER=${FOLDER}/out.h -DSOURCE=${FOLDER}/out.c -DROOT=${FOLDER} "-DFILES=${ARGN}"
    ${bundles} -P ${GENERATOR}
    RESULT_VARIABLE result ERROR_VARIABLE errors OUTPUT_QUIET)
  string(REGEX REPLACE "[ \n]+" " " errors "${errors}") # CMake breaks the lines of messages
endmacro()

# A file with this text is refused with a message that has `reason` in it.
function(refuses text reason)
  file(WRITE ${FOLDER}/bad.cl "${text}")
  generate(${FOLDER}/bad.cl)
  string(FIND "${errors}" "${reason}" at)
  if(result EQUAL 0 OR at EQUAL -1)
    message(SEND_ERROR "not refused with \"${reason}\":\n${text}\nresult ${result}: ${errors}")
  endif()
endfunction()

function(expect text part)
  string(FIND "${text}" "${part}" at)
  if(at EQUAL -1)
    message(SEND_ERROR "there is no\n${part}\nin\n${text}")
  endif()
endfunction()

file(REMOVE_RECURSE ${FOLDER})
file(WRITE ${FOLDER}/deep/good.cl "/* __kernel void quoted(int a) { */
// __kernel void crossed_out(int a) {
__kernel __attribute__((reqd_work_group_size(LANES, 1, 1))) SUB_GROUP
void first(__global const float *restrict x, __global uchar *y,
    const int N, float slope)
{
}
__kernel void second(__global int* z, int n) { }
")
generate(${FOLDER}/deep/good.cl)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "refused: ${errors}")
endif()
file(READ ${FOLDER}/out.h header)
file(READ ${FOLDER}/out.c source)
expect("${header}" "cc_arg x, y, N, slope;\n    } by_name;\n    cc_arg list[4];\n} cc_args_first;")
expect("${header}" "cc_arg z, n;\n    } by_name;\n    cc_arg list[2];\n} cc_args_second;")
expect("${source}" "{ \"x\", CC_KERNEL_READ },\n    { \"y\", CC_KERNEL_WRITE },\n    { \"N\", CC_KERNEL_INT },\n    { \"slope\", CC_KERNEL_FLOAT },")
expect("${source}" "cc_kernel_second = { \"deep/good\", \"second\", second_params, 2 };")
expect("${source}" "    &cc_kernel_first,\n    &cc_kernel_second,\n    0,")

refuses("__kernel void f(__global float *x, const long n) { }" "kernel f: parameter \"const long n\"")
refuses("__kernel void f(__global float *x, const int n[2]) { }" "cannot read the declaration")
refuses("__kernel void f(__global float *x,\n#ifdef WIDE\n int m,\n#endif\n int n) { }" "cannot read the declaration")
refuses("__kernel void f(__global double *x) { }" "kernel f: parameter \"__global double *x\"")
refuses("__kernel void f(float *x) { }" "kernel f: parameter \"float *x\"")
refuses("__kernel void f() { }" "cannot read the declaration")
refuses("__kernel int f(int n) { }" "cannot read the declaration")
refuses("__kernel void f(int n);" "cannot read the declaration")
refuses("__kernel void f(int n, float n) { }" "two parameters n")
refuses("__kernel void f(int n) { }\n__kernel void f(int m) { }" "kernel f is declared twice")
refuses("/* __kernel void f(int n) { }" "a comment does not end")

# Programs that are built as one.
file(WRITE ${FOLDER}/other.cl "__kernel void other(int n) { }")
function(expect_bundles text reason)
  file(WRITE ${FOLDER}/bundles.txt "${text}")
  set(bundles -DBUNDLES=${FOLDER}/bundles.txt)
  generate(${FOLDER}/deep/good.cl ${FOLDER}/other.cl)
  if(reason)
    string(FIND "${errors}" "${reason}" at)
    if(result EQUAL 0 OR at EQUAL -1)
      message(SEND_ERROR "not refused with \"${reason}\":\n${text}\nresult ${result}: ${errors}")
    endif()
    return()
  endif()
  file(READ ${FOLDER}/out.c source)
  expect("${source}" "bundle0[] = { \"deep/good\", \"other\", 0 };")
  expect("${source}" "cc_bundles[] = {\n    bundle0,\n    0,\n};")
endfunction()
expect_bundles("# a comment\ndeep/good other\n" "")
expect_bundles("good other\n" "there is no program good")
expect_bundles("other deep/good\nother\n" "other is named twice")
expect_bundles("a b c d e f g h\n" "more than seven")
