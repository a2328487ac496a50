# Language level, warnings and sanitizers: one place for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "Premise needs GCC 12 or Clang 16; this is GCC ${CMAKE_CXX_COMPILER_VERSION}")
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16)
  message(FATAL_ERROR "Premise needs GCC 12 or Clang 16; this is Clang ${CMAKE_CXX_COMPILER_VERSION}")
endif()

find_program(PREMISE_CCACHE ccache)
if(PREMISE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${PREMISE_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PREMISE_CCACHE})
endif()

add_library(premise_options INTERFACE)
target_include_directories(premise_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
# The baseline of every file outside kernels/: wider instructions live behind run-time dispatch.
target_compile_options(premise_options INTERFACE
  -march=x86-64-v2 -Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion
  -Wnon-virtual-dtor -Woverloaded-virtual -fno-math-errno -ffp-contract=off)
if(NOT CMAKE_UNITY_BUILD)  # a name hidden in another file of the unit is not shadowed in truth
  target_compile_options(premise_options INTERFACE -Wshadow)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives of these two inside libstdc++ and fmt.
  target_compile_options(premise_options INTERFACE -Wno-stringop-overflow -Wno-restrict)
endif()
if(PREMISE_SANITIZE)
  target_compile_options(premise_options INTERFACE
    -fsanitize=${PREMISE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(premise_options INTERFACE -fsanitize=${PREMISE_SANITIZE})
endif()
find_package(Threads REQUIRED)
target_link_libraries(premise_options INTERFACE Threads::Threads)
