# Writes OUTPUT, a C file that holds FILES, which are below ROOT, as NUL-terminated byte arrays: TABLE (name, text), which HEADER declares,
# ending with a NULL name. Names are paths below ROOT. Byte arrays, since C11 guarantees string literals of 4095 characters only; of
# character constants, since a number above 127 may not fit a char.
cmake_minimum_required(VERSION 3.16)

set(text "#include \"${HEADER}\"\n")
set(table "")
set(i 0)
foreach(file IN LISTS FILES)
  file(RELATIVE_PATH name "${ROOT}" "${file}")
  file(READ "${file}" hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  string(APPEND text "static const char file${i}[] = {\n${bytes}0};\n")
  string(APPEND table "    { \"${name}\", file${i} },\n")
  math(EXPR i "${i}+1")
endforeach()
string(APPEND text "const cc_embedded_file ${TABLE}[] = {\n${table}    { 0, 0 }\n};\n")
file(WRITE ${OUTPUT} "${text}")
