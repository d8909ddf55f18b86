# ANEX_DARWIN_TYPES: nothing is compiled, types are looked at as macOS has them: libc++ instead of
# libstdc++, uint64_t and off_t of long long (so that std::min of a size_t and a uint64_t is an error
# here too), mode_t and nlink_t of 16 bits. For clang on Linux; `./dev types` runs it.
option(ANEX_DARWIN_TYPES "Look at types as macOS has them, and make no objects (clang, libc++)" OFF)
if(NOT ANEX_DARWIN_TYPES)
  return()
endif()
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "ANEX_DARWIN_TYPES needs clang, not ${CMAKE_CXX_COMPILER_ID}")
endif()
string(REGEX REPLACE "\\..*" "" major "${CMAKE_CXX_COMPILER_VERSION}")
find_path(ANEX_LIBCXX __config PATHS /usr/lib/llvm-${major}/include/c++/v1 NO_DEFAULT_PATH REQUIRED)
find_path(ANEX_GLIBC_TYPES bits/typesizes.h
          PATHS /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} NO_DEFAULT_PATH REQUIRED)
set(widths ${CMAKE_CURRENT_BINARY_DIR}/darwin_types)

# anex_retype(FROM TO REGEX REPLACEMENT ...): a copy of one of the C library's headers with other types.
function(anex_retype from to)
  file(READ ${from} text)
  while(ARGN)
    list(POP_FRONT ARGN regex replacement)
    string(REGEX REPLACE "${regex}" "${replacement}" changed "${text}")
    if(changed STREQUAL text)
      message(FATAL_ERROR "${from} has nothing like ${regex}")
    endif()
    set(text "${changed}")
  endwhile()
  file(WRITE ${widths}/${to} "${text}")
endfunction()

anex_retype(${ANEX_GLIBC_TYPES}/bits/types.h bits/types.h
  "typedef signed long int __int64_t" "typedef signed long long int __int64_t"
  "typedef unsigned long int __uint64_t" "typedef unsigned long long int __uint64_t")
anex_retype(${ANEX_GLIBC_TYPES}/bits/typesizes.h bits/typesizes.h
  "(__DEV_T_TYPE)[\t ]+[A-Z_0-9]+" "\\1 __S32_TYPE"
  "(__INO_T_TYPE)[\t ]+[A-Z_0-9]+" "\\1 unsigned long long int"
  "(__MODE_T_TYPE)[\t ]+[A-Z_0-9]+" "\\1 __U16_TYPE"
  "(__NLINK_T_TYPE)[\t ]+[A-Z_0-9]+" "\\1 __U16_TYPE"
  "(__OFF_T_TYPE)[\t ]+[A-Z_0-9]+" "\\1 long long int"
  "(__RLIM_T_TYPE)[\t ]+[A-Z_0-9]+" "\\1 unsigned long long int"
  "(__BLKCNT_T_TYPE)[\t ]+[A-Z_0-9]+" "\\1 long long int"
  "(__SUSECONDS_T_TYPE)[\t ]+[A-Z_0-9]+" "\\1 __S32_TYPE")
anex_retype(/usr/include/stdint.h stdint.h
  "(INT64_C.c.[\t ]+c ## U?)L\n" "\\1LL\n")
anex_retype(/usr/include/inttypes.h inttypes.h
  "__PRI64_PREFIX[\t ]+\"l\"" "__PRI64_PREFIX \"ll\"")

target_compile_options(anex_flags INTERFACE "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-fsyntax-only>>"
  "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-Wno-unused-command-line-argument>>"
  "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-nostdinc++>>"
  "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:SHELL:-isystem ${ANEX_LIBCXX}>>"
  "$<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:SHELL:-isystem ${widths}>>")
