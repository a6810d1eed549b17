#include "standard_streams.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <iterator>

namespace millrace::inline v0::cli {

void prepare_standard_streams() noexcept {
  for (int fd = 0; fd <= 2; ++fd) {
    // Open the wrong way round, so that using it is still an error.
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
  }
  ::signal(SIGPIPE, SIG_IGN);
}

Result<bool> write_output(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE || errno == EBADF) {
      return false;
    } else if (errno != EINTR) {
      return Error::from_os("writing to standard output", errno);
    }
  }
  return true;
}

Output::Output(int stop_descriptor) : stop_descriptor_(stop_descriptor) {
  struct stat status {};
  const bool is_file = ::fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode);
  may_block_ = stop_descriptor >= 0 && !is_file;
}

Result<void> Output::flush() {
  for (std::string_view rest = buffer_; !rest.empty() && !reader_is_gone_;) {
    MILLRACE_TRY(const bool is_ready, wait_for_reader());
    // A pipe that is ready takes so much without making us wait where no stop is heard.
    const std::string_view piece = rest.substr(0, may_block_ ? PIPE_BUF : rest.size());
    MILLRACE_TRY(const bool is_read, is_ready ? write_output(piece) : Result<bool>(false));
    reader_is_gone_ = !is_read;
    rest.remove_prefix(piece.size());
  }
  buffer_.clear();
  return {};
}

Result<bool> Output::wait_for_reader() const {
  for (;;) {
    pollfd watched[] = {{STDOUT_FILENO, POLLOUT, 0}, {stop_descriptor_, POLLIN, 0}};
    if (::poll(watched, std::size(watched), -1) >= 0) {
      return watched[0].revents != 0 || watched[1].revents == 0;
    }
    if (errno != EINTR) return Error::from_os("waiting for the reader of standard output", errno);
  }
}

}  // namespace millrace::inline v0::cli
