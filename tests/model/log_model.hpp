#pragma once
#include <memory>
#include <millrace/storage/attached_log.hpp>
#include <millrace/storage/log.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <random>
#include <span>

#include "reference_log.hpp"
#include "storage/fixture.hpp"

namespace millrace::test {

/// A storage log used at random beside a reference log, with what the public API does not offer:
/// truncation, replicated batches with holes between them, a writer that is killed.
class LogModel {
 public:
  explicit LogModel(std::uint64_t seed);

  /// Takes `count` steps; what the first difference was, and after what. Empty if there was none.
  std::string run(std::size_t count);
  std::string check_all();
  ReferenceLog& reference() { return reference_; }

 private:
  struct Step {
    const char* name;
    std::uint64_t weight;
    std::string (LogModel::*take)();
  };
  static std::span<const Step> steps();
  std::uint64_t random(std::uint64_t below) { return rng_() % below; }
  bool chance(std::uint64_t in) { return random(in) == 0; }
  storage::LogOptions some_options();
  std::int64_t random_offset();
  std::vector<ModelRecord> make_batch();

  std::string append_batch();
  std::string append_record();
  std::string replicate();
  std::string flush();
  std::string roll();
  std::string prepare();
  std::string truncate();
  std::string delete_before();
  std::string retain();
  std::string compact();
  std::string alter();
  std::string close();
  std::string kill();
  std::string attach();
  std::string read();
  std::string find_time();

  std::string take(const storage::Appended& done, std::vector<ModelRecord> records);
  std::string open(storage::RecoveryKind kind);
  std::string check_offsets();
  std::string check_source(storage::SegmentSource& source);

  std::mt19937_64 rng_;
  std::string name_;
  bool in_memory_;
  bool compacts_;
  storage::LogOptions options_;
  Place place_;
  testing::ManualClock clock_;
  std::unique_ptr<storage::Log> log_;
  std::unique_ptr<storage::AttachedLog> attached_;
  ReferenceLog reference_;
  bool may_end_in_hole_ = false;  // a cut may leave the end behind one, which then takes a scan
  std::int64_t shown_ = 0;        // readers see at least what is below
  std::uint64_t next_value_ = 0;
};

}  // namespace millrace::test
