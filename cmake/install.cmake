# The installed tree can stand anywhere: its pkg-config files and CMake package find their own prefix.
include(CMakePackageConfigHelpers)

install(TARGETS libcoho libcoho_static libcoho_core libcoho_core_static EXPORT coho)
install(DIRECTORY include/coho TYPE INCLUDE FILES_MATCHING PATTERN "*.h")
foreach(section IN ITEMS 1 3 7)
  file(GLOB manuals CONFIGURE_DEPENDS docs/man/*.${section})
  install(FILES ${manuals} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
# coho_pkg_config(NAME DESCRIPTION LIBS.PRIVATE REQUIRES.PRIVATE)
function(coho_pkg_config name description private requires)
  configure_file(cmake/package.pc.in ${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()
coho_pkg_config(coho "WebSocket server, client and topics" "-pthread" "${deflate_packages} openssl jansson")
coho_pkg_config(coho-core "WebSocket protocol engine without I/O" "" "${deflate_packages}")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/coho)
configure_package_config_file(cmake/cohoConfig.cmake.in cohoConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(cohoConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT coho NAMESPACE coho:: FILE cohoTargets.cmake DESTINATION ${package_dir})
install(FILES ${PROJECT_BINARY_DIR}/cohoConfig.cmake ${PROJECT_BINARY_DIR}/cohoConfigVersion.cmake
  DESTINATION ${package_dir})
