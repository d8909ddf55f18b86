# Lets CMake take the branches of a Mac, with this machine's packages, and looks at what it would
# compile: all that is for macOS, nothing that is for Linux. Nothing is compiled.
execute_process(
  COMMAND ${CMAKE_COMMAND} -G Ninja -S ${TREE} -B ${WORK} -DCMAKE_SYSTEM_NAME=Darwin
          -DCMAKE_CXX_COMPILER=${CLANGXX} -DCMAKE_OBJCXX_COMPILER=${CLANGXX}
          -DCMAKE_CXX_COMPILER_WORKS=1 -DCMAKE_OBJCXX_COMPILER_WORKS=1 -DCMAKE_HAVE_LIBC_PTHREAD=1
          -DCMAKE_INSTALL_NAME_TOOL=true -DCMAKE_OSX_DEPLOYMENT_TARGET=14.4
          -DCMAKE_LIBRARY_ARCHITECTURE=${ARCHITECTURE} -DOPENSSL_ROOT_DIR=/usr
  OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "CMake does not get through as on a Mac:\n${said}")
endif()
file(READ ${WORK}/compile_commands.json commands)

file(GLOB_RECURSE sources RELATIVE ${TREE} ${TREE}/proto/*.cc ${TREE}/server/*.cc ${TREE}/client/*.cc
     ${TREE}/tests/*.cc ${TREE}/proto/*.mm ${TREE}/server/*.mm)
foreach(source IN LISTS sources)
  string(FIND "${commands}" "\"file\": \"${TREE}/${source}\"" at)
  if(source MATCHES "^tests/(doubles|darwin)/")
    continue()
  elseif(source MATCHES "(_linux|_memfd|_systemd|_memfd_test|_systemd_test|_openblas)\\.cc$")
    if(NOT at EQUAL -1)
      message(SEND_ERROR "${source} is for Linux and would be compiled on a Mac")
    endif()
  elseif(source MATCHES "((_darwin|_launchd|_accelerate_darwin|_darwin_test)\\.cc|\\.mm)$")
    math(EXPR count "${count} + 1")
    if(at EQUAL -1)
      message(SEND_ERROR "${source} is for macOS and would not be compiled there")
    endif()
  endif()
endforeach()
if(count LESS 20)
  message(SEND_ERROR "only ${count} sources for macOS were found")
endif()
