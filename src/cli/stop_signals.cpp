#include "stop_signals.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace millrace::inline v0::cli {
namespace {

std::atomic<bool> stopped{false};
std::atomic<int> stop_descriptor{-1};

extern "C" void millrace_on_stop_signal(int) {
  const int saved_errno = errno;
  stopped.store(true);
  const std::uint64_t one = 1;
  static_cast<void>(!::write(stop_descriptor.load(), &one, sizeof one));
  errno = saved_errno;
}

bool output_is_pipe() {
  struct stat status {};
  return ::fstat(STDOUT_FILENO, &status) == 0 &&
         (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

}  // namespace

StopSignals::StopSignals() : descriptor_(::eventfd(0, EFD_CLOEXEC)) {
  stop_descriptor.store(descriptor_);
  struct sigaction action {};
  action.sa_handler = millrace_on_stop_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

StopSignals::~StopSignals() {
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  ::close(descriptor_);
}

bool StopSignals::is_stopped() noexcept {
  return stopped.load();
}

StopWatcher::StopWatcher(const StopSignals& stop, std::function<void()> wake)
    : end_(::eventfd(0, EFD_CLOEXEC)) {
  thread_ = std::thread([this, signal = stop.descriptor(), wake = std::move(wake)] {
    // Asked for no events, poll(2) still reports a pipe without a reader.
    pollfd watched[] = {
        {end_, POLLIN, 0}, {signal, POLLIN, 0}, {output_is_pipe() ? STDOUT_FILENO : -1, 0, 0}};
    while (::poll(watched, std::size(watched), -1) < 0 && errno == EINTR) {
    }
    if (watched[0].revents != 0) return;
    stopped.store(true);
    wake();
  });
}

StopWatcher::~StopWatcher() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(end_, &one, sizeof one));
  thread_.join();
  ::close(end_);
}

}  // namespace millrace::inline v0::cli
