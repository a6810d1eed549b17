#!/usr/bin/env bash
# Sees to it that the packages which a build needs are there.
#
#   bash .ci/install-packages.sh [build] [format] [fuzz] [interop] [jvm] [peers]
#
# Run it, do not source it. On Debian and Ubuntu it installs what is missing, and only that; with
# nothing missing it is quick and needs neither root nor a network. Elsewhere, or without the rights,
# it says what is missing and how to get it. Ends with 0 if everything is there, 2 if not, 1 for a
# wrong argument.
set -euo pipefail

build_packages=(g++ cmake ninja-build pkg-config ccache libboost-dev libboost-filesystem-dev
  libfmt-dev catch2 libcli11-dev libbenchmark-dev nlohmann-json3-dev zlib1g-dev liblz4-dev
  libzstd-dev libsnappy-dev libssl-dev)
format_packages=(clang-format-14 clang-tidy-14)
fuzz_packages=(clang-14 libclang-rt-14-dev)
interop_packages=(kcat openssl python3-kafka python3-confluent-kafka python3-snappy python3-lz4
  python3-zstandard golang-go golang-github-shopify-sarama-dev)
# What fetches Kafka's own clients, and those of JavaScript, and runs them.
jvm_packages=(default-jdk-headless maven nodejs npm)
# With jvm: what benchmarks/kafka compares millrace with Kafka by.
peers_packages=(librdkafka-dev python3-confluent-kafka)

# Whoever installed these, their command will do.
declare -A any_command_of=([default-jdk-headless]=javac [maven]=mvn [nodejs]=node [npm]=npm)

# Without dpkg, a package counts as there if its command runs or its header is found.
declare -A command_of=([g++]=c++ [cmake]=cmake [ninja-build]=ninja [pkg-config]=pkg-config
  [ccache]=ccache [clang-format-14]=clang-format-14 [clang-tidy-14]=clang-tidy-14
  [clang-14]=clang++-14 [libclang-rt-14-dev]=clang++-14 [kcat]=kcat [openssl]=openssl
  [golang-go]=go)
declare -A header_of=([libboost-dev]=boost/version.hpp [libboost-filesystem-dev]=boost/filesystem.hpp
  [libfmt-dev]=fmt/format.h [catch2]=catch2 [libcli11-dev]=CLI/CLI.hpp
  [libbenchmark-dev]=benchmark/benchmark.h [nlohmann-json3-dev]=nlohmann/json.hpp
  [zlib1g-dev]=zlib.h [liblz4-dev]=lz4frame.h [libzstd-dev]=zstd.h [libsnappy-dev]=snappy.h
  [libssl-dev]=openssl/ssl.h [librdkafka-dev]=librdkafka/rdkafka.h)

have_header() {
  local source="#include <$1>"
  [ "$1" != catch2 ] || source=$'#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif'
  printf '%s\n' "$source" | c++ -std=c++20 -E -x c++ - >/dev/null 2>&1
}

is_there() {
  if [ -n "${any_command_of[$1]:-}" ] && command -v "${any_command_of[$1]}" >/dev/null; then
    return
  elif [ "$have_apt" = yes ]; then
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
  elif [ -n "${any_command_of[$1]:-}" ]; then
    return 1
  elif [ -n "${command_of[$1]:-}" ]; then
    command -v "${command_of[$1]}" >/dev/null
  elif [[ $1 == python3-* ]]; then
    local module=${1#python3-}
    python3 -c "import ${module//-/_}" 2>/dev/null
  elif [[ $1 == golang-*-dev ]]; then
    return 1
  else
    have_header "${header_of[$1]}"
  fi
}

give_up() {
  {
    echo "millrace: $1. Missing, by their names in Debian and Ubuntu:"
    echo "  ${missing[*]}"
    echo "On Debian 12, Ubuntu 24.04 or later, as root: apt-get install ${missing[*]}"
    echo "Elsewhere install what goes by similar names (g++ >= 12, CMake >= 3.25, Boost >= 1.74,"
    echo "fmt >= 9) and run this again."
  } >&2
  exit 2
}

[ $# -gt 0 ] || set -- build
wanted=()
for group in "$@"; do
  case $group in
    build) wanted+=("${build_packages[@]}") ;;
    format) wanted+=("${format_packages[@]}") ;;
    fuzz) wanted+=("${fuzz_packages[@]}") ;;
    interop) wanted+=("${interop_packages[@]}") ;;
    jvm) wanted+=("${jvm_packages[@]}") ;;
    peers) wanted+=("${peers_packages[@]}") ;;
    *)
      echo "millrace: no package group '$group'; there are build, format, fuzz, interop, jvm" \
        "and peers" >&2
      exit 1
      ;;
  esac
done

have_apt=no
if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then have_apt=yes; fi
missing=()
for package in "${wanted[@]}"; do
  is_there "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
[ "$have_apt" = yes ] || give_up "this system has no apt-get to install packages with"

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || give_up "packages can be installed by root or with sudo only"
  as_root=(sudo)
  if [ ! -t 0 ]; then
    as_root=(sudo -n)
    sudo -n true 2>/dev/null || give_up "sudo wants a password, and there is no terminal to ask on"
  fi
fi
echo "millrace: installing ${missing[*]}" >&2
"${as_root[@]}" apt-get update -q >&2 ||
  echo "millrace: apt-get update failed; trying with the package lists that are there" >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends "${missing[@]}" >&2 ||
  give_up "apt-get could not install what is missing"
