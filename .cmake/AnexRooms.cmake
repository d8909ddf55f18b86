# One library per room, one test binary per test folder. Includes are written from the top of the
# tree; which room may include which is checked by tests/house, not by link lines.
include(GNUInstallDirs)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(anex_flags INTERFACE)
target_include_directories(anex_flags INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/anexd>)
target_compile_features(anex_flags INTERFACE cxx_std_20)
# A project that this one is a part of, or that uses what is installed, has warnings of its own.
if(ANEX_TOP_LEVEL)
  target_compile_options(anex_flags INTERFACE
    "$<BUILD_INTERFACE:-Wall;-Wextra;-Werror;-Wno-missing-field-initializers>")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 reports false positives of these in inlined standard library code at -O2.
    target_compile_options(anex_flags INTERFACE
      "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized;-Wno-restrict;-Wno-stringop-overflow;-Wno-array-bounds>>")
  endif()
endif()
if(ANEX_SANITIZE)
  # -O1: what the sanitizers' own manual asks for, and half the time of -O2 to compile.
  add_compile_options(-fsanitize=${ANEX_SANITIZE} -fno-omit-frame-pointer -g1 -O1)
  # For tests that are too slow or want what sanitizers take; the compilers' own words for it are kept
  # from our files where libraries must not see them.
  add_compile_definitions(ANEX_SANITIZED=1)
  add_link_options(-fsanitize=${ANEX_SANITIZE})
  if(ANEX_SANITIZE MATCHES "undefined")
    # vptr looks at memory through a pipe: without a descriptor left, as some tests have it, every
    # object seems bad to it.
    add_compile_options(-fno-sanitize-recover=undefined -fno-sanitize=vptr)
  endif()
  if(ANEX_SANITIZE STREQUAL "thread" AND NOT APPLE)
    # In every program: without it TSan does not see the distribution's absl::Mutex.
    add_library(anex_tsan_mutex OBJECT ${CMAKE_CURRENT_LIST_DIR}/tsan_absl_mutex.cc)
    # Not in a library beside: the program's are first, and theirs would be told twice.
    target_link_libraries(anex_flags INTERFACE
      $<$<NOT:$<STREQUAL:$<TARGET_PROPERTY:TYPE>,SHARED_LIBRARY>>:$<TARGET_OBJECTS:anex_tsan_mutex>>
      ${CMAKE_DL_LIBS})
    set_property(TARGET anex_flags APPEND PROPERTY INTERFACE_LINK_DEPENDS
                                                   $<TARGET_OBJECTS:anex_tsan_mutex>)
  endif()
endif()

# anex_room(NAME SOURCES a.cc ... LINK target ...): the library anex_NAME. No sources: headers only.
function(anex_room name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  if(arg_SOURCES)
    add_library(anex_${name} STATIC ${arg_SOURCES})
    target_link_libraries(anex_${name} PUBLIC anex_flags ${arg_LINK})
  else()
    add_library(anex_${name} INTERFACE)
    target_link_libraries(anex_${name} INTERFACE anex_flags ${arg_LINK})
  endif()
endfunction()

# anex_test(NAME SOURCES ... LINK ... [LABELS ...] [TIMEOUT s]): binary test_NAME, one ctest entry per
# test case.
function(anex_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_executable(test_${name} ${arg_SOURCES})
  target_link_libraries(test_${name} PRIVATE anex_flags ${arg_LINK} GTest::gmock GTest::gtest_main)
  gtest_discover_tests(test_${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${name};${arg_LABELS}")
endfunction()

# anex_bench(NAME SOURCES ... LINK ...): binary bench_NAME; run by `./dev bench NAME`.
function(anex_bench name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  if(ANEX_BUILD_BENCH)
    add_executable(bench_${name} ${arg_SOURCES})
    target_link_libraries(bench_${name} PRIVATE anex_flags ${arg_LINK})
  endif()
endfunction()
