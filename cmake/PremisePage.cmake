# premise_page(PROGRAM): builds the page of web/ and links it into the program.
#
# Two steps, each only when its input changed: npm fetches what package-lock.json names, then Vite
# builds and web/embed.mjs writes the result as a table of C++. Both work in the build folder, on a
# copy, and the table is linked into the program alone (src/serve/page/page.h says why): everything
# else compiles meanwhile. Presets that build no program (asan, tsan, lint) build no page.
option(PREMISE_PAGE "Build the page at / into the program; takes Node 18 or later, and npm" ON)

function(premise_page program)
  if(NOT PREMISE_PAGE)
    message(STATUS "The program will have no page at / (PREMISE_PAGE=OFF)")
    return()
  endif()
  premise_find_node()
  set(source ${CMAKE_SOURCE_DIR}/web)
  set(build ${CMAKE_BINARY_DIR}/web)
  set(lists ${source}/package.json ${source}/package-lock.json ${source}/.npmrc)
  file(MAKE_DIRECTORY ${build})
  add_custom_command(OUTPUT ${build}/installed
    COMMAND ${CMAKE_COMMAND} -E copy ${lists} ${build}
    COMMAND ${CMAKE_COMMAND} -DNPM=${PREMISE_NPM} -P ${CMAKE_SOURCE_DIR}/cmake/npm_ci.cmake
    COMMAND ${CMAKE_COMMAND} -E touch ${build}/installed
    DEPENDS ${lists} ${CMAKE_SOURCE_DIR}/cmake/npm_ci.cmake
    WORKING_DIRECTORY ${build} COMMENT "Fetching the packages of the page" VERBATIM)

  set(single index.html vite.config.ts tsconfig.json)
  list(TRANSFORM single PREPEND ${source}/)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${source}/src/* ${source}/public/*)
  list(FILTER files EXCLUDE REGEX "(\\.test\\.tsx?|_testing\\.ts)$")
  set(table ${CMAKE_BINARY_DIR}/generated/page_files.cpp)
  add_custom_command(OUTPUT ${table}
    COMMAND ${CMAKE_COMMAND} -E rm -rf src public dist
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${source}/src src
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${source}/public public
    COMMAND ${CMAKE_COMMAND} -E copy ${single} .
    COMMAND ${PREMISE_NODE} node_modules/vite/bin/vite.js build --logLevel warn
    COMMAND ${PREMISE_NODE} ${source}/embed.mjs dist ${table}
    DEPENDS ${build}/installed ${single} ${files} ${source}/embed.mjs
    WORKING_DIRECTORY ${build} COMMENT "Building the page" VERBATIM)

  add_library(premise_page_files OBJECT ${table})
  target_link_libraries(premise_page_files PRIVATE premise_options)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")  # files are longer than the 64 kB that C++ promises
    target_compile_options(premise_page_files PRIVATE -Wno-overlength-strings)
  endif()
  target_link_libraries(${program} PRIVATE premise_page_files)
endfunction()

function(premise_find_node)
  find_program(PREMISE_NODE NAMES node nodejs)
  find_program(PREMISE_NPM npm)
  set(version "")
  if(PREMISE_NODE)
    execute_process(COMMAND ${PREMISE_NODE} --version OUTPUT_VARIABLE version
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    string(REGEX MATCH "[0-9]+[.][0-9.]+" version "${version}")
  endif()
  if(PREMISE_NPM AND version VERSION_GREATER_EQUAL 18)
    return()
  endif()
  if(NOT PREMISE_NODE)
    set(found "node is not there")
  elseif(version VERSION_LESS 18)
    set(found "${PREMISE_NODE} is version \"${version}\"")
  else()
    set(found "npm is not there")
  endif()
  message(FATAL_ERROR
    "  The page at / takes Node 18 or later and npm to build, and ${found}.\n"
    "  Install them: make deps, or apt-get install --no-install-recommends nodejs npm\n"
    "  Or build a program without the page: cmake -DPREMISE_PAGE=OFF\n"
    "  构建网页需要 Node 18 或更高版本以及 npm（${found}）。\n"
    "  请安装：make deps，或 apt-get install --no-install-recommends nodejs npm\n"
    "  构建不含网页的程序：cmake -DPREMISE_PAGE=OFF")
endfunction()
