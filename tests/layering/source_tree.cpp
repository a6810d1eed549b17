#include "source_tree.hpp"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>

namespace millrace_test::layering {
namespace {

namespace fs = std::filesystem;

bool is_cpp(const fs::path& path) {
  static const std::set<std::string> extensions = {".hpp", ".cpp", ".h", ".cc", ".ipp", ".inc"};
  return extensions.count(path.extension().string()) != 0;
}

std::string read_text(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::set<std::string> tracked_names(const fs::path& root) {
  std::set<std::string> names;
  if (!fs::exists(root / ".git") || chdir(root.c_str()) != 0) return names;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen("git ls-files -z 2>/dev/null", "r"),
                                                   &pclose);
  std::string path;
  for (int c; pipe != nullptr && (c = std::fgetc(pipe.get())) != EOF;) {
    if (c != 0) {
      path.push_back(static_cast<char>(c));
      continue;
    }
    names.insert(path.substr(0, path.find('/')));
    path.clear();
  }
  return names;
}

std::set<std::string> present_names(const fs::path& root) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(root)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

}  // namespace

SourceTree read_source_tree(const fs::path& relative_root) {
  const fs::path root = fs::absolute(relative_root);
  SourceTree tree;
  std::set<std::string> names = tracked_names(root);
  if (names.empty()) names = present_names(root);
  tree.top_level.assign(names.begin(), names.end());
  for (const char* folder : {"include", "src", "examples", "tests", "benchmarks"}) {
    if (!fs::is_directory(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!entry.is_regular_file() || !is_cpp(entry.path())) continue;
      const std::string path = entry.path().lexically_relative(root).generic_string();
      tree.files.emplace(path, read_text(entry.path()));
    }
  }
  return tree;
}

}  // namespace millrace_test::layering
