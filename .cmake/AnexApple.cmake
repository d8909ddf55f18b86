# Objective-C++ for what only Apple has: on a Mac the real thing; elsewhere, for tests, the same sources
# against GNUstep and doubles of Apple's frameworks (tests/doubles/apple).
#
# Sets ANEX_OBJCXX: .mm files can be compiled. The target anex_objcxx has what they need.
# anex_test_on_ane(NAME [QUICK filter] [TIMEOUT s]): test_NAME once more, with a daemon whose preferred
# device is the ane's on doubles: what `filter` (googletest's) takes as one test, and all, labelled slow.
function(anex_test_on_ane name)
  if(NOT TARGET anexd_on_doubles)
    return()
  endif()
  cmake_parse_arguments(arg "" "QUICK;TIMEOUT" "" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set(environment "ANEX_TEST_ANEXD=$<TARGET_FILE:anexd_on_doubles>")
  add_dependencies(test_${name} anexd_on_doubles)
  if(arg_QUICK)
    add_test(NAME ane.${name} COMMAND test_${name} "--gtest_filter=${arg_QUICK}")
    set_tests_properties(ane.${name} PROPERTIES ENVIRONMENT "${environment}" LABELS ane
                                                TIMEOUT ${arg_TIMEOUT})
  endif()
  gtest_discover_tests(test_${name} TEST_PREFIX "ane.${name}." DISCOVERY_TIMEOUT 60
                       PROPERTIES ENVIRONMENT "${environment}" TIMEOUT ${arg_TIMEOUT} LABELS "ane;slow")
endfunction()

option(ANEX_APPLE_DOUBLES "Where there is no Mac: compile and test what is for one, against doubles" ON)
set(ANEX_OBJCXX OFF)

set(CMAKE_OBJCXX_STANDARD 20)
set(CMAKE_OBJCXX_STANDARD_REQUIRED ON)
set(CMAKE_OBJCXX_EXTENSIONS OFF)
set(CMAKE_OBJCXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
if(CCACHE)
  set(CMAKE_OBJCXX_COMPILER_LAUNCHER ${CCACHE})
endif()

if(APPLE)
  enable_language(OBJCXX)
  set(ANEX_OBJCXX ON)
  add_library(anex_objcxx INTERFACE)
  target_compile_options(anex_objcxx INTERFACE
    "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:OBJCXX>:-fno-objc-arc;-fblocks;-fexceptions;-fobjc-exceptions;-fno-cxx-exceptions>>")
  target_link_libraries(anex_objcxx INTERFACE
    "-framework Foundation" "-framework CoreFoundation" "-framework IOSurface")
  return()
endif()

if(NOT ANEX_APPLE_DOUBLES OR NOT ANEX_BUILD_TESTS)
  return()
endif()
find_program(ANEX_CLANGXX NAMES clang++-14 clang++)
find_path(ANEX_GNUSTEP_INCLUDE Foundation/Foundation.h PATHS /usr/include/GNUstep NO_DEFAULT_PATH)
find_library(ANEX_GNUSTEP_BASE gnustep-base)
find_library(ANEX_BLOCKS_RUNTIME BlocksRuntime)
execute_process(COMMAND gcc -print-file-name=include
                OUTPUT_VARIABLE ANEX_GCC_INCLUDE OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
execute_process(COMMAND gcc -print-file-name=libobjc.so
                OUTPUT_VARIABLE ANEX_LIBOBJC OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT ANEX_CLANGXX OR NOT ANEX_GNUSTEP_INCLUDE OR NOT ANEX_GNUSTEP_BASE OR NOT ANEX_BLOCKS_RUNTIME
   OR NOT EXISTS "${ANEX_GCC_INCLUDE}/objc/objc.h" OR NOT EXISTS "${ANEX_LIBOBJC}")
  message(STATUS "Without Objective-C++ (clang, GNUstep, its runtime): the Apple device is not built")
  return()
endif()

set(CMAKE_OBJCXX_COMPILER ${ANEX_CLANGXX})
enable_language(OBJCXX)
set(ANEX_OBJCXX ON)

# The runtime is GCC's, which knows neither automatic counting nor messages by objc_msgSend; its
# headers come after clang's own.
add_library(anex_objcxx INTERFACE)
target_compile_options(anex_objcxx INTERFACE $<$<COMPILE_LANGUAGE:OBJCXX>:
  -fobjc-runtime=gcc;-fblocks;-fexceptions;-fobjc-exceptions;-fno-cxx-exceptions;
  -fconstant-string-class=NSConstantString;-DGNUSTEP;-DGNUSTEP_BASE_LIBRARY=1;-DGNU_RUNTIME=1;
  -D_NATIVE_OBJC_EXCEPTIONS;
  -Werror=objc-method-access;-Werror=undeclared-selector;-Werror=protocol;
  -Wmismatched-parameter-types;-Wno-deprecated-declarations;
  -isystem${ANEX_GNUSTEP_INCLUDE};-isystem${ANEX_GCC_INCLUDE}>)
target_include_directories(anex_objcxx SYSTEM INTERFACE
  $<$<COMPILE_LANGUAGE:OBJCXX>:${PROJECT_SOURCE_DIR}/tests/doubles/apple/include>)
# GNUstep has a Block_copy of its own, which leaves blocks of this compiler on the stack: the other one has
# to be found first.
target_link_libraries(anex_objcxx INTERFACE
  ${ANEX_BLOCKS_RUNTIME} ${ANEX_GNUSTEP_BASE} ${ANEX_LIBOBJC} Threads::Threads)
