#pragma once
#include <cstdio>
#include <string>
#include <vector>

namespace millrace::inline v0::cli::bench {

/// This program once more, as `millrace bench child ...`, with a pipe to its standard input, which
/// ends when this process does, and one from its output. Killed, by its id, if it still runs when
/// this goes.
class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  /// Its next line, without the end; fails when it ended instead.
  std::string read_line();
  /// Ends it as a crash would.
  void kill();
  /// Waits for its end; fails unless it went well.
  void wait();

 private:
  int reap();
  int pid_ = -1;
  std::FILE* from_ = nullptr;
  int to_ = -1;
};

/// What a child does; `arguments` are those it was started with. Returns its exit status.
int run_child(const std::vector<std::string>& arguments);

}  // namespace millrace::inline v0::cli::bench
