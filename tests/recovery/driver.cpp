#include "driver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <millrace/record/batch_builder.hpp>

#include "producers.hpp"

namespace millrace::test {

Recipe Recipe::from_seed(std::uint64_t seed) {
  std::mt19937_64 rng(seed);
  Recipe recipe;
  recipe.seed = seed;
  auto& options = recipe.options;
  options.segment_bytes = std::array<std::uint64_t, 4>{4096, 6000, 8192, 16384}[rng() % 4];
  options.segment_index_bytes = 4096;
  options.index_interval_bytes = std::array<std::uint32_t, 3>{256, 1024, 4096}[rng() % 3];
  options.max_message_bytes = 4000;
  options.write_path = rng() % 2 == 0 ? storage::WritePath::write : storage::WritePath::mapped;
  options.visible_on_append = rng() % 2 == 0;
  options.preallocate = rng() % 4 == 0;
  options.file_delete_delay = std::chrono::milliseconds(rng() % 2 == 0 ? 0 : 60'000);
  const bool compacts = rng() % 3 == 0;
  options.cleanup_compact = compacts;
  options.cleanup_delete = !compacts;
  options.retention_ms = std::chrono::milliseconds(-1);
  options.retention_bytes = static_cast<std::int64_t>(3 * options.segment_bytes);
  recipe.has_producers = seed % 5 == 1 || seed % 5 == 4;
  recipe.name =
      fmt::format("seed {}: segments of {} bytes, {}, {}, {}", seed, options.segment_bytes,
                  options.write_path == storage::WritePath::write ? "written" : "mapped",
                  options.visible_on_append ? "visible when appended" : "visible when flushed",
                  compacts ? "compacted" : "with retention");
  return recipe;
}

Driver::Driver(os::DirectoryPtr directory, Ledger& ledger, const Recipe& recipe)
    : directory_(std::move(directory)),
      ledger_(ledger),
      recipe_(recipe),
      rng_(recipe.seed),
      producer_rng_(recipe.seed) {}

Result<void> Driver::open() {
  if (doing_.empty()) doing_ = "open";
  MILLRACE_TRY(log_, storage::Log::open(directory_, recipe_.options, {.clock = &clock_}));
  return {};
}

std::vector<Given> Driver::give(std::size_t count, Offset base) {
  std::vector<Given> records;
  for (std::size_t i = 0; i < count; ++i) {
    Given given;
    given.number = next_number_++;
    given.batch_base = base.value();
    given.time = clock_.now().milliseconds() + static_cast<std::int64_t>(random(5));
    given.key = static_cast<std::uint32_t>(random(6));
    given.value_bytes = static_cast<std::uint32_t>(random(4) == 0 ? 20 : 100 + random(500));
    given.epoch = epoch_;
    records.push_back(given);
  }
  return records;
}

/// One that is in the log and goes on, or a new one: what the log knows of others is not told.
record::ProducerIdentity Driver::some_producer() {
  static std::atomic<std::int64_t> next_id{1};
  if (!recipe_.has_producers || producer_rng_() % 4 == 0) return {};
  const auto known = last_batches(*log_);
  if (!known) return {};
  if (known->empty() || producer_rng_() % 5 == 0) return {next_id++, 0, 0};
  const auto at = static_cast<std::ptrdiff_t>(producer_rng_() % known->size());
  const LastBatch& last = std::next(known->begin(), at)->second;
  return {last.producer.id, last.producer.epoch,
          storage::sequence_plus(last.producer.base_sequence, last.last_offset_delta + 1)};
}

Result<void> Driver::append_batch() {
  const auto records = give(1 + random(4), log_->log_end_offset());
  record::BatchBuilder builder({.producer = some_producer()});
  for (const Given& given : records) {
    const std::string key = given.key_text();
    const std::string value = given.value_text();
    MILLRACE_CHECK(builder.add(Timestamp{given.time}, as_bytes(key), as_bytes(value)));
  }
  MILLRACE_TRY(const MutableBytes batch, builder.finish());
  ledger_.appending(log_->log_end_offset(), records);
  MILLRACE_TRY(const auto appended, log_->append(batch, LeaderEpoch{epoch_}));
  ledger_.appended(appended.next_offset);
  return {};
}

Result<void> Driver::append_record() {
  const auto records = give(1, log_->log_end_offset());
  const std::string key = records[0].key_text();
  const std::string value = records[0].value_text();
  ledger_.appending(log_->log_end_offset(), records);
  MILLRACE_TRY(const auto appended, log_->append_record(Timestamp{records[0].time}, as_bytes(key),
                                                        as_bytes(value), {}, LeaderEpoch{epoch_}));
  ledger_.appended(appended.next_offset);
  return {};
}

Result<void> Driver::append() {
  clock_.advance(std::chrono::milliseconds(1));
  return random(3) == 0 ? append_record() : append_batch();
}

Result<void> Driver::flush() {
  MILLRACE_TRY(const Offset end, log_->flush());
  ledger_.flushed(end);
  return {};
}

Result<void> Driver::prepare() {
  if (recipe_.has_producers) MILLRACE_CHECK(log_->snapshot_producers());
  return log_->prepare();
}

Result<void> Driver::flush_sealed() {
  MILLRACE_CHECK(log_->flush_sealed());
  ledger_.flushed(log_->flushed_offset());
  return {};
}

Result<void> Driver::roll() {
  return log_->roll();
}
Result<void> Driver::remove_deleted() {
  clock_.advance(std::chrono::seconds(40));
  return log_->remove_deleted();
}

Result<void> Driver::truncate() {
  const std::int64_t start = log_->log_start_offset().value();
  const std::int64_t end = log_->log_end_offset().value();
  if (start == end) return {};
  const auto span = static_cast<std::uint64_t>(end - start);
  const Offset to{end - static_cast<std::int64_t>(random(random(4) == 0 ? span + 1 : 12))};
  ledger_.truncating(std::max(to, log_->log_start_offset()));
  MILLRACE_CHECK(log_->truncate_to(to));
  ledger_.truncated(log_->log_start_offset(), log_->log_end_offset());
  return {};
}

Result<void> Driver::delete_before() {
  const std::int64_t start = log_->log_start_offset().value();
  const auto span = static_cast<std::uint64_t>(log_->high_watermark().value() - start);
  const Offset to{start + static_cast<std::int64_t>(random(span / 2 + 1))};
  ledger_.deleting(log_->high_watermark());
  MILLRACE_CHECK(log_->delete_before(to));
  ledger_.deleted(log_->log_start_offset());
  return {};
}

Result<void> Driver::retain() {
  ledger_.deleting(log_->high_watermark());
  MILLRACE_TRY(const std::size_t dropped, log_->apply_retention());
  static_cast<void>(dropped);
  ledger_.deleted(log_->log_start_offset());
  return {};
}

Result<void> Driver::compact() {
  if (!recipe_.options.cleanup_compact) return retain();
  ledger_.compacting(log_->log_end_offset());
  MILLRACE_TRY(const std::uint64_t freed, log_->compact(true));
  static_cast<void>(freed);
  return {};
}

Result<void> Driver::begin_epoch() {
  ++epoch_;
  return append();
}

Result<void> Driver::check(bool exact) {
  fault_ = ledger_.check(*log_, exact);
  if (fault_.empty()) fault_ = check_producers(*log_);
  return {};
}

Result<void> Driver::close() {
  MILLRACE_CHECK(log_->close());
  ledger_.flushed(log_->log_end_offset());
  log_.reset();
  return {};
}

Result<void> Driver::reopen_killed() {
  kill();
  MILLRACE_CHECK(open());
  ledger_.flushed(log_->flushed_offset());
  return check(true);
}

Result<void> Driver::reopen_closed() {
  MILLRACE_CHECK(close());
  MILLRACE_CHECK(open());
  return check(true);
}

std::span<const Driver::Choice> Driver::choices() {
  static constexpr std::array all = {
      Choice{"append", 42, &Driver::append},
      Choice{"flush", 14, &Driver::flush},
      Choice{"flush_sealed", 5, &Driver::flush_sealed},
      Choice{"roll", 3, &Driver::roll},
      Choice{"prepare", 3, &Driver::prepare},
      Choice{"truncate", 4, &Driver::truncate},
      Choice{"delete_before", 3, &Driver::delete_before},
      Choice{"retain", 4, &Driver::retain},
      Choice{"compact", 6, &Driver::compact},
      Choice{"remove_deleted", 2, &Driver::remove_deleted},
      Choice{"begin_epoch", 3, &Driver::begin_epoch},
      Choice{"kill and reopen", 5, &Driver::reopen_killed},
      Choice{"close and reopen", 5, &Driver::reopen_closed},
  };
  return all;
}

Result<void> Driver::perform(std::string_view name) {
  const auto found = std::find_if(choices().begin(), choices().end(),
                                  [&](const Choice& choice) { return choice.name == name; });
  doing_ = fmt::format("step {}, {}", ++steps_, name);
  return (this->*found->step)();
}

Result<void> Driver::step() {
  std::uint64_t total = 0;
  for (const Choice& choice : choices()) total += choice.weight;
  std::uint64_t ticket = random(total);
  for (const Choice& choice : choices()) {
    if (ticket >= choice.weight) {
      ticket -= choice.weight;
      continue;
    }
    doing_ = fmt::format("step {}, {}", ++steps_, choice.name);
    if (std::getenv("MILLRACE_STORY") != nullptr) {
      fmt::print("{}: log [{}, {}), flushed {}\n", doing_, log_->log_start_offset().value(),
                 log_->log_end_offset().value(), log_->flushed_offset().value());
    }
    return (this->*choice.step)();
  }
  return {};
}

}  // namespace millrace::test
