#!/usr/bin/env bash
# Names the sources and headers that clang-format 14 would change. Ends with 0 if there are none, 1
# if there are, 2 without clang-format-14.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v clang-format-14 >/dev/null ||
  { echo "clang-format: no clang-format-14: bash .ci/install-packages.sh format" >&2; exit 2; }

mapfile -t files < <(find include src examples tests benchmarks -name '*.[ch]pp' | sort)
changed=0
for file in "${files[@]}"; do
  clang-format-14 "$file" | cmp -s - "$file" || { echo "== $file"; changed=$((changed + 1)); }
done
if [ $changed -gt 0 ]; then
  echo "clang-format: $changed of ${#files[@]} files are not formatted: clang-format-14 -i FILE"
  exit 1
fi
echo "clang-format: ${#files[@]} files are formatted"
