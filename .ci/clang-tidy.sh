#!/usr/bin/env bash
# clang-tidy over every source that a build folder compiles, headers included, as .clang-tidy says.
#
#   bash .ci/clang-tidy.sh BUILD_FOLDER [FILE...]      JOBS=N runs N at a time
#
# Prints what is found, and a line that says how many files were looked at. Ends with 0 if all are
# clean, 1 if not, 2 for a wrong call.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
give_up() { echo "clang-tidy: $1" >&2; exit 2; }
[ $# -ge 1 ] || give_up "usage: bash .ci/clang-tidy.sh BUILD_FOLDER [FILE...]"
export build=$1
shift
commands=$build/compile_commands.json
[ -f "$commands" ] || give_up "$build has no compile_commands.json: configure it first"
command -v clang-tidy-14 >/dev/null ||
  give_up "no clang-tidy-14: bash .ci/install-packages.sh format"

files=("$@")
if [ $# -eq 0 ]; then
  while IFS= read -r file; do
    case ${file#"$PWD/"} in
      src/* | examples/* | tests/* | benchmarks/*) files+=("${file#"$PWD/"}") ;;
    esac
  done < <(sed -n 's|^ *"file": "\(.*\)",\{0,1\}$|\1|p' "$commands" | sort -u)
  [ ${#files[@]} -gt 0 ] || give_up "$commands names no source of this tree"
fi

look_at() {
  local words
  words=$(clang-tidy-14 --quiet -p "$build" --extra-arg=-Wno-unknown-warning-option "$1" 2>&1) &&
    return
  grep -vE '^([0-9]+ warnings? (generated|treated as error)|Suppressed )' <<<"$words" || true
  echo "== $1" >&3
}
export -f look_at
unclean=$(mktemp)
trap 'rm -f "$unclean"' EXIT
printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "${JOBS:-$(nproc)}" bash -c 'look_at "$1"' look_at 3>>"$unclean"
if [ -s "$unclean" ]; then
  sort "$unclean"
  echo "clang-tidy: $(wc -l <"$unclean") of ${#files[@]} files are not clean"
  exit 1
fi
echo "clang-tidy: ${#files[@]} files are clean"
