# Every library Premise stands on, named once. Packages: packages/debian.txt (make deps).
find_package(PkgConfig REQUIRED)

function(premise_dependency name)
  add_library(premise_dep_${name} INTERFACE)
  target_link_libraries(premise_dep_${name} INTERFACE ${ARGN})
  add_library(Premise::${name} ALIAS premise_dep_${name})
endfunction()

find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
premise_dependency(format fmt::fmt spdlog::spdlog)

find_package(OpenSSL REQUIRED)
premise_dependency(crypto OpenSSL::Crypto)
premise_dependency(tls OpenSSL::SSL OpenSSL::Crypto)

# Headers only: Asio's sockets, timers and coroutines. 1.81 is the newest of Debian 12.
find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS headers)
premise_dependency(asio Boost::headers)

find_package(nlohmann_json REQUIRED)
find_package(simdjson REQUIRED)
premise_dependency(json nlohmann_json::nlohmann_json simdjson::simdjson)

find_package(CLI11 REQUIRED)
premise_dependency(cli CLI11::CLI11)

pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
premise_dependency(toml PkgConfig::tomlplusplus)

find_package(SQLite3 REQUIRED)
premise_dependency(sqlite SQLite::SQLite3)

pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis)
premise_dependency(redis PkgConfig::hiredis)

find_package(CURL REQUIRED)
premise_dependency(curl CURL::libcurl)

pkg_check_modules(libzip REQUIRED IMPORTED_TARGET libzip)
premise_dependency(zip PkgConfig::libzip)

pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
premise_dependency(unicode PkgConfig::utf8proc)

if(PREMISE_TESTS)
  find_package(GTest REQUIRED)
endif()
if(PREMISE_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()
