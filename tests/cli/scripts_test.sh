#!/usr/bin/env bash
# examples/quickstart.sh and tests/run.sh say what takes so long, and fail as their build fails.
# The build itself is played by stand-ins; nothing is compiled.
sources=$(cd "$(dirname "$0")/../.." && pwd)
source "$(dirname "$0")/library.sh" "$@"

box=$work/box
mkdir -p "$box/examples" "$box/tests" "$box/.ci" "$box/bin" "$box/build/release/examples" \
  "$box/build/release/src"
cp "$sources/examples/quickstart.sh" "$box/examples"
cp "$sources/tests/run.sh" "$box/tests"
stand_in() { printf '#!%s\n%s\n' "$(command -v bash)" "$2" >"$box/$1"; chmod +x "$box/$1"; }
stand_in .ci/install-packages.sh 'exit 0'
stand_in bin/cmake 'echo "cmake $*"; [ "$1" != --build ] || { echo "[1/7] one"; echo "[7/7] last"; }'
stand_in bin/ctest 'echo "ctest is called"'
stand_in build/release/examples/quickstart 'echo "the example"'
stand_in build/release/src/millrace 'echo "the program: $1"'

# Runs a script of the box; then $status, $work/out and $work/err.
run_script() {
  last="bash $*"
  PATH=$box/bin:$PATH bash "$box/$1" "${@:2}" >"$work/out" 2>"$work/err"
  status=$?
}
# The same with a terminal, which has all of the output.
run_on_terminal() {
  last="bash $* on a terminal"
  PATH=$box/bin:$PATH script -qec "bash $box/$1" /dev/null </dev/null >"$work/out" 2>"$work/err"
  status=$?
}

echo record >"$work/input"
run_script examples/quickstart.sh "$work/input"
expect_done
expect_out_has "building the library, the program and an example (details in build/quickstart.log)"
expect_out_has "the first time 5 to 10 minutes"
expect_out_has "the example"
expect_out_has "the program: consume"
expect_equal "$(grep -c 'step' "$work/out")" 0
expect_equal "$(tail -n 1 "$box/build/quickstart.log")" "[7/7] last"
if command -v script >/dev/null && [ -r /var/lib/dpkg/status ]; then
  run_on_terminal examples/quickstart.sh
  expect_status 0
  expect_out_has "step 1 of 7"
  expect_out_has "step 7 of 7"
fi
run_script tests/run.sh --jobs 3
expect_done
expect_out_has "== building dev with 3 at a time: the first time about half an hour"
expect_out_has "ctest is called"

stand_in bin/cmake 'echo "no good: $1" >&2; [ "$1" != --build ]'
run_script examples/quickstart.sh "$work/input"
expect_status 1
expect_err_has "no good: --build"
expect_err_has "the build failed; all of it is in build/quickstart.log"
expect_equal "$(grep -c 'the example' "$work/out")" 0
run_script tests/run.sh
expect_status 1
expect_equal "$(grep -c 'ctest is called' "$work/out")" 0
run_script tests/run.sh --nonsense
expect_status 2
expect_err_has "no option '--nonsense'"

finish
