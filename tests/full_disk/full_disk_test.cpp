#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <millrace/millrace.hpp>
#include <string>

#include "catch.hpp"
#include "child_process.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace millrace::test;
using namespace std::chrono_literals;

// A disk of a few MiB, seen by one child process only, that is filled to the last byte.

namespace {

constexpr int cannot_mount = 77;

using Strings = Topic<std::string, std::string>;

std::string value_of(std::int64_t number) {
  std::string value = "value-" + std::to_string(number) + "-";
  value.resize(3000, 'x');
  return value;
}

/// Runs `work` in a child with a tmpfs of `size` at `path`; its exit status, -1 if a signal ended
/// it.
int on_small_disk(const std::string& path, const char* size,
                  const std::function<std::string()>& work) {
  ChildProcess child([&] {
    const bool mounted = ::unshare(CLONE_NEWNS) == 0 &&
                         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         ::mount("millrace", path.c_str(), "tmpfs", 0, size) == 0;
    if (!mounted) return cannot_mount;
    const std::string wrong = work();
    if (!wrong.empty()) std::fprintf(stderr, "%s\n", wrong.c_str());
    return wrong.empty() ? 0 : 1;
  });
  return child.wait();
}

/// Takes every byte that is left.
void fill_up(const std::string& file) {
  const int fd = ::open(file.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
  const std::string block(4096, 'b');
  for (std::size_t piece = block.size(); piece > 0;) {
    if (::write(fd, block.data(), piece) <= 0) piece /= 2;
  }
  ::close(fd);
}

/// Appends until the disk is full; counts on in `next`.
std::string append_until_full(const Partition<std::string, std::string>& partition,
                              std::int64_t& next) {
  constexpr std::int64_t most = 20'000;
  for (; next < most; ++next) {
    const auto receipt = partition.append("k", value_of(next));
    if (receipt) continue;
    if (receipt.error().code() == Errc::no_space) return {};
    return "appending: " + receipt.error().message();
  }
  return "the disk did not get full";
}

std::string check_all(const Strings& topic, std::int64_t count) {
  Consumer consumer{topic};
  for (std::int64_t next = 0; next < count;) {
    auto records = consumer.poll(0ms);
    if (!records) return "polling: " + records.error().message();
    if (records->empty()) return "offset " + std::to_string(next) + " is missing";
    for (const auto& record : *records) {
      if (record.offset() != Offset{next} || record.value() != value_of(next)) {
        return "another record at offset " + std::to_string(next);
      }
      ++next;
    }
  }
  return {};
}

std::string fill_and_free(const std::string& path, flush::Any policy) {
  // Two files that are removed when the disk is full: one while it is open, one after reopening.
  fill_up(path + "/later");
  if (::truncate((path + "/later").c_str(), 1 << 20) != 0) return "cannot cut a spare file";
  fill_up(path + "/spare");
  if (::truncate((path + "/spare").c_str(), 1 << 20) != 0) return "cannot cut the spare file";
  std::int64_t next = 0;
  {
    const auto broker = Broker::open(path + "/data").value();
    const auto topic = broker.topic<std::string, std::string>("t", {.flush = policy}).value();
    const auto partition = topic.partition(0).value();
    if (auto wrong = append_until_full(partition, next); !wrong.empty()) return wrong;
    if (next == 0) return "nothing fits at all";
    if (auto wrong = check_all(topic, next); !wrong.empty()) return "when full: " + wrong;
    if (::unlink((path + "/spare").c_str()) != 0) return "cannot remove the spare file";
    if (!partition.append("k", value_of(next))) return "does not go on when there is space";
    ++next;
    if (auto wrong = append_until_full(partition, next); !wrong.empty()) return wrong;
    fill_up(path + "/rest");
    if (auto wrong = check_all(topic, next); !wrong.empty()) return "full again: " + wrong;
    // Stopped here, as a killed process would be: what is not closed is found at the next opening.
    static_cast<void>(broker.close());
  }
  fill_up(path + "/rest");
  const auto broker = Broker::open(path + "/data");
  if (!broker) return "opening a full disk: " + broker.error().message();
  const auto topic = broker->topic<std::string, std::string>("t").value();
  if (auto wrong = check_all(topic, next); !wrong.empty()) return "reopened: " + wrong;
  const auto refused = topic.partition(0)->append("k", value_of(next));
  if (!refused && refused.error().code() != Errc::no_space) {
    return "reopened, appending: " + refused.error().message();
  }
  if (refused) ++next;
  if (::unlink((path + "/later").c_str()) != 0) return "cannot remove the other spare file";
  const auto freed = topic.partition(0)->append("k", value_of(next));
  if (!freed) return "does not go on after reopening: " + freed.error().message();
  return check_all(topic, next + 1);
}

void try_policy(flush::Any policy) {
  for (const char* const size : {"size=8m", "size=24m"}) {
    const TempDirectory temp;
    INFO(size);
    const int status =
        on_small_disk(temp.path(), size, [&] { return fill_and_free(temp.path(), policy); });
    if (status == cannot_mount) {
      WARN("skipped: a file system of its own cannot be mounted here, run it as root");
      return;
    }
    CHECK(status == 0);
  }
}

}  // namespace

TEST_CASE("a full disk loses nothing that was flushed, and appends go on when it is freed") {
  try_policy(flush::before_ack{});
}

TEST_CASE("a full disk loses nothing that was written, and does not end the process") {
  try_policy(flush::by_os{});
}
