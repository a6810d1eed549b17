#!/usr/bin/env bash
# Compares millrace with Apache Kafka; README.md has what is measured.
#
#   bash benchmarks/kafka/run.sh [--rounds N] [--scale X] [--only throughput|latency]
#
# KAFKA_VERSION (3.9.1) and PRESET (release) are taken from the environment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=${KAFKA_VERSION:-3.9.1}
preset=${PRESET:-release}
bash .ci/install-packages.sh build jvm peers
cmake --preset "$preset" >&2
cmake --build --preset "$preset" --target millrace_program >&2
jars=$PWD/build/clients/kafka-$version
if [ ! -e "$jars/complete" ]; then
  mvn -B -q -f tests/interop/java/pom.xml -Dkafka.version="$version" -DoutputDirectory="$jars" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies >&2
  touch "$jars/complete"
fi
mkdir -p build/kafka-benchmark
read -r -a flags < <(pkg-config --cflags --libs rdkafka)
c++ -std=c++20 -O2 benchmarks/kafka/client.cpp -o build/kafka-benchmark/client "${flags[@]}" -pthread
exec /usr/bin/python3 benchmarks/kafka/run.py --millrace "$PWD/build/$preset/src/millrace" \
  --client "$PWD/build/kafka-benchmark/client" --jars "$jars" "$@"
