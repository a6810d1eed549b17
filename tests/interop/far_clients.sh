# Sourced after library.sh by tests of clients that come from the registries of their languages, with
# the folder where they are kept as the fourth argument.
kept=$4
kafka_versions=(3.9.1 4.1.0)

# fetch FOLDER COMMAND...: runs the command, which fills it, unless that was done before.
fetch() {
  local folder=$1
  shift
  mkdir -p "$kept"
  (
    flock 9
    [ ! -e "$folder/complete" ] || exit 0
    rm -rf "$folder"
    mkdir "$folder"
    timeout 900 "$@" >"$work/fetch.out" 2>&1 </dev/null ||
      fail "fetching $folder: $(tail -n 20 "$work/fetch.out")"
    touch "$folder/complete"
  ) 9>"$kept/lock"
}

# fetch_kafka VERSION: sets `jars`, where Kafka's own clients and tools are.
fetch_kafka() {
  need java javac mvn flock
  jars=$kept/kafka-$1
  fetch "$jars" mvn -B -q -f "$here/java/pom.xml" -Dkafka.version="$1" -DoutputDirectory="$jars" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies
}

# compile_java: sets `java`, which runs a class of the folder java.
compile_java() {
  mkdir -p "$work/classes"
  javac -nowarn -cp "$jars/*" -d "$work/classes" "$here"/java/*.java 2>"$work/javac.err" ||
    fail "javac: $(cat "$work/javac.err")"
  java=(java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$work/classes:$jars/*")
}

# start_tools: a Java machine that runs Kafka's tools, for tool() and tool_fails().
start_tools() {
  compile_java
  coproc TOOLS { exec "${java[@]}" Tools 2>"$work/tools.err"; }
  tools=$TOOLS_PID tools_in=${TOOLS[1]} tools_out=${TOOLS[0]}
  started+=("$tools")
}

stop_tools() {
  exec {tools_in}>&-
  timeout 60 tail -s 0.1 --pid="$tools" -f /dev/null || fail "the tools do not end"
  wait "$tools" || fail "the tools ended with $?: $(cat "$work/tools.err")"
}

# call_tool INPUT CLASS ARGUMENT...: sets `status`; what it wrote is in $work/tool.out.
call_tool() {
  local line
  kill -0 "$tools" || fail "the tools have ended: $(cat "$work/tools.err")"
  printf -v line '\t%s' "$@"
  printf '%s%s\n' "$work/tool.out" "$line" >&"$tools_in"
  read -r -t 120 status <&"$tools_out" ||
    fail "no end of $*: $(cat "$work/tool.out" "$work/tools.err")"
}

# tool CLASS ARGUMENT...
tool() { tool_reading - "$@"; }
tool_reading() {
  call_tool "$@"
  [ "$status" = 0 ] || fail "$* ended with $status: $(cat "$work/tool.out")"
}
tool_fails() {
  call_tool - "$@"
  [ "$status" != 0 ] || fail "$* did not fail: $(cat "$work/tool.out")"
}

# says TEXT...: the last tool wrote a line with each of them, blanks being one and the same.
said() { tr -s ' \t' ' ' <"$work/tool.out"; }
says() {
  local text
  for text in "$@"; do
    grep -qF -- "$text" < <(said) || fail "there is no '$text' in: $(cat "$work/tool.out")"
  done
}
says_not() {
  ! grep -qF -- "$1" < <(said) || fail "there is '$1' in: $(cat "$work/tool.out")"
}

# fetch_kafkajs: makes it known to node.
fetch_kafkajs() {
  need node npm flock
  fetch "$kept/kafkajs" npm install --prefix "$kept/kafkajs" --no-audit --no-fund kafkajs@2.2.4
  export NODE_PATH=$kept/kafkajs/node_modules KAFKAJS_NO_PARTITIONER_WARNING=1
}
