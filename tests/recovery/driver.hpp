#pragma once
#include <memory>
#include <millrace/storage/log.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "ledger.hpp"

namespace millrace::test {

/// What one random run does; follows from its seed.
struct Recipe {
  std::uint64_t seed = 0;
  storage::LogOptions options;
  bool has_producers = false;  // some batches have producer ids
  std::string name;            // for messages

  static Recipe from_seed(std::uint64_t seed);
};

/// Works on a log at random and keeps the books. Every call's outcome goes to the ledger, also when
/// it is an error; `last_error()` has the newest.
class Driver {
 public:
  /// `directory` and `ledger` must outlive this.
  Driver(os::DirectoryPtr directory, Ledger& ledger, const Recipe& recipe);

  /// Opens the log; a second time after kill() or close().
  Result<void> open();
  bool is_open() const noexcept { return log_ != nullptr; }
  storage::Log& log() noexcept { return *log_; }
  /// Lets go of the log as a killed process would.
  void kill() { log_.reset(); }

  /// One call of a random kind. An error of the log comes back; a log that is not as it should be
  /// comes back as a text.
  Result<void> step();
  /// One call by the name that `step()` knows it by, e.g. "flush_sealed".
  Result<void> perform(std::string_view name);
  /// What `step()` did last.
  const std::string& doing() const noexcept { return doing_; }
  /// What was found wrong with an open log, empty if nothing.
  const std::string& fault() const noexcept { return fault_; }

  Result<void> append();
  Result<void> flush();
  Result<void> close();

 private:
  struct Choice {
    const char* name;
    std::uint64_t weight;
    Result<void> (Driver::*step)();
  };
  static std::span<const Choice> choices();
  std::uint64_t random(std::uint64_t below) { return rng_() % below; }
  record::ProducerIdentity some_producer();
  std::vector<Given> give(std::size_t count, Offset base);
  Result<void> append_batch();
  Result<void> append_record();
  Result<void> flush_sealed();
  Result<void> roll();
  Result<void> prepare();
  Result<void> truncate();
  Result<void> delete_before();
  Result<void> retain();
  Result<void> compact();
  Result<void> remove_deleted();
  Result<void> reopen_killed();
  Result<void> reopen_closed();
  Result<void> begin_epoch();
  Result<void> check(bool exact);

  os::DirectoryPtr directory_;
  Ledger& ledger_;
  Recipe recipe_;
  std::mt19937_64 rng_;
  std::mt19937_64 producer_rng_;  // of its own, so that the other choices stay as they are
  testing::ManualClock clock_;
  std::unique_ptr<storage::Log> log_;
  std::uint32_t next_number_ = 0;
  std::int32_t epoch_ = 0;
  std::size_t steps_ = 0;
  std::string doing_;
  std::string fault_;
};

}  // namespace millrace::test
