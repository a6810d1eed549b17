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

build() {
  cmake --preset release &&
    cmake --build --preset release --target example_quickstart millrace_program -j "$(nproc)"
}

# Keeps what is printed in the file $1 and, on a terminal, shows how far the build is.
follow() {
  local line
  while IFS= read -r line; do
    printf '%s\n' "$line" >&3
    if [ -t 2 ] && [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]]; then
      printf '\r  step %s of %s ' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" >&2
    fi
  done 3>"$1"
  if [ -t 2 ]; then printf '\r%40s\r' '' >&2; fi
}

bash .ci/install-packages.sh build
mkdir -p build
log=build/quickstart.log
echo "building the library, the program and an example (details in $log):"
echo "the first time 5 to 10 minutes on two processors, then what has changed"
build 2>&1 | follow "$log" || {
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
