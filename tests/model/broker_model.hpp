#pragma once
#include <array>
#include <memory>
#include <millrace/engine/broker_core.hpp>
#include <millrace/millrace.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <random>

#include "reference_log.hpp"
#include "temp_directory.hpp"

namespace millrace::test {

/// A topic of two partitions, used at random through the public API, beside a reference log for
/// each: after every step both must tell the same. What a step does follows from the seed alone.
class BrokerModel {
 public:
  static constexpr PartitionId partitions = 2;

  explicit BrokerModel(std::uint64_t seed);

  /// Takes `count` steps; what the first difference was, and after what. Empty if there was none.
  std::string run(std::size_t count);
  /// One step by name.
  std::string perform(std::string_view name);
  /// Everything that is to be read, at once.
  std::string check_all();
  /// For canaries, who tell lies here.
  ReferenceLog& reference(PartitionId partition) { return references_[index(partition)]; }
  const std::string& name() const { return name_; }

 private:
  using Text = Topic<std::string, std::string>;
  struct Step {
    const char* name;
    std::uint64_t weight;
    std::string (BrokerModel::*take)();
  };
  /// A consumer, and where it has to be.
  struct Follower {
    std::unique_ptr<Consumer<std::string, std::string>> consumer;
    bool attached = false;
    ConsumerOptions options;
    std::array<std::int64_t, partitions> position{};
    std::array<bool, partitions> paused{};
  };
  using Polled = std::array<std::vector<ModelRecord>, partitions>;

  static std::span<const Step> steps();
  static std::size_t index(PartitionId partition) { return static_cast<std::size_t>(partition); }
  std::uint64_t random(std::uint64_t below) { return rng_() % below; }
  bool chance(std::uint64_t in) { return random(in) == 0; }
  std::int64_t random_offset(PartitionId id);
  PartitionId pick() { return static_cast<PartitionId>(random(partitions)); }
  TopicSettings settings();
  void open();
  Partition<std::string, std::string> partition(const Text& topic, PartitionId id) const;
  engine::Partition& core(PartitionId id) const { return *topic_->core()->partitions[index(id)]; }
  std::vector<const Text*> views() const;
  ModelRecord make_record();
  std::vector<ModelRecord> make_batch();

  std::string append_single();
  std::string append_batch();
  std::string produce();
  std::string flush();
  std::string roll();
  std::string delete_before();
  std::string clean();
  std::string compact();
  std::string alter();
  std::string reopen();
  std::string attach();
  std::string read();
  std::string find_time();
  std::string scan();
  std::string new_consumer();
  std::string poll();
  std::string seek();
  std::string pause();

  std::string take_receipt(const Receipt& receipt, PartitionId id, std::int64_t offset,
                           ModelRecord& record) const;
  std::string after_cleaning(PartitionId id);
  std::string check_dropped(PartitionId id, std::int64_t new_start);
  std::string check_offsets();
  std::string check_scan(PartitionId id);
  std::string check_polled(Follower& follower, const Polled& polled, std::size_t count);
  std::string check_position(Follower& follower, PartitionId id,
                             const std::vector<ModelRecord>& records, bool anything);
  std::string after_failed_poll(Follower& follower, const Error& error);
  std::int64_t start_of_reading(const Follower& follower, PartitionId id);

  std::mt19937_64 rng_;
  std::string name_;
  TempDirectory temp_{TempDirectory::fast_parent()};
  std::string path_;
  bool compacts_ = false;
  bool stamps_ = false;
  bool deletes_ = false;
  TopicSettings settings_;
  testing::ManualClock clock_;
  std::optional<Broker> broker_;
  std::optional<Text> topic_;
  std::optional<Broker> attached_;
  std::optional<Text> attached_topic_;
  std::vector<Follower> followers_;
  std::array<ReferenceLog, partitions> references_;
  std::uint64_t next_value_ = 0;
};

/// A record as it was read, with plain values.
ModelRecord plain_record(const record::RecordView& record);

}  // namespace millrace::test
