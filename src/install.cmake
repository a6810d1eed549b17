# Installs and exports millrace::millrace and, as a component, millrace::net; the program if it is
# built; pkg-config files.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(millrace_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/millrace)

install(TARGETS millrace EXPORT millraceTargets)
if(TARGET millrace_program)
  install(TARGETS millrace_program)
endif()
if(TARGET millrace_net)
  install(TARGETS millrace_net EXPORT millraceNetTargets)
  install(EXPORT millraceNetTargets NAMESPACE millrace:: DESTINATION ${millrace_cmake_dir})
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/millrace DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.hpp")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT millraceTargets NAMESPACE millrace:: DESTINATION ${millrace_cmake_dir})

# Who links the static library also links what it was built with; a shared one carries that itself.
get_target_property(millrace_type millrace TYPE)
set(millrace_dependencies "find_dependency(Boost 1.74)\n")
set(millrace_pc_libs)
set(millrace_pc_requires)
if(millrace_type STREQUAL "STATIC_LIBRARY")
  set(millrace_dependencies "find_dependency(Boost 1.74 COMPONENTS filesystem)\n")
  string(APPEND millrace_dependencies "find_dependency(fmt 9)\n")
  set(millrace_pc_libs "-lboost_filesystem")
  set(millrace_pc_requires "fmt >= 9")
  if(ZLIB_FOUND)
    string(APPEND millrace_dependencies "find_dependency(ZLIB)\n")
    string(APPEND millrace_pc_requires ", zlib")
  endif()
  foreach(codec LZ4 ZSTD SNAPPY)
    if(${codec}_FOUND)
      list(GET ${codec}_MODULE_NAME 0 module)
      string(APPEND millrace_dependencies "millrace_find_module(${codec} ${module})\n")
      string(APPEND millrace_pc_requires ", ${module}")
    endif()
  endforeach()
endif()

configure_package_config_file(millraceConfig.cmake.in millraceConfig.cmake
                              INSTALL_DESTINATION ${millrace_cmake_dir})
write_basic_package_version_file(millraceConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/millraceConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/millraceConfigVersion.cmake
        DESTINATION ${millrace_cmake_dir})

# Relative to where the file lies, so that an installed tree can be moved.
file(RELATIVE_PATH millrace_pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
     ${CMAKE_INSTALL_PREFIX})
configure_file(millrace.pc.in millrace.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/millrace.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(TARGET millrace_net)
  set(millrace_net_pc_requires)
  if(millrace_type STREQUAL "STATIC_LIBRARY")
    set(millrace_net_pc_requires "libssl, libcrypto, fmt >= 9")
  endif()
  configure_file(millrace-net.pc.in millrace-net.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/millrace-net.pc
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
