#!/usr/bin/env bash
# install_packages_test.sh SCRIPT: what the script does on systems that are imitated by a PATH of
# their own. Stand-ins note their calls in $calls.
set -uo pipefail
script=$1
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
calls=$box/calls
failures=0
bash=$(command -v bash)

stand_in() { printf '#!%s\n%s\n' "$bash" "$2" >"$box/bin/$1"; chmod +x "$box/bin/$1"; }

# A Debian on which $absent is not installed, run by user $1.
debian() {
  rm -rf "$box/bin" "$calls"; mkdir "$box/bin"; : >"$calls"
  stand_in id "echo $1"
  stand_in env 'while [[ $1 == *=* ]]; do shift; done; "$@"'
  stand_in dpkg-query "[[ ' $absent ' == *\" \${!#} \"* ]] && exit 1; printf installed"
  stand_in apt-get "echo \"apt-get \$*\" >>'$calls'; ${2:-}"
}

# expect NAME STATUS PATTERN ARGUMENT...: runs the script and compares its end and its words.
expect() {
  local name=$1 status=$2 pattern=$3 output
  shift 3
  output=$(PATH=$box/bin "$bash" "$script" "$@" 2>&1 </dev/null)
  local got=$?
  if [ $got -ne "$status" ] || [[ "$output" != *$pattern* ]]; then
    echo "FAILED $name: status $got, not $status, or no '$pattern' in: $output"
    failures=$((failures + 1))
  fi
}

expect_calls() {
  local got
  got=$(cat "$calls")
  [ "$got" = "$2" ] && return
  echo "FAILED $1: called '$got', not '$2'"
  failures=$((failures + 1))
}

absent=''
debian 1000
expect 'nothing missing' 0 '' build format fuzz
expect_calls 'nothing missing' ''

absent='catch2 liblz4-dev'
install='install -q -y --no-install-recommends catch2 liblz4-dev'
debian 0
expect 'root' 0 'installing catch2 liblz4-dev'
expect_calls 'root' $'apt-get update -q\napt-get '"$install"

debian 0 '[ $1 != update ]'
expect 'update fails' 0 'with the package lists that are there'

debian 0 '[ $1 != install ]'
expect 'install fails' 2 'apt-get install catch2 liblz4-dev'

debian 1000
expect 'neither root nor sudo' 2 'catch2 liblz4-dev'
expect_calls 'neither root nor sudo' ''

debian 1000
stand_in sudo 'exit 1'
expect 'sudo wants a password' 2 'sudo wants a password'
expect_calls 'sudo wants a password' ''

debian 1000
stand_in sudo '[ $1 != -n ] || shift; "$@"'
stand_in true 'exit 0'
expect 'sudo' 0 'installing catch2 liblz4-dev'
expect_calls 'sudo' $'apt-get update -q\napt-get '"$install"

absent='clang-14'
debian 0
expect 'a group that was not asked for' 0 '' build
expect_calls 'a group that was not asked for' ''

debian 0
expect 'an unknown group' 1 "no package group 'docs'" docs

rm -rf "$box/bin"; mkdir "$box/bin"
stand_in c++ 'source=$(</dev/stdin); [[ $source != *zstd.h* ]]'
for tool in cmake ninja pkg-config; do stand_in $tool ''; done
expect 'no apt-get' 2 '  ccache libzstd-dev'
stand_in ccache ''
stand_in c++ 'source=$(</dev/stdin)'
expect 'no apt-get, nothing missing' 0 ''

[ $failures -eq 0 ] && echo 'install-packages.sh does what it says'
exit $((failures > 0))
