# Libraries, found as Debian 12 packages them and, where that differs, as Homebrew does.
find_package(Threads REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
# CBLAS: Accelerate on macOS, OpenBLAS elsewhere.
add_library(anex_cblas INTERFACE)
if(APPLE)
  target_link_libraries(anex_cblas INTERFACE "-framework Accelerate")
else()
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(OPENBLAS REQUIRED IMPORTED_TARGET openblas)
  target_link_libraries(anex_cblas INTERFACE PkgConfig::OPENBLAS)
endif()

if(ANEX_BUILD_TESTS OR ANEX_FUZZ)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

if(ANEX_FUZZ)
  return()  # the rooms that are fuzzed need no more
endif()
find_package(Protobuf CONFIG QUIET)  # Homebrew carries a config
if(NOT TARGET protobuf::libprotobuf)
  find_package(Protobuf MODULE REQUIRED)  # Debian 12 does not
endif()
find_package(gRPC CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)        # SHA-256, random secrets
find_package(ZLIB REQUIRED)           # CRC-32 of weight chunks
find_package(CLI11 CONFIG REQUIRED)
find_package(tomlplusplus CONFIG QUIET)
if(NOT TARGET tomlplusplus::tomlplusplus)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
  add_library(tomlplusplus::tomlplusplus ALIAS PkgConfig::TOMLPLUSPLUS)
endif()
