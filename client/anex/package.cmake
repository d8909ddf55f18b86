# `cmake --install build --component sdk`: the SDK for other projects, which find it by
# find_package(anex) and link anex::sdk. Headers keep their path from the top of this tree, below
# include/anexd.
include(CMakePackageConfigHelpers)
if(ANEX_SANITIZE)
  return()  # such libraries are for this build's own programs
endif()
set(rooms flags wire values shm proto convert transport side_channel_client ring_submission_stream
          grpc_transport sdk)
if(APPLE)
  list(APPEND rooms objcxx)  # what shm, in part Objective-C++, is linked to
endif()
set(targets ${rooms})
list(TRANSFORM targets PREPEND anex_)
foreach(room IN LISTS rooms)
  set_target_properties(anex_${room} PROPERTIES EXPORT_NAME ${room})
endforeach()
install(TARGETS ${targets} EXPORT anex
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/anexd COMPONENT sdk)
foreach(folder client/anex proto/values proto/wire proto/shm)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/anexd/${folder} COMPONENT sdk
          FILES_MATCHING PATTERN "*.h" PATTERN "xpc_*.h" EXCLUDE)  # those are for its own .mm
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/client/transport/transport.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/anexd/client/transport COMPONENT sdk)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/anex)
install(EXPORT anex NAMESPACE anex:: FILE anex-targets.cmake DESTINATION ${package} COMPONENT sdk)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/anex-config.cmake.in
                              ${CMAKE_CURRENT_BINARY_DIR}/anex-config.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/anex-config-version.cmake
                                 VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/anex-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/anex-config-version.cmake
        DESTINATION ${package} COMPONENT sdk)
