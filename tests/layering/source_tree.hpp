#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace millrace_test::layering {

/// What the rules look at: the names at the top of the tree, and the C++ files by their path from
/// there (with slashes).
struct SourceTree {
  std::vector<std::string> top_level;
  std::map<std::string, std::string> files;
};

/// Reads the C++ files below include, src, examples, tests and benchmarks. The names at the top are
/// those that git tracks, or all that are there if the tree is not a git repository.
SourceTree read_source_tree(const std::filesystem::path& root);

}  // namespace millrace_test::layering
