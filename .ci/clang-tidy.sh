#!/usr/bin/env bash
# clang-tidy over the library, the program and the examples, headers included, as .clang-tidy says.
#
#   bash .ci/clang-tidy.sh BUILD_FOLDER [FILE...]      JOBS=N runs N at a time
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ $# -ge 1 ] || { echo "usage: bash .ci/clang-tidy.sh BUILD_FOLDER [FILE...]" >&2; exit 2; }
build=$1
shift
[ -f "$build/compile_commands.json" ] ||
  { echo "$build has no compile_commands.json: configure it first" >&2; exit 2; }
[ $# -gt 0 ] || mapfile -t files < <(find src examples -name '*.cpp' | sort)
[ $# -eq 0 ] || files=("$@")
printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "${JOBS:-$(nproc)}" \
    clang-tidy-14 --quiet -p "$build" --extra-arg=-Wno-unknown-warning-option
echo "clang-tidy: ${#files[@]} files are clean"
