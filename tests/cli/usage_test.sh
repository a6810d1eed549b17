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
  produce consume "group list" "group describe" "group reset" "group delete" "txn list" \
  "txn describe" "txn abort" "log verify" "log dump" "log repair" bench; do
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
# What is wrong, with which value, and what would be right.
wrong "what to do is missing; give millrace and one of topic, produce"
wrong "what to do is missing; give millrace topic and one of create, list" topic
wrong "there is no command millrace nonsense; there are topic, produce" nonsense
wrong "there is no command millrace topic creat; did you mean create?" topic creat t
wrong "there is no command millrace topic consume; there are create" topic consume t
wrong "there is no command millrace bench nonsense; there are rows" bench nonsense
wrong "millrace topic list has no option --nonsense; there are --help" topic list --nonsense
wrong "did you mean --partitions?" topic create t --partitons 3
wrong "did you mean --partitions?" topic create --partitons=3
wrong "did you mean --data?" topic list --dat x
wrong '"b" is one word too many; it is: millrace topic create NAME [options]' topic create a b
wrong '"y" is one word too many; it is: millrace log verify DIR [options]' log verify x y
wrong "NAME is missing; it is: millrace topic create NAME [options]" topic create
wrong "See millrace topic create --help." topic create
wrong "--partitions has no value; give --partitions N" topic create t --partitions
wrong "--partitions is given 2 times; give it once" topic create t --partitions 1 --partitions 2
wrong "--data has no value; give --data DIR" topic list --data
wrong "--json takes no value; give it alone" topic list --json=yes
for partitions in many 0 -1 100001 1.5 99999999999999999999 010; do
  wrong "--partitions: \"$partitions\" is not right; give a whole number from 1 to 100000" \
    topic create t "--partitions=$partitions"
  wrong "from 1 to 100000" topic alter t "--partitions=$partitions"
done
for name in . .. a/b 'a b' 'ä' "$(printf 'x%.0s' {1..250})" ''; do
  wrong "is not valid" topic create "$name"
  wrong "is not valid" topic alter "$name" --partitions 2
  wrong "is not valid" topic describe "$name"
  wrong "is not valid" topic delete good "$name"
  wrong "is not valid" produce "$name"
  wrong "is not valid" consume "$name"
done
for command in create alter; do
  wrong 'there is no topic setting "retention.millis"; did you mean retention.ms?' \
    topic $command t --config retention.millis=5
  wrong "retention.ms=soon is not valid: it takes a whole number" \
    topic $command t --config retention.ms=soon
  wrong "delete, compact, or both" topic $command t --config cleanup.policy=shred
done
wrong "retention.ms= is not valid" topic create t --config retention.ms=
wrong "not of the form name=value" topic create t --config retention.ms
wrong "not of the form name=value" topic create t --config =5
wrong "millrace topic alter needs at least one of --config, --partitions" topic alter t
wrong "TOPIC is missing; it is: millrace produce TOPIC [options]" produce
wrong "a separator cannot be empty" produce t --key-separator ''
wrong '\q is not an escape' produce t --key-separator '\q'
wrong "two hexadecimal digits" produce t --key-separator '\xg0'
wrong "a backslash at the end" produce t --record-separator 'x\'
wrong '"b" is not of the form name=value; give name=value,name=value' produce t --headers a=1,b
wrong 'header 2 of "a=1,,b=2" is empty; give name=value,name=value' produce t --headers a=1,,b=2
wrong 'header 2 of "a=1," is empty' produce t --headers a=1,
wrong 'header 1 of "" is empty' produce t --headers ''
wrong '"b" is not of the form name=value' produce t --header b
wrong 'there is no producer setting "linger"; there are batch.size' produce t --config linger=5
wrong "linger.ms takes a whole number" produce t --config linger.ms=soon
wrong "none, gzip" produce t --config compression.type=rar
wrong "millrace.flush.policy" produce t --config acks=all
for partition in first -1 2147483648; do
  for command in produce consume; do
    wrong "--partition: \"$partition\" is not right; give a whole number from 0 to" \
      $command t --partition $partition
  done
done
wrong "TOPIC is missing" consume
wrong '--offset: "last" is not right; give a whole number' consume t --offset last
wrong "is not a time" consume t --from-time yesterday
wrong "is not a time" consume t --from-time 2026-02-30
wrong "is no level of isolation; give read_committed or" consume t --isolation snapshot
wrong "is not a time" consume t --from-time 2026-02-03T25:00:00Z
wrong "is not a time" consume t --from-time -5x
wrong "%q is not a token" consume t --format '%q'
wrong "% is not a token" consume t --format '100 %'
wrong '\q is not an escape' consume t --format '\q'
wrong "--from-beginning and --end cannot be together" consume t --from-beginning --end
wrong "--exit-at-end and --follow cannot be together" consume t --exit-at-end --follow
wrong "--format and --json cannot be together" consume t --json --format %s
wrong '--max-records: "few" is not right; give a whole number of at least 0' \
  consume t --max-records few
wrong '--max-records: "-1" is not right' consume t --max-records -1
wrong '"[" is not a regular expression' bench --only '['
wrong '--rounds: "some" is not right; give a whole number from 1 to 1000' bench --rounds some
wrong "would be gone with this command" --data :memory: topic create t

# Nothing of all that made a directory.
expect_equal "$(ls "$work" | grep -c data)" 0

# What --from-time takes and where DIR may be left out, is in the help.
run consume --help
expect_out_has "milliseconds since 1970, now,"
expect_equal "$(grep -c 'milliseconds since 1970, now' "$work/help")" 1
for command in verify dump repair; do
  run log $command --help
  expect_out_has "partition; needed unless"
done

# A topic may be called as a command is.
for name in topic log create; do
  run topic create $name
  expect_out "created topic $name with 1 partition"
done
run consume log --exit-at-end
expect_done
rm -rf "$MILLRACE_DATA"

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
run --data "$work/foreign" topic list
expect_err_has "give a data directory, or an empty or new one to make it there"

# A directory with nothing in it, and none: what makes one.
mkdir "$work/empty"
for place in empty none; do
  for command in "topic list" "topic describe t" "topic alter t --partitions 2" "topic delete t" \
    "produce t" "consume t"; do
    run --data "$work/$place" $command </dev/null
    expect_failure 1 "millrace topic create NAME --data $work/$place"
    expect_err_has "$work/$place"
  done
done
run --data "$work/empty" topic list
expect_failure 1 "$work/empty is empty: there are no topics in it yet; create one first: millrace"
# Nothing of the kind is said where it would not help.
run --data "$work/foreign" topic list
expect_equal "$(grep -c 'topic create' "$work/err")" 0
run --data "$work/newer" topic create t
sed -i 's/^millrace.format=.*/millrace.format=999/' "$work/newer/meta.properties"
for command in "topic create u" "topic list" "produce t" "consume t"; do
  run --data "$work/newer" $command </dev/null
  expect_failure 1 "was written in format 999"
done
run --data "$work/foreign/file" topic list
expect_failure 1 "$work/foreign/file"
expect_err_has "check the path"
expect_equal "$(cat "$work/foreign/file")" precious

# A directory with an owner: refused with the owner's name, but for readers.
feed=yes start produce by-option --report
echo first >&8
next_line 7
expect_equal "$line" "0 0"
for command in "topic create t" "topic alter by-option --partitions 2" "topic delete by-option" \
  "produce by-option"; do
  run $command </dev/null
  expect_failure 1 "process $pid; stop that process, or open the directory for reading only"
  expect_err_has "as millrace consume (without --group), topic list and describe"
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
