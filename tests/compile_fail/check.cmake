cmake_minimum_required(VERSION 3.25)
# Called by add_compile_fail_test with compiler, source, regex, includes (with | between).
get_filename_component(name ${source} NAME_WE)
set(flags -std=c++20 -fsyntax-only -Wall -Wextra -Werror=unused-result)
string(REPLACE "|" ";" includes "${includes}")
foreach(include IN LISTS includes)
  list(APPEND flags -I${include})
endforeach()
set(ENV{LC_ALL} C)

function(fail text output)
  message(NOTICE "${output}")
  message(FATAL_ERROR "compile_fail: ${name}: ${text}")
endfunction()

execute_process(COMMAND ${compiler} ${flags} ${source}
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0)
  fail("does not compile as it stands" "${output}")
endif()

execute_process(COMMAND ${compiler} ${flags} -DMUST_NOT_COMPILE ${source}
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0)
  fail("compiles and must not" "")
elseif(NOT output MATCHES "${regex}")
  fail("is refused but not for '${regex}'" "${output}")
endif()
message(STATUS "${name} is refused as expected")
