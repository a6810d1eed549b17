#!/usr/bin/env bash
# Sets up, builds and runs all tests through one ctest run, whose closing lines come last.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

usage() {
  cat <<'TEXT'
usage: bash tests/run.sh [options] [-- ctest arguments]

  --preset NAME   build and test this CMake preset (default: dev)
  --sanitizers    the asan-ubsan and tsan presets as well
  --long          the long campaigns as well: sets MILLRACE_LONG=1, runs tests labelled `long`
  --tidy          clang-format and clang-tidy over everything that the preset compiles as well
  --jobs N        processes to build and test with (default: one a processor)
  --help          this text

Packages that are missing are installed on Debian and Ubuntu. MILLRACE_SEED=N repeats a random
run. MILLRACE_INTEROP_JVM=1 has the clients tested, too, that Maven and npm fetch.
Ends with 0 if all passed, 1 or ctest's code if not, 2 for a wrong call or missing packages.
TEXT
}

fail_usage() { echo "tests/run.sh: $1" >&2; usage >&2; exit 2; }

presets=(dev)
packages=(build interop)
tidy=no
jobs=$(nproc)
ctest_arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    --preset) [ $# -ge 2 ] || fail_usage "--preset needs a name"; presets=("$2"); shift ;;
    --sanitizers) sanitizers=yes ;;
    --long) export MILLRACE_LONG=1 ;;
    --tidy) tidy=yes; packages+=(format) ;;
    --jobs) [ $# -ge 2 ] || fail_usage "--jobs needs a number"; jobs=$2; shift ;;
    --help) usage; exit 0 ;;
    --) shift; ctest_arguments=("$@"); break ;;
    *) fail_usage "no option '$1'" ;;
  esac
  shift
done
[ -z "${sanitizers:-}" ] || presets+=(asan-ubsan tsan)
[[ " ${presets[*]} " != *" fuzz "* ]] || packages+=(fuzz)

far_clients=OFF
if [ -n "${MILLRACE_INTEROP_JVM:-}" ]; then
  far_clients=ON
  packages+=(jvm)
fi

bash .ci/install-packages.sh "${packages[@]}"

configure() {
  echo "== configuring $1"
  cmake --preset "$1" -D MILLRACE_INTEROP_JVM=$far_clients
}
build() {
  echo "== building $1 with $jobs at a time: the first time about half an hour on two processors," \
    "then what has changed"
  cmake --build --preset "$1" -j "$jobs"
}

for preset in "${presets[@]}"; do
  configure "$preset"
  build "$preset"
done

# One ctest run over all the trees: a folder whose test file names them.
mkdir -p build/all
{
  for preset in "${presets[@]}"; do echo "subdirs([==[$PWD/build/$preset]==])"; done
  if [ $tidy = yes ]; then
    echo "add_test(clang_format bash [==[$PWD/.ci/clang-format.sh]==])"
    echo "set_tests_properties(clang_format PROPERTIES TIMEOUT 300 LABELS house)"
    echo "add_test(clang_tidy bash [==[$PWD/.ci/clang-tidy.sh]==] [==[$PWD/build/${presets[0]}]==])"
    echo "set_tests_properties(clang_tidy PROPERTIES TIMEOUT 10800 LABELS house)"
  fi
} >build/all/CTestTestfile.cmake

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-second_deadlock_stack=1}
# ThreadSanitizer of gcc 12 cannot live with as much address randomisation as newer kernels do.
launcher=()
if [[ " ${presets[*]} " == *" tsan "* ]] && setarch "$(uname -m)" -R true 2>/dev/null; then
  launcher=(setarch "$(uname -m)" -R)
fi
[ -n "${MILLRACE_LONG:-}" ] || ctest_arguments=(-LE '^long$' ${ctest_arguments[@]+"${ctest_arguments[@]}"})
echo "== testing ${presets[*]}"
exec ${launcher[@]+"${launcher[@]}"} ctest --test-dir build/all --output-on-failure \
  --no-tests=error -j "$jobs" ${ctest_arguments[@]+"${ctest_arguments[@]}"}
