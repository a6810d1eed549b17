#include "bench_child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bench_support.hpp"

namespace millrace::inline v0::cli::bench {

Child::Child(const std::vector<std::string>& arguments) {
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) fail("cannot make a pipe");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<std::string> words = {"millrace", "bench", "child"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int code = ::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  from_ = ::fdopen(out[0], "r");
  to_ = in[1];
  if (code != 0) {
    pid_ = -1;
    fail(std::string("cannot start a second process: ") + std::strerror(code));
  }
}

Child::~Child() {
  if (pid_ > 0) kill();
  ::close(to_);
  std::fclose(from_);
}

std::string Child::read_line() {
  char line[256];
  if (std::fgets(line, sizeof line, from_) == nullptr) fail("a child process ended too early");
  line[std::strcspn(line, "\n")] = '\0';
  return line;
}

int Child::reap() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

void Child::kill() {
  ::kill(pid_, SIGKILL);
  reap();
}

void Child::wait() {
  const int status = reap();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail("a child process failed");
}

}  // namespace millrace::inline v0::cli::bench
