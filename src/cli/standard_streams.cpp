#include "standard_streams.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "stop_signals.hpp"

namespace millrace::inline v0::cli {

void prepare_standard_streams() noexcept {
  for (int fd = 0; fd <= 2; ++fd) {
    // Open the wrong way round, so that using it is still an error.
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
  }
  ::signal(SIGPIPE, SIG_IGN);
}

Result<bool> write_output(std::string_view text, WhenStopped when_stopped) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE || errno == EBADF) {
      return false;
    } else if (errno != EINTR) {
      return Error::from_os("writing to standard output", errno);
    } else if (when_stopped == WhenStopped::give_up && StopSignals::is_stopped()) {
      return false;
    }
  }
  return true;
}

Result<void> Output::flush() {
  if (!reader_is_gone_) {
    MILLRACE_TRY(const bool is_read, write_output(buffer_, WhenStopped::give_up));
    reader_is_gone_ = !is_read;
  }
  buffer_.clear();
  return {};
}

}  // namespace millrace::inline v0::cli
