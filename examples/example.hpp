#pragma once
#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace example {

/// Every example checks what it shows: if `holds` is false the program says so and ends with 1.
inline void check(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "this is not so: %s\n", what.c_str());
  std::exit(1);
}

/// A fresh directory for the example's data, gone when the example is done: below the one given on
/// the command line, else below the machine's directory for temporary files.
class DataDirectory {
 public:
  DataDirectory(int argc, char** argv)
      : path_(
            ((argc > 1 ? std::filesystem::path(argv[1]) : std::filesystem::temp_directory_path()) /
             "millrace-example-XXXXXX")
                .string()) {
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
    check(::mkdtemp(path_.data()) != nullptr, "a directory can be made as " + path_);
  }
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;
  ~DataDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace example
