# Clang builds parse the headers that nearly every file includes once instead of 450 times: a test
# file under the sanitizers then compiles in 0.9 to 2.1 s instead of 3.2 to 3.6 (clang-19). GCC gains
# next to nothing from it, so the release build goes without and shows a forgotten #include.
option(PREMISE_PRECOMPILE "Precompile the common headers (Clang)" OFF)

# What a header is compiled with must be what its users are compiled with, so there is one library
# of headers for every level of optimization, for rooms and for their tests.
function(premise_header_library name level)
  if(TARGET ${name})
    return()
  endif()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/${name}.cpp CONTENT "")
  add_library(${name} STATIC ${CMAKE_BINARY_DIR}/generated/${name}.cpp)
  target_link_libraries(${name} PRIVATE premise_options Premise::format ${ARGN})
  # Without a time stamp in it a compiler cache knows the header again.
  target_compile_options(${name} PRIVATE -O${level} "SHELL:-Xclang -fno-pch-timestamp")
  target_precompile_headers(${name} PRIVATE <algorithm> <array> <bit> <chrono> <cmath> <cstdint>
    <filesystem> <fstream> <functional> <limits> <map> <memory> <optional> <random> <span> <string>
    <string_view> <unordered_map> <utility> <variant> <vector> <fmt/format.h>
    ${CMAKE_SOURCE_DIR}/src/base/result.h ${CMAKE_SOURCE_DIR}/src/base/text.h)
endfunction()

# premise_precompile(TARGET LEVEL [test]): compiles TARGET with -O<LEVEL> and the common headers.
function(premise_precompile target level)
  if(NOT PREMISE_PRECOMPILE)
    return()
  endif()
  if("test" IN_LIST ARGN)
    set(headers premise_test_headers_O${level})
    premise_header_library(${headers} ${level} GTest::gmock)
    target_precompile_headers(${headers} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  else()
    set(headers premise_headers_O${level})
    premise_header_library(${headers} ${level})
  endif()
  target_compile_options(${target} PRIVATE -O${level})
  target_precompile_headers(${target} REUSE_FROM ${headers})
endfunction()
