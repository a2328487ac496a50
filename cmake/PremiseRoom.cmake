# A room is one folder of src/ and one static library. Unit tests (x_test.cpp) and
# micro-benchmarks (x_bench.cpp) stand beside the code and are gathered into one program a room.
include(GoogleTest)
include(PremisePrecompile)
add_custom_target(unit_tests)
add_custom_target(fuzzers)

# premise_room(NAME DIR [COMPUTES] LINK other rooms and Premise:: dependencies …)
#
# Release and sanitized builds compile a dozen files of a room as one (CMAKE_UNITY_BUILD): most of
# the time went into the same headers (docs/decisions/0005-unity-builds.md). So what a file hides in
# an anonymous namespace needs a name of its own within the room; one thing, one file helps itself
# by the file's name (run_chat, probe_gpu_ecc).
#
# Most of the time of a build goes into code that waits for the machine, not the other way round.
# Rooms that COMPUTE are optimized fully (a little under the sanitizers, where they would take minutes
# to test); the others compile in two thirds of the time with -O1 (in half of it, with none).
# For the same reason unit tests are compiled once, for the sanitizers; those of rooms that COMPUTE
# also run as users run them. Any other is built by its name: `ninja premise_store_test`.
function(premise_room name dir)
  cmake_parse_arguments(ROOM "COMPUTES" "" "LINK" ${ARGN})
  set(sanitized_level 0)
  if(ROOM_COMPUTES)
    set(sanitized_level 1)
  endif()
  set(optimized_less FALSE)
  if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT PREMISE_SANITIZE)
    set(optimized_less TRUE)
  endif()
  set(recurse GLOB)
  if(name MATCHES "^(store|backend|machine)$")
    set(recurse GLOB_RECURSE)
  endif()
  file(${recurse} sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${dir}/*.cpp)
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  if(NOT sources)
    set(sources ${CMAKE_BINARY_DIR}/empty.cpp)
    if(NOT EXISTS ${sources})
      file(WRITE ${sources} "")
    endif()
  endif()

  set(links)
  foreach(link ${ROOM_LINK})
    if(link MATCHES "::")
      list(APPEND links ${link})
    else()
      list(APPEND links premise_${link})
    endif()
  endforeach()
  add_library(premise_${name} STATIC ${sources})
  target_link_libraries(premise_${name} PUBLIC premise_options ${links})
  if(optimized_less AND NOT ROOM_COMPUTES)
    target_compile_options(premise_${name} PRIVATE -O1)
  endif()
  premise_precompile(premise_${name} ${sanitized_level})

  if(PREMISE_TESTS AND tests)
    add_executable(premise_${name}_test ${tests})
    target_link_libraries(premise_${name}_test PRIVATE premise_${name} GTest::gmock_main)
    target_compile_definitions(premise_${name}_test PRIVATE
      PREMISE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    if(optimized_less)
      target_compile_options(premise_${name}_test PRIVATE -O1)
    endif()
    premise_precompile(premise_${name}_test 0 test)
    if(PREMISE_SANITIZE OR ROOM_COMPUTES)
      add_dependencies(unit_tests premise_${name}_test)
      gtest_discover_tests(premise_${name}_test TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST
        DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
    else()
      set_target_properties(premise_${name}_test PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
  endif()
  if(PREMISE_BENCHMARKS AND benches)
    add_executable(premise_${name}_bench ${benches})
    target_link_libraries(premise_${name}_bench PRIVATE premise_${name} benchmark::benchmark_main)
    target_compile_definitions(premise_${name}_bench PRIVATE
      PREMISE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  endif()
endfunction()

# premise_table(ROOM DIR TYPE HEADER [PREFIX p]): "one thing, one file". Writes TYPE_table.cpp with
# `std::span<const TYPE* const> all_<ROOM>()`, sorted by file name. A file counts when it says
# `extern const TYPE name`; self-registration is not used, since archives drop unreferenced objects.
function(premise_table room dir type header)
  cmake_parse_arguments(TABLE "" "PREFIX" "" ${ARGN})
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${dir}/${TABLE_PREFIX}*.cpp)
  list(FILTER files EXCLUDE REGEX "_(test|bench)\\.cpp$")
  list(SORT files)
  set(declarations "")
  set(entries "")
  foreach(file ${files})
    file(STRINGS ${file} line REGEX "extern const ${type} [a-z0-9_]+" LIMIT_COUNT 1)
    if(line)
      string(REGEX REPLACE ".*extern const ${type} ([a-z0-9_]+).*" "\\1" symbol "${line}")
      string(APPEND declarations "extern const ${type} ${symbol};\n")
      string(APPEND entries "  &${symbol},\n")
    endif()
  endforeach()
  set(out ${CMAKE_BINARY_DIR}/generated/${room}_table.cpp)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
"// Written by cmake/PremiseRoom.cmake from the files of @dir@.
#include \"@header@\"

namespace premise {
@declarations@
namespace {
const @type@* const entries[] = {
@entries@  nullptr};
}  // namespace

std::span<const @type@* const> all_@room@() {
  return {entries, sizeof entries / sizeof *entries - 1};
}
}  // namespace premise
")
  target_sources(premise_${room} PRIVATE ${out})
endfunction()

# premise_kernels(ROOM DIR): every folder below DIR named after an instruction set is compiled with
# its own flags, without LTO, and joined to the room; contracts/ and ref/ are baseline code.
function(premise_kernels room dir)
  file(GLOB ref CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${dir}/ref/*.cpp)
  file(GLOB ref_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${dir}/ref/*_test.cpp)
  list(FILTER ref EXCLUDE REGEX "_test\\.cpp$")
  target_sources(premise_${room} PRIVATE ${ref})
  if(PREMISE_TESTS AND ref_tests)
    target_sources(premise_${room}_test PRIVATE ${ref_tests})
  endif()
  # What the kernels share is in bodies (x_body.h) that every instruction set includes anew.
  set_target_properties(premise_${room} PROPERTIES UNITY_BUILD OFF)
  if(TARGET premise_${room}_test)
    set_target_properties(premise_${room}_test PROPERTIES UNITY_BUILD OFF)
  endif()
  # GCC would move loads that both branches of a tile begin with above the branch, 32 vectors where 4
  # registers are free: the copies to the stack took a third of the time of a prompt.
  set(keep_loads "$<$<CXX_COMPILER_ID:GNU>:-fno-code-hoisting;-fno-tree-pre>")
  set(flags_avx2 -march=x86-64-v3)
  set(flags_avx512 -march=x86-64-v4 -mavx512vnni -mavx512bf16)
  set(flags_amx ${flags_avx512})  # its own instructions are assembly
  foreach(isa avx2 avx512 amx)
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${dir}/${isa}/*.cpp)
    if(files)
      add_library(premise_kernels_${isa} OBJECT ${files})
      target_include_directories(premise_kernels_${isa} PRIVATE ${CMAKE_SOURCE_DIR}/src)
      target_compile_options(premise_kernels_${isa} PRIVATE
        -Wall -Wextra -Wshadow ${flags_${isa}} -O3 ${keep_loads} -fno-lto -fno-math-errno -ffp-contract=off
        -fno-exceptions -fno-rtti -fno-asynchronous-unwind-tables)
      set_target_properties(premise_kernels_${isa} PROPERTIES UNITY_BUILD OFF)
      target_sources(premise_${room} PRIVATE $<TARGET_OBJECTS:premise_kernels_${isa}>)
    endif()
  endforeach()
endfunction()

# premise_fuzzers(DIR): fuzz/<room>_<subject>_fuzz.cpp becomes a libFuzzer program.
function(premise_fuzzers dir)
  if(NOT PREMISE_FUZZ)
    return()
  endif()
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${dir}/*_fuzz.cpp)
  foreach(file ${files})
    get_filename_component(name ${file} NAME_WE)
    string(REGEX MATCH "^[a-z]+" room ${name})
    add_executable(${name} ${file})
    add_dependencies(fuzzers ${name})
    target_link_libraries(${name} PRIVATE premise_${room})
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  endforeach()
endfunction()
