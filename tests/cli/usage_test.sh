#!/usr/bin/env bash
# Help, wrong command lines (exit code 2), and directories that are not for us (exit code 1).
source "$(dirname "$0")/library.sh" "$1"

run --version
expect_done
expect_equal "$(grep -cE '^millrace [0-9]+\.[0-9]+\.[0-9]+$' "$work/out")" 1
run --help
expect_done
cp "$work/out" "$work/help"

# Whatever a subcommand can do, the first page of help tells.
for command in "topic create" "topic list" "topic describe" "topic alter" "topic delete" \
  produce consume "log verify" "log dump" "log repair" bench; do
  run $command --help
  expect_done
  expect_out_has "Usage: millrace $command"
  expect_equal "$(grep -cF -- "$command" "$work/help" | sed 's/^[1-9].*/some/')" some
  grep -oE -- '--[a-z-]+' "$work/out" | sort -u >"$work/options"
  while read -r option; do
    grep -qF -- "$option" "$work/help" || fail "millrace --help is silent about $command $option"
    checks=$((checks + 1))
  done <"$work/options"
done

wrong() {
  local text=$1
  shift
  run "$@"
  expect_failure 2 "$text"
  expect_err_has "--help"
}
wrong "what to do is missing"
wrong "nonsense" nonsense
wrong "what to do is missing" topic
wrong "--nonsense" topic list --nonsense
wrong "NAME" topic create
wrong "--partitions" topic create t --partitions many
wrong "not of the form name=value" topic create t --config retention.ms
wrong "not of the form name=value" topic create t --config =5
wrong "--config,--partitions" topic alter t
wrong "TOPIC" produce
wrong "a separator cannot be empty" produce t --key-separator ''
wrong '\q is not an escape' produce t --key-separator '\q'
wrong "two hexadecimal digits" produce t --key-separator '\xg0'
wrong "a backslash at the end" produce t --record-separator 'x\'
wrong "not of the form name=value" produce t --headers a=1,b
wrong 'there is no producer setting "linger"; there are batch.size' produce t --config linger=5
wrong "linger.ms takes a whole number" produce t --config linger.ms=soon
wrong "none, gzip" produce t --config compression.type=rar
wrong "millrace.flush.policy" produce t --config acks=all
wrong "--partition" produce t --partition first
wrong "TOPIC" consume
wrong "--offset" consume t --offset last
wrong "is not a time" consume t --from-time yesterday
wrong "is not a time" consume t --from-time 2026-02-30
wrong "is not a time" consume t --from-time 2026-02-03T25:00:00Z
wrong "is not a time" consume t --from-time -5x
wrong "%q is not a token" consume t --format '%q'
wrong "% is not a token" consume t --format '100 %'
wrong '\q is not an escape' consume t --format '\q'
wrong "at most 1" consume t --from-beginning --end
wrong "excludes" consume t --exit-at-end --follow
wrong "excludes" consume t --json --format %s
wrong "--max-records" consume t --max-records few
wrong "--max-records" consume t --max-records -1
wrong "would be gone with this command" --data :memory: topic create t

saved=$MILLRACE_DATA
unset MILLRACE_DATA
wrong "no data directory: give --data DIR" topic list
wrong "MILLRACE_DATA" consume t
run --data "$saved" topic create by-option
expect_done
run topic list --data "$saved" --json
expect_out '[{"name":"by-option","partitions":1,"settings":{}}]'
export MILLRACE_DATA=$saved

# Somebody else's directory, and one of a later format: untouched.
mkdir "$work/foreign" && echo precious >"$work/foreign/file"
for command in "topic create t" "topic list" "produce t" "consume t"; do
  run --data "$work/foreign" $command </dev/null
  expect_failure 1 "$work/foreign is not a millrace data directory"
done
expect_equal "$(ls -A "$work/foreign")" file
run --data "$work/newer" topic create t
sed -i 's/^millrace.format=.*/millrace.format=999/' "$work/newer/meta.properties"
for command in "topic create u" "topic list" "produce t" "consume t"; do
  run --data "$work/newer" $command </dev/null
  expect_failure 1 "was written in format 999"
done
run --data "$work/foreign/file" topic list
expect_failure 1 "$work/foreign/file"

# A directory with an owner: refused with the owner's name, but for readers.
feed=yes start produce by-option --report
echo first >&8
next_line 7
expect_equal "$line" "0 0"
for command in "topic create t" "topic alter by-option --partitions 2" "topic delete by-option" \
  "produce by-option"; do
  run $command </dev/null
  expect_failure 1 "process $pid"
done
run topic list --json
expect_out '[{"name":"by-option","partitions":1,"settings":{}}]'
run topic describe by-option
expect_done
run consume by-option --exit-at-end
expect_out first
exec 8>&-
await "$pid"
expect_status 0

finish
