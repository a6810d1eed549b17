#pragma once
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace millrace::test {

/// A forked process that runs `work`, whose result is its exit status. Killed if it still runs when
/// this goes. `work` must not use the test framework, and starts with the forking thread alone.
class ChildProcess {
 public:
  template <typename Work>
  explicit ChildProcess(const Work& work) : pid_(::fork()) {
    if (pid_ < 0) throw std::runtime_error("cannot fork");
    if (pid_ == 0) ::_exit(work());
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    if (pid_ > 0) kill();
  }

  pid_t pid() const noexcept { return pid_; }
  /// Ends it as a crash would, and waits until it is gone.
  void kill() {
    ::kill(pid_, SIGKILL);
    static_cast<void>(wait());
  }
  /// Waits for its end; its exit status, or -1 if a signal ended it.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_;
};

}  // namespace millrace::test
