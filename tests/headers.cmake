# millrace_headers(out): every header of the library as one would include it, public ones first.
function(millrace_headers out)
  file(GLOB_RECURSE public CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include
       ${PROJECT_SOURCE_DIR}/include/*.hpp)
  file(GLOB_RECURSE private CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/src
       ${PROJECT_SOURCE_DIR}/src/*.hpp)
  if(NOT MILLRACE_BUILD_PROGRAM)
    list(FILTER private EXCLUDE REGEX "^cli/")
  endif()
  set(${out} ${public} ${private} PARENT_SCOPE)
endfunction()

# millrace_check_target(target): compiles like the library, with its private include paths, and as
# cheaply as can be; for code that is compiled to see whether it compiles.
function(millrace_check_target target)
  target_link_libraries(${target} PRIVATE millrace::millrace fmt::fmt millrace_warnings)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_options(${target} PRIVATE -O0 -g0)
endfunction()
