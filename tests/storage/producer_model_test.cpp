#include <algorithm>
#include <map>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/transaction_index.hpp>
#include <random>

#include "campaign.hpp"
#include "catch.hpp"
#include "storage/producer_fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using storage::ControlFile;
using storage::Log;

namespace {

/// A batch or marker that the log took.
struct Taken {
  std::int64_t base = 0;
  std::int64_t next = 0;
  ProducerBatch batch;
  bool is_marker = false;
  bool commit = false;
};

/// What a log must know of producers, told anew from all that it took.
struct Reference {
  struct Producer {
    std::int16_t epoch = 0;
    std::int32_t next_sequence = 0;
    std::optional<std::int64_t> transaction;
    const Taken* last = nullptr;
  };
  std::map<std::int64_t, Producer> producers;
  std::vector<std::pair<std::int64_t, std::int64_t>> aborted;  // producer, marker

  explicit Reference(const std::vector<Taken>& history) {
    for (const Taken& taken : history) {
      Producer& producer = producers[taken.batch.id];
      if (producer.epoch != taken.batch.epoch) {
        producer.epoch = taken.batch.epoch;
        producer.next_sequence = 0;
        producer.last = nullptr;
      }
      if (taken.is_marker) {
        if (producer.transaction && !taken.commit) aborted.emplace_back(taken.batch.id, taken.base);
        producer.transaction.reset();
        continue;
      }
      producer.last = &taken;
      producer.next_sequence = taken.batch.sequence + static_cast<std::int32_t>(taken.batch.count);
      if (taken.batch.transactional && !producer.transaction) producer.transaction = taken.base;
    }
  }
  std::int64_t stable(std::int64_t end) const {
    for (const auto& [id, producer] : producers) {
      if (producer.transaction) end = std::min(end, *producer.transaction);
    }
    return end;
  }
};

class Model {
 public:
  explicit Model(std::uint64_t seed) : rng_(seed) {
    options_.segment_bytes = 3000;
    options_.visible_on_append = true;
    options_.write_path = random(2) == 0 ? storage::WritePath::write : storage::WritePath::mapped;
    log_ = open_log(place_.directory, options_);
  }

  std::string run(std::size_t steps) {
    for (std::size_t i = 0; i < steps; ++i) {
      doing_ = "nothing";
      std::string wrong = step();
      if (wrong.empty()) wrong = check();
      if (!wrong.empty()) return "step " + std::to_string(i) + ", " + doing_ + ": " + wrong;
    }
    return {};
  }
  std::vector<Taken>& history() { return history_; }

 private:
  std::uint64_t random(std::uint64_t below) { return rng_() % below; }

  std::string step() {
    const std::uint64_t choice = random(100);
    if (choice < 45) return send();
    if (choice < 55) return end_transaction();
    if (choice < 60) return doing_ = "roll", log_->roll().value(), std::string();
    if (choice < 66) return doing_ = "snapshot", log_->snapshot_producers().value(), std::string();
    if (choice < 72) return doing_ = "flush", log_->flush().value(), std::string();
    if (choice < 80) return truncate();
    return reopen();
  }

  std::string send() {
    doing_ = "send";
    const Reference reference(history_);
    ProducerBatch batch{.id = static_cast<std::int64_t>(random(4)), .count = 1 + random(3)};
    const auto known = reference.producers.find(batch.id);
    if (known != reference.producers.end()) {
      batch.epoch = known->second.epoch;
      batch.sequence = known->second.next_sequence;
      batch.transactional = known->second.transaction.has_value();
    }
    if (random(8) == 0) {
      ++batch.epoch;
      batch.sequence = 0;
    }
    batch.transactional = batch.transactional || random(3) == 0;
    const auto done = try_append(*log_, batch);
    if (!done) return "a batch that follows was refused: " + done.error().message();
    if (done->is_duplicate) return "a new batch was taken for a duplicate";
    history_.push_back({done->base_offset.value(), done->next_offset.value(), batch});
    return {};
  }

  std::string end_transaction() {
    doing_ = "end of a transaction";
    const Reference reference(history_);
    for (const auto& [id, producer] : reference.producers) {
      if (!producer.transaction || random(2) == 0) continue;
      Taken taken{.batch = {.id = id, .epoch = producer.epoch}, .is_marker = true};
      taken.commit = random(2) == 0;
      const auto done =
          try_append(*log_, Marker{.id = id, .epoch = producer.epoch, .commit = taken.commit});
      if (!done) return "a marker was refused: " + done.error().message();
      taken.base = done->base_offset.value();
      taken.next = done->next_offset.value();
      history_.push_back(taken);
      return {};
    }
    return {};
  }

  std::string truncate() {
    if (history_.empty()) return {};
    const std::size_t keep =
        history_.size() - 1 - random(std::min<std::size_t>(12, history_.size()));
    doing_ = "truncate to " + std::to_string(history_[keep].base);
    log_->truncate_to(Offset{history_[keep].base}).value();
    history_.resize(keep);
    return {};
  }

  std::string reopen() {
    const std::uint64_t way = random(4);
    doing_ = way == 0 ? "close" : "kill";
    if (way == 0) log_->close().value();
    if (way == 3) {
      log_->flush().value();
      doing_ = "restart of the machine";
    }
    log_.reset();
    if (way == 3) {
      ControlFile::open_owner(place_.directory).value().block().active_file[0].fetch_add(1);
    }
    if (random(3) == 0) harm(way == 3);
    log_ = open_log(place_.directory, options_);
    return {};
  }

  /// Takes away some of what is derived.
  void harm(bool is_restarted) {
    const auto entries = place_.directory->list().value();
    for (const auto& entry : entries) {
      if (!entry.name.ends_with(storage::snapshot_suffix) || random(2) == 0) continue;
      doing_ += ", without " + entry.name;
      if (random(2) == 0) {
        place_.directory->remove(entry.name).value();
      } else {
        place_.directory->open(entry.name, os::OpenMode::replace).value();
      }
    }
    if (is_restarted && random(3) == 0) {
      doing_ += ", without the control file";
      place_.directory->remove(ControlFile::name).value();
    }
  }

  std::string check() {
    const Reference reference(history_);
    const std::int64_t end = history_.empty() ? 0 : history_.back().next;
    if (log_->log_end_offset().value() != end) return "the log ends elsewhere";
    if (log_->last_stable_offset().value() != reference.stable(end)) {
      return "the last stable offset is " + std::to_string(log_->last_stable_offset().value()) +
             " instead of " + std::to_string(reference.stable(end));
    }
    std::vector<std::pair<std::int64_t, std::int64_t>> aborted;
    const auto found = storage::find_aborted(*log_, {Offset{0}, Offset{end}}).value();
    for (const auto& one : found) aborted.emplace_back(one.producer_id, one.last_offset.value());
    if (aborted != reference.aborted) return "other transactions were aborted";
    for (const auto& [id, producer] : reference.producers) {
      if (auto wrong = check_producer(id, producer); !wrong.empty()) return wrong;
    }
    return log_->log_end_offset().value() == end ? "" : "a refused batch was appended";
  }

  std::string check_producer(std::int64_t id, const Reference::Producer& producer) {
    const std::string name = "producer " + std::to_string(id) + ": ";
    ProducerBatch batch{.id = id, .epoch = producer.epoch, .transactional = true};
    batch.sequence = producer.next_sequence + 1;
    const auto gap = try_append(*log_, batch);
    if (gap || gap.error().code() != Errc::out_of_order_sequence) return name + "a gap was taken";
    if (producer.epoch > 0) {
      batch.epoch = static_cast<std::int16_t>(producer.epoch - 1);
      const auto old = try_append(*log_, batch);
      if (old || old.error().code() != Errc::invalid_producer_epoch) return name + "an old epoch";
    }
    if (producer.last == nullptr) return {};
    const auto again = try_append(*log_, producer.last->batch);
    if (!again || !again->is_duplicate) return name + "its last batch is not known again";
    if (again->base_offset.value() != producer.last->base ||
        again->next_offset.value() != producer.last->next) {
      return name + "its last batch is said to be elsewhere";
    }
    return {};
  }

  std::mt19937_64 rng_;
  Place place_{false};
  storage::LogOptions options_;
  std::unique_ptr<Log> log_;
  std::vector<Taken> history_;
  std::string doing_;
};

}  // namespace

TEST_CASE("a log knows of its producers what its batches say", "[storage][producers][model]") {
  const std::uint64_t seed = millrace_test::campaign_seed(1);
  const std::uint64_t rounds = millrace_test::campaign_rounds(40, 3'000);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    INFO("MILLRACE_SEED=" << seed + round);
    Model model(seed + round);
    REQUIRE(model.run(150) == "");
  }
}

TEST_CASE("a batch that the log does not know of is found out", "[storage][producers][canary]") {
  Model model(1);
  REQUIRE(model.run(50) == "");
  model.history().back().batch.sequence += 1;
  CHECK(model.run(5) != "");
}
