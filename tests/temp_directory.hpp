#pragma once
#include <stdlib.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace millrace::test {

/// An empty directory under $TMPDIR (or /tmp, or the one given) that is gone with this object.
class TempDirectory {
 public:
  TempDirectory() : TempDirectory(default_parent()) {}
  explicit TempDirectory(const std::string& parent) : path_(parent + "/millrace-test-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr)
      throw std::runtime_error("cannot create a temporary directory in " + parent);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory() {
    boost::system::error_code ignored;
    boost::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const noexcept { return path_; }
  /// The path of something in it.
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  /// A memory-backed parent where there is one: for tests that sync a lot or simulate disks.
  static std::string fast_parent() {
    boost::system::error_code ignored;
    return std::getenv("TMPDIR") == nullptr && boost::filesystem::is_directory("/dev/shm", ignored)
               ? "/dev/shm"
               : default_parent();
  }

 private:
  static std::string default_parent() {
    const char* parent = std::getenv("TMPDIR");
    return parent != nullptr && *parent != '\0' ? parent : "/tmp";
  }

  std::string path_;
};

}  // namespace millrace::test
