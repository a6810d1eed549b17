#!/usr/bin/env bash
# clang_tidy_test.sh SCRIPT: what the script makes of what clang-tidy says, against a stand-in that
# finds something in files whose names contain `bad`. The tree is a copy of the script's folder.
set -uo pipefail
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
mkdir -p "$box/tree/.ci" "$box/tree/build" "$box/bin"
cp "$1" "$box/tree/.ci/"
script=$box/tree/.ci/$(basename "$1")
failures=0

cat >"$box/bin/clang-tidy-14" <<'STAND_IN'
#!/usr/bin/env bash
file=${!#}
echo "2 warnings generated." >&2
[[ $file == *bad* ]] || exit 0
echo "$file:1:1: error: bad [a-check]"
exit 1
STAND_IN
chmod +x "$box/bin/clang-tidy-14"

# sources FILE...: the build folder compiles these, and one that was generated.
sources() {
  for file in "$@" build/generated_bad.cpp; do
    printf '{\n  "directory": "/",\n  "command": "c++",\n  "file": "%s"\n},\n' "$box/tree/$file"
  done >"$box/tree/build/compile_commands.json"
}

# expect NAME STATUS OUTPUT ARGUMENT...: runs the script and compares its end and its words.
expect() {
  local name=$1 status=$2 wanted=$3 output
  shift 3
  output=$(PATH=$box/bin:$PATH bash "$script" "$@" 2>&1 </dev/null)
  local got=$?
  [ $got -eq "$status" ] && [ "$output" = "$wanted" ] && return
  echo "FAILED $name: status $got, not $status, or not '$wanted' but: $output"
  failures=$((failures + 1))
}

sources src/a.cpp tests/b.cpp tests/b.cpp
expect 'clean' 0 'clang-tidy: 2 files are clean' build

sources src/a.cpp src/bad.cpp examples/c.cpp benchmarks/d.cpp
expect 'a finding' 1 'src/bad.cpp:1:1: error: bad [a-check]
== src/bad.cpp
clang-tidy: 1 of 4 files are not clean' build

expect 'files by name' 0 'clang-tidy: 1 files are clean' build src/a.cpp

sources
expect 'no sources' 2 'clang-tidy: build/compile_commands.json names no source of this tree' build

expect 'not configured' 2 \
  'clang-tidy: other has no compile_commands.json: configure it first' other

expect 'no folder' 2 'clang-tidy: usage: bash .ci/clang-tidy.sh BUILD_FOLDER [FILE...]'

[ $failures -eq 0 ] && echo 'clang-tidy.sh does what it says'
exit $((failures > 0))
