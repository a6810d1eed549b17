#include <cstdio>
#include <exception>

#include "rules.hpp"

namespace layering = millrace_test::layering;

/// layering_check ROOT: prints what breaks a rule. Ends with 0 for nothing, 1 for something, 2 if
/// ROOT does not hold the sources.
int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: layering_check ROOT\n");
    return 2;
  }
  const layering::SourceTree tree = layering::read_source_tree(argv[1]);
  if (tree.files.lower_bound("include/") == tree.files.lower_bound("include0")) {
    std::fprintf(stderr, "layering_check: no headers below %s/include\n", argv[1]);
    return 2;
  }
  const auto findings = layering::check(tree);
  for (const auto& finding : findings) std::printf("%s\n", layering::to_text(finding).c_str());
  std::printf("%zu files, %zu findings\n", tree.files.size(), findings.size());
  return findings.empty() ? 0 : 1;
} catch (const std::exception& failure) {
  std::fprintf(stderr, "layering_check: %s\n", failure.what());
  return 2;
}
