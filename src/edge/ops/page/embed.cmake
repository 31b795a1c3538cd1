# Files into a C file of arrays: cmake -DPAGES="NAME=FILE;..." -DSOURCE=OUT.c -P embed.cmake
set(text "/* Made by src/edge/ops/page/embed.cmake. */\n#include \"edge/ops/page_bytes.h\"\n")
foreach(page IN LISTS PAGES)
  string(REGEX MATCH "^([a-z_]+)=(.*)$" found "${page}")
  set(name ${CMAKE_MATCH_1})
  set(file ${CMAKE_MATCH_2})
  file(READ "${file}" hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  string(APPEND text "static const uint8_t bytes_of_${name}[] = {\n${bytes}};\n"
    "const struct rf_bytes rf_page_${name} = {bytes_of_${name}, sizeof bytes_of_${name}};\n")
endforeach()
file(WRITE "${SOURCE}" "${text}")
