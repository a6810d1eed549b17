#!/usr/bin/env bash
# Sets up, builds, and runs the main job on real input; see quickstart.cpp beside this.
#
#   bash examples/quickstart.sh          the machine's package database, a record a package
#   bash examples/quickstart.sh FILE     any file, a record a line
set -euo pipefail

if [ $# -gt 1 ] || [[ ${1:-} == -* ]]; then
  sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  [[ ${1:-} == --help ]] || exit 2
  exit 0
fi
input=()
if [ $# -eq 1 ]; then
  [ -r "$1" ] && [ ! -d "$1" ] || { echo "millrace: cannot read the file $1" >&2; exit 1; }
  input=("$(realpath "$1")")
elif [ ! -r /var/lib/dpkg/status ]; then
  echo "millrace: this machine has no package database at /var/lib/dpkg/status; give a FILE" >&2
  exit 1
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

bash .ci/install-packages.sh build
mkdir -p build
log=build/quickstart.log
echo "building, some minutes the first time (details in $log)"
{
  cmake --preset release &&
    cmake --build --preset release --target example_quickstart millrace_program -j "$(nproc)"
} >"$log" 2>&1 || {
  tail -n 40 "$log" >&2
  echo "millrace: the build failed; all of it is in $log" >&2
  exit 1
}

# On the disk that the sources are on: /tmp may be memory, where a flush costs nothing.
data=build/quickstart-data
rm -rf "$data"
build/release/examples/quickstart "$data" ${input[@]+"${input[@]}"}

millrace=build/release/src/millrace
export MILLRACE_DATA=$data
echo
echo "The same with the program:"
for command in "topic describe records" "consume records --max-records 3 --exit-at-end --format '%p:%o %k %h, %S bytes\\n'"; do
  echo
  echo "$ millrace --data $data $command"
  eval "$millrace $command" | sed -n '1,7p'
done
