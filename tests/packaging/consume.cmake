cmake_minimum_required(VERSION 3.25)
# Builds and runs the consumer; see CMakeLists.txt for the variables.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status COMMAND_ECHO STDOUT)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "packaging: ${way}: '${ARGV0}' ended with ${status}")
  endif()
endfunction()

set(here ${CMAKE_CURRENT_LIST_DIR})
file(REMOVE_RECURSE ${build})
file(MAKE_DIRECTORY ${build})

if(way STREQUAL "pkg_config")
  file(GLOB_RECURSE pc ${prefix}/*/millrace.pc)
  get_filename_component(pc_dir ${pc} DIRECTORY)
  set(ENV{PKG_CONFIG_PATH} "${pc_dir}:$ENV{PKG_CONFIG_PATH}")
  function(compile program package)
    execute_process(COMMAND ${pkg_config} --cflags ${package} OUTPUT_VARIABLE cflags
                    COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND ${pkg_config} --static --libs ${package} OUTPUT_VARIABLE libs
                    COMMAND_ERROR_IS_FATAL ANY)
    separate_arguments(cflags UNIX_COMMAND "${cflags}")
    separate_arguments(libs UNIX_COMMAND "${libs}")
    run(${compiler} -std=c++20 ${cflags} ${here}/${program}.cpp -o ${build}/${program} ${libs})
  endfunction()
  compile(consumer millrace)
  compile(net_consumer millrace-net)
else()
  run(${CMAKE_COMMAND} -S ${here}/${way} -B ${build} -G ${generator}
      -DCMAKE_CXX_COMPILER=${compiler} -DCMAKE_CXX_COMPILER_LAUNCHER=${launcher}
      -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_FLAGS=-O0 -g0"
      -DCMAKE_PREFIX_PATH=${prefix} -DMILLRACE_SOURCE=${millrace_source})
  run(${CMAKE_COMMAND} --build ${build} --parallel 2)
endif()
run(${build}/consumer)
run(${build}/net_consumer)
