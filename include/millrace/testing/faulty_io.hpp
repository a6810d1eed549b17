#pragma once
#include <cerrno>
#include <cstdint>
#include <map>
#include <millrace/os/io_hooks.hpp>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace millrace::inline v0::testing {

/// Which system calls are to fail, and how.
struct Fault {
  std::uint64_t nth = 1;              ///< the n-th call that matches, from 1, counted from fail()
  int os_code = EIO;                  ///< what it fails with
  std::vector<os::IoOp> ops = {};     ///< only calls of these kinds; empty: of any kind
  std::string path_suffix = {};       ///< only on paths that end so
  bool for_ever = false;              ///< every later match fails too
  std::size_t short_write_bytes = 0;  ///< a failing write leaves so many bytes in the file
};

/// A call that was made to fail.
struct FailedCall {
  std::uint64_t number = 0;  ///< which of all calls it was, from 1
  os::IoOp op{};
  std::string path;
  std::uint64_t position = 0;
  std::uint64_t length = 0;
  int os_code = 0;
};

/// For messages: "call 17, write of 4096 bytes at 0 of orders-0/x.log: errno 28".
std::string describe(const FailedCall& call);

/// Counts the store's system calls and makes chosen ones fail. A campaign runs the same work again
/// and again with the 1st, 2nd, ... call failing, until a run ends with failures() empty.
/// Thread-safe.
class FaultyIo final : public os::IoHooks {
 public:
  /// Calls that do not fail, and the outcome of all, go on to `next` (may be null; must outlive
  /// this), e.g. a SimulatedDisk.
  explicit FaultyIo(os::IoHooks* next = nullptr) noexcept : next_(next) {}

  /// Adds a fault. Of several that match one call the first added decides.
  void fail(Fault fault);
  /// Forgets all faults; what was counted and reported stays.
  void heal();

  /// Calls so far, failed ones included.
  std::uint64_t calls() const;
  std::uint64_t calls(os::IoOp op) const;
  /// What was made to fail, in order.
  std::vector<FailedCall> failures() const;

  int before(const os::IoCall& call) noexcept override;
  std::size_t short_write(const os::IoCall& call) noexcept override;
  void after(const os::IoCall& call) noexcept override;
  void failed(const os::IoCall& call, int os_code) noexcept override;

 private:
  struct Armed {
    Fault fault;
    std::uint64_t seen = 0;
  };
  const Fault* due(const os::IoCall& call);

  os::IoHooks* next_;
  mutable std::mutex mutex_;
  std::vector<Armed> faults_;
  std::map<os::IoOp, std::uint64_t> counts_;
  std::uint64_t calls_ = 0;
  std::vector<FailedCall> failures_;
  std::map<std::thread::id, std::size_t> short_writes_;
};

}  // namespace millrace::inline v0::testing
