#!/usr/bin/env bash
# serve --config: what a file of settings may say, what is refused and how, and that the command line
# holds before it.
source "$(dirname "$0")/library.sh" "$1"
config=$work/server.properties
unset MILLRACE_DATA

settings() { printf '%s\n' "$@" >"$config"; }
refused() { run serve --config "$config"; expect_failure 1 "$1"; }

run serve
expect_failure 2 "no data directory: give --data DIR"
run serve --config "$work/missing"
expect_failure 1 "$work/missing"
run serve --config "$work"
expect_failure 1 "cannot read the settings"

settings '# nothing'
refused "no data directory: give --data DIR, or log.dirs in $config"
settings "log.dirs=$work/data" 'num.partitions=0'
refused "$config:2: num.partitions=0 is not valid: it takes a whole number from 1 to 100000"
settings "log.dirs=$work/data" 'listeners=PLAINTEXT://nowhere'
refused "$config:2: listeners=PLAINTEXT://nowhere is not valid"
settings "log.dirs=$work/data" "millrace.acl.file=$work/rules"
refused "cannot read the rules of access"
echo 'allow User:ann reed topic x' >"$work/rules"
refused "$work/rules:1: 'reed' is no operation"
settings "log.dirs=$work/data" 'listeners=SASL_PLAINTEXT://0.0.0.0:0' \
  'sasl.enabled.mechanisms=PLAIN' 'millrace.user.ann=secret'
refused "millrace.sasl.plain.unencrypted=true"
settings "log.dirs=$work/data"
run --data "$work/other" serve --config "$config"
expect_failure 1 "--data says $work/other, and log.dirs in the file $work/data"
run serve --config "$config" --listen nowhere
expect_failure 1 "--listen nowhere: give HOST:PORT"
[ ! -e "$work/other" ] || fail "a directory was made"
# Opening comes before listening.
rm -rf "$work/data"

# Nothing but a file; the line about it is the only one.
settings "log.dirs=$work/data" 'listeners=PLAINTEXT://127.0.0.1:0' 'made.up=1'
start serve --config "$config"
next_line 7
expect_equal "${line%:*}" "listening at 127.0.0.1"
kill -TERM "$pid"
await "$pid"
expect_equal "$status" 0
expect_equal "$(cat "$work/start.err")" \
  "millrace: $config:3: made.up is not known here and has no effect"
[ -d "$work/data" ] || fail "log.dirs was not gone by"
run --data "$work/data" topic list
expect_done

# The command line holds before it.
settings "log.dirs=$work/data" 'listeners=PLAINTEXT://192.0.2.1:9092'
start --data "$work/data/." serve --config "$config" --listen 127.0.0.1:0
next_line 7
expect_equal "${line%:*}" "listening at 127.0.0.1"
kill -TERM "$pid"
await "$pid"
expect_equal "$status" 0
finish
