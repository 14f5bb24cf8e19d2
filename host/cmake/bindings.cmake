# Reads the `__kernel void NAME(...)` declarations of FILES (*.cl below ROOT) and writes HEADER and SOURCE, with which host code passes a
# kernel's arguments by name: per kernel a `union cc_args_NAME` and a `const cc_kernel cc_kernel_NAME`, and of all kernels the list
# cc_kernels. The lines of BUNDLES, a text file that may be missing, become the list cc_bundles. A program's name is its file's path below
# ROOT, without ".cl".
# A declaration that it cannot read, or a name that occurs twice, stops the build: what is not understood would be passed unchecked.
cmake_minimum_required(VERSION 3.16)

set(word "[A-Za-z_][A-Za-z0-9_]*")
# Every argument is one of these. An unknown type is refused, since its size is not that of the int or float that would be passed for it.
set(read_only "^__global const (float|int|uchar) ?\\* ?(restrict )?(${word})$")
set(written "^__global (float|int|uchar) ?\\* ?(restrict )?(${word})$")
set(integer "^(const )?int (${word})$")
set(real "^(const )?float (${word})$")

# Comments are no declarations, whatever they quote. A regular expression would recurse as deep as a comment is long.
function(strip_comments file text out)
  set(kept "")
  while(TRUE)
    string(FIND "${text}" "/*" begin)
    if(begin EQUAL -1)
      break()
    endif()
    string(SUBSTRING "${text}" 0 ${begin} before)
    string(SUBSTRING "${text}" ${begin} -1 text)
    string(FIND "${text}" "*/" end)
    if(end EQUAL -1)
      message(FATAL_ERROR "${file}: a comment does not end")
    endif()
    math(EXPR end "${end} + 2")
    string(SUBSTRING "${text}" ${end} -1 text)
    string(APPEND kept "${before} ")
  endwhile()
  string(REGEX REPLACE "//[^\n]*" "" text "${text}")
  set(${out} "${kept}${text}" PARENT_SCOPE)
endfunction()

# Sets `field` (the member of the arguments' struct) and `kind` from one parameter's declaration.
function(read_parameter kernel text)
  string(STRIP "${text}" text)
  if(text MATCHES "${read_only}")
    set(field ${CMAKE_MATCH_3})
    set(kind READ)
  elseif(text MATCHES "${written}")
    set(field ${CMAKE_MATCH_3})
    set(kind WRITE)
  elseif(text MATCHES "${integer}")
    set(field ${CMAKE_MATCH_2})
    set(kind INT)
  elseif(text MATCHES "${real}")
    set(field ${CMAKE_MATCH_2})
    set(kind FLOAT)
  else()
    message(FATAL_ERROR "kernel ${kernel}: parameter \"${text}\" is of no type that can be passed: write __global [const] T *name with T float, "
      "int or uchar, or int name, or float name, or teach host/cmake/bindings.cmake the type")
  endif()
  set(field ${field} PARENT_SCOPE)
  set(kind ${kind} PARENT_SCOPE)
endfunction()

# Appends the kernel that `text`, all between __kernel and the brace, declares to `unions`, `objects` and `list`.
function(read_kernel file program text)
  string(REGEX REPLACE "[ \t\r\n]+" " " text "${text}")
  # What follows "void" holds no second pair of parentheses; attributes stand before.
  if(NOT text MATCHES "(^|[ )])void (${word}) ?\\(([A-Za-z0-9_ ,*]+)\\) ?$")
    message(FATAL_ERROR "${file}: cannot read the declaration \"__kernel${text}\": write __kernel [attributes] void name(parameters) {, "
      "without preprocessor lines in it")
  endif()
  set(kernel ${CMAKE_MATCH_2})
  string(REPLACE "," ";" parameters "${CMAKE_MATCH_3}")
  get_property(known GLOBAL PROPERTY kernels)
  if(kernel IN_LIST known)
    message(FATAL_ERROR "${file}: kernel ${kernel} is declared twice: kernels need names of their own, in all files")
  endif()
  set_property(GLOBAL APPEND PROPERTY kernels ${kernel})
  set(fields "")
  set(table "")
  foreach(parameter IN LISTS parameters)
    read_parameter(${kernel} "${parameter}")
    if(field IN_LIST fields)
      message(FATAL_ERROR "${file}: kernel ${kernel} has two parameters ${field}")
    endif()
    list(APPEND fields ${field})
    string(APPEND table "    { \"${field}\", CC_KERNEL_${kind} },\n")
  endforeach()
  list(LENGTH fields count)
  list(JOIN fields ", " fields)
  set_property(GLOBAL APPEND_STRING PROPERTY header "
typedef union cc_args_${kernel} {
    struct {
        cc_arg ${fields};
    } by_name;
    cc_arg list[${count}];
} cc_args_${kernel};
extern const cc_kernel cc_kernel_${kernel};
")
  set_property(GLOBAL APPEND_STRING PROPERTY source "
static const cc_kernel_param ${kernel}_params[] = {
${table}};
const cc_kernel cc_kernel_${kernel} = { \"${program}\", \"${kernel}\", ${kernel}_params, ${count} };
")
  set_property(GLOBAL APPEND_STRING PROPERTY list "    &cc_kernel_${kernel},\n")
endfunction()

set(programs "")
foreach(file IN LISTS FILES)
  file(RELATIVE_PATH program "${ROOT}" "${file}")
  string(REGEX REPLACE "\\.cl$" "" program "${program}")
  list(APPEND programs ${program})
  file(READ "${file}" text)
  strip_comments("${file}" "${text}" text)
  string(FIND "${text}" "__kernel" at)
  while(NOT at EQUAL -1)
    math(EXPR at "${at} + 8")
    string(SUBSTRING "${text}" ${at} -1 text)
    string(FIND "${text}" "{" brace)
    string(SUBSTRING "${text}" 0 ${brace} declaration)
    read_kernel("${file}" ${program} "${declaration}")
    string(FIND "${text}" "__kernel" at)
  endwhile()
endforeach()

# Programs that are built as one. host/device/program.c has room for seven.
set(bundles "")
set(bundle_list "")
set(bundled "")
set(lines "")
set(i 0)
if(BUNDLES)
  file(STRINGS "${BUNDLES}" lines REGEX "^[^#]")
endif()
foreach(line IN LISTS lines)
  string(REGEX REPLACE " +" ";" members "${line}")
  list(LENGTH members count)
  if(count GREATER 7)
    message(FATAL_ERROR "${BUNDLES}: more than seven programs in \"${line}\"")
  endif()
  foreach(member IN LISTS members)
    if(NOT member IN_LIST programs)
      message(FATAL_ERROR "${BUNDLES}: there is no program ${member}")
    endif()
    if(member IN_LIST bundled)
      message(FATAL_ERROR "${BUNDLES}: ${member} is named twice")
    endif()
    list(APPEND bundled ${member})
  endforeach()
  list(JOIN members "\", \"" members)
  string(APPEND bundles "static const char *const bundle${i}[] = { \"${members}\", 0 };\n")
  string(APPEND bundle_list "    bundle${i},\n")
  math(EXPR i "${i} + 1")
endforeach()

get_property(header GLOBAL PROPERTY header)
get_property(source GLOBAL PROPERTY source)
get_property(list GLOBAL PROPERTY list)
file(WRITE "${HEADER}" "/* Written by host/cmake/bindings.cmake from the kernels' declarations. */
#ifndef CC_DEVICE_KERNEL_BINDINGS_H
#define CC_DEVICE_KERNEL_BINDINGS_H

#include \"device/tape.h\"
${header}
#endif
")
file(WRITE "${SOURCE}" "/* Written by host/cmake/bindings.cmake from the kernels' declarations. */
#include \"device/kernel_bindings.h\"
${source}
const cc_kernel *const cc_kernels[] = {
${list}    0,
};

${bundles}const char *const *const cc_bundles[] = {
${bundle_list}    0,
};
")
