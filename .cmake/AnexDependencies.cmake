# Libraries, found as Debian 12 packages them and, where that differs, as Homebrew does.
if(APPLE)
  # Waits on addresses (os_sync_wait_on_address) are of macOS 14.4, whose kernel is Darwin 23.4.
  if(CMAKE_OSX_DEPLOYMENT_TARGET AND CMAKE_OSX_DEPLOYMENT_TARGET VERSION_LESS 14.4)
    message(FATAL_ERROR "anexd needs macOS 14.4, CMAKE_OSX_DEPLOYMENT_TARGET is ${CMAKE_OSX_DEPLOYMENT_TARGET}")
  elseif(NOT CMAKE_CROSSCOMPILING AND CMAKE_HOST_SYSTEM_VERSION VERSION_LESS 23.4)
    message(FATAL_ERROR "anexd needs macOS 14.4; this is Darwin ${CMAKE_HOST_SYSTEM_VERSION}")
  endif()
  # gRPC's own package file looks for protobuf by CMake's module, which knows nothing of what newer
  # protobuf is linked with; packages that bring a description of their own are read by that.
  set(CMAKE_FIND_PACKAGE_PREFER_CONFIG ON)
  # Homebrew keeps OpenSSL out of its common folder, and has several: the one that gRPC is linked with,
  # so that a process has one.
  if(NOT OPENSSL_ROOT_DIR AND NOT DEFINED ENV{OPENSSL_ROOT_DIR})
    find_program(ANEX_BREW brew)
    if(ANEX_BREW)
      execute_process(COMMAND ${ANEX_BREW} deps grpc OUTPUT_VARIABLE needed ERROR_QUIET)
      if(needed MATCHES "openssl@[0-9.]+")
        execute_process(COMMAND ${ANEX_BREW} --prefix ${CMAKE_MATCH_0}
                        OUTPUT_VARIABLE OPENSSL_ROOT_DIR OUTPUT_STRIP_TRAILING_WHITESPACE)
      endif()
    endif()
  endif()
endif()
find_package(Threads REQUIRED)
find_package(absl CONFIG REQUIRED)
if(ANEX_TOP_LEVEL AND absl_VERSION VERSION_GREATER_EQUAL 20260107)
  # From there on MutexLock wants a reference and Lock is lock: neither is in Debian 12's Abseil, so
  # what both have is used, and that it will go is no error yet. Nothing else of the kind is used.
  target_compile_options(anex_flags INTERFACE "$<BUILD_INTERFACE:-Wno-error=deprecated-declarations>")
endif()
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
