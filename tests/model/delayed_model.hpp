#pragma once
#include <functional>
#include <map>
#include <memory>
#include <millrace/millrace.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <millrace/testing/simulated_disk.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "temp_directory.hpp"

namespace millrace::test {

/// Keeps what a crash at one of the coming system calls would find.
class MomentHooks final : public os::IoHooks {
 public:
  explicit MomentHooks(const std::string& root) : disk_(root) {}
  /// At the n-th call from now, from 1.
  void arm(std::uint64_t nth) { left_ = nth; }
  void disarm() { left_ = 0; }
  std::optional<testing::DiskImage> take() { return std::exchange(moment_, std::nullopt); }
  testing::DiskImage now() { return disk_.snapshot().value(); }

  int before(const os::IoCall& call) noexcept override;
  void after(const os::IoCall& call) noexcept override { disk_.after(call); }
  void failed(const os::IoCall& call, int os_code) noexcept override {
    disk_.failed(call, os_code);
  }

 private:
  testing::SimulatedDisk disk_;
  std::uint64_t left_ = 0;
  std::optional<testing::DiskImage> moment_;
};

/// Random senders of delayed records, plain and in transactions, on a clock that stands still and a
/// disk that fills up; the process is killed, or the machine loses its power, at any system call.
/// What may be seen is known from what was answered, and from nothing in the broker.
class DelayedModel {
 public:
  /// `flushes`: before acknowledging; else a loss of power may take any end of the log.
  DelayedModel(std::uint64_t seed, bool flushes);
  ~DelayedModel();

  /// Some steps, then an end of all transactions and times; what went wrong, "" if nothing did.
  std::string run(int steps);
  /// Makes the model expect a record that was never sent, or one that was not to be seen.
  void lie_of_lost() { sent_["lost"].fate = Fate::certain; }
  void lie_of_aborted();

 private:
  enum class Fate { certain, unknown, never };
  struct Sent {
    std::optional<Timestamp> deliver_at;
    Fate fate = Fate::unknown;
    bool is_transactional = false;
    bool is_held_up = false;  ///< by an open transaction, its own or another
  };
  struct Seen {
    std::string value;
    Offset offset;
    Timestamp timestamp;
    std::optional<Offset> original;
  };
  struct Machine;
  struct Disk;

  int draw(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  void open();
  void step();
  void send();
  void use_transaction();
  void end_transaction(bool commits);
  void advance();
  void reopen();
  void crash(const testing::DiskImage& image);
  void forget_what_was_lost();
  void run_all();
  std::vector<Seen> read() const;
  void check_seen(bool is_end);
  void check_order(const std::vector<Seen>& seen);
  std::string next_value() { return "r" + std::to_string(++last_value_); }
  std::vector<std::string> send_some(
      const std::function<PendingReceipt(const OutgoingRecord&, const std::string&)>& send,
      bool is_transactional);
  void blame(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }

  std::mt19937_64 random_;
  const bool flushes_;
  testing::ManualClock clock_;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<Machine> machine_;
  std::map<std::string, Sent> sent_;
  std::vector<std::string> in_transaction_;
  int last_value_ = 0;
  std::string wrong_;
};

}  // namespace millrace::test
