#include <fmt/format.h>

#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/tidy.hpp>

#include "campaign.hpp"
#include "catch.hpp"
#include "storage/fixture.hpp"

using namespace millrace;
using namespace millrace::test;

namespace {

storage::LogOptions flip_options(bool compacts) {
  storage::LogOptions options;
  options.segment_bytes = 3000;
  options.segment_index_bytes = 1024;
  options.index_interval_bytes = 200;
  options.cleanup_compact = compacts;
  options.cleanup_delete = false;
  options.file_delete_delay = std::chrono::milliseconds(0);
  return options;
}

/// A partition of a few segments, closed or left as by a killed owner.
struct Sample {
  Place place{false};
  storage::LogOptions options;
  std::vector<PlainRecord> records;
  Offset flushed;

  Sample(bool closed, bool compacts) : options(flip_options(compacts)) {
    const auto log = open_log(place.directory, options);
    for (std::int64_t next = 0; next < 60;) {
      const auto batch = numbered(next, 1 + static_cast<std::size_t>(next) % 3, 60);
      append(*log, batch);
      records.insert(records.end(), batch.begin(), batch.end());
      next += static_cast<std::int64_t>(batch.size());
      if (next < 55) flushed = log->flush().value();
    }
    if (compacts) log->compact(true).value();
    if (closed) log->close().value();
  }

  /// The offsets of the batch that holds this byte of a log.
  OffsetRange batch_around(const std::string& name, std::uint64_t at) const {
    const std::string content = place.directory->read_file(name).value();
    for (std::uint64_t position = 0;;) {
      const auto batch = record::BatchView::try_parse(as_bytes(content).subspan(position));
      if (batch.size() == 0) return {};
      if (at < position + batch.size()) return {batch.base_offset(), batch.next_offset()};
      position += batch.size();
    }
  }

  void flip(const std::string& name, std::uint64_t at, unsigned bit) const {
    auto file = place.directory->open(name, os::OpenMode::read_write).value();
    std::byte byte{};
    REQUIRE(file.read_at(MutableBytes(&byte, 1), at).value() == 1);
    byte ^= std::byte{1} << bit;
    file.write_at(Bytes(&byte, 1), at).value();
  }
};

/// What a log gives back, damage stepped over.
struct ReadBack {
  std::vector<PlainRecord> records;
  std::vector<OffsetRange> lost;
  std::string wrong;
};

ReadBack read_back(storage::Log& log) {
  ReadBack back;
  const Offset end = log.high_watermark();
  storage::LogCursor cursor(log, log.log_start_offset());
  while (cursor.position() < end) {
    const Offset from = cursor.position();
    const auto chunk = cursor.read(end, {.max_bytes = 500});
    if (chunk && chunk->empty() && cursor.position() == from) {
      back.wrong = fmt::format("reading stops at {}", from.value());
      return back;
    }
    if (chunk) {
      decode(chunk->bytes, chunk->begin, back.records);
      continue;
    }
    const OffsetRange lost = chunk.error().offsets();
    if (chunk.error().code() != Errc::corrupt_data || lost.begin > from || lost.end <= from) {
      back.wrong = "reading: " + chunk.error().message();
      return back;
    }
    back.lost.push_back(lost);
    cursor.seek(lost.end);
  }
  return back;
}

std::string check_records(const ReadBack& back, const std::vector<PlainRecord>& given) {
  std::int64_t last = -1;
  for (const auto& record : back.records) {
    const bool known = record.offset > last &&
                       static_cast<std::size_t>(record.offset) < given.size() &&
                       given[static_cast<std::size_t>(record.offset)] == record;
    if (!known) return fmt::format("a wrong record at offset {}", record.offset);
    last = record.offset;
  }
  return {};
}

std::string check_times(storage::Log& log, const std::vector<PlainRecord>& given) {
  for (std::size_t i = 0; i < given.size(); i += 7) {
    const auto found =
        storage::find_time(log, Timestamp{given[i].timestamp}, log.high_watermark());
    if (!found) return "searching a time: " + found.error().message();
    if (!*found || (**found).offset.value() != given[i].offset) {
      return fmt::format("the time of offset {} leads elsewhere", given[i].offset);
    }
  }
  return {};
}

/// Every record but those in `allowed` must come back, and what does not must be reported.
std::string check_complete(const ReadBack& back, const Sample& sample, OffsetRange allowed) {
  std::size_t next = 0;
  for (const auto& given : sample.records) {
    if (next < back.records.size() && back.records[next].offset == given.offset) {
      ++next;
      continue;
    }
    const Offset offset{given.offset};
    const bool reported = std::any_of(back.lost.begin(), back.lost.end(), [&](const auto& range) {
      return range.begin <= offset && offset < range.end;
    });
    if (!reported) return fmt::format("offset {} is missing without a word", given.offset);
    if (offset < allowed.begin || offset >= allowed.end) {
      return fmt::format("offset {} is lost with it", given.offset);
    }
  }
  return {};
}

/// Opens, reads, appends, opens again.
std::string check_log(const Sample& sample, OffsetRange allowed) {
  for (const bool again : {false, true}) {
    auto log = storage::Log::open(sample.place.directory, sample.options, {});
    if (!log) return "opening: " + log.error().message();
    const auto back = read_back(**log);
    if (!back.wrong.empty()) return back.wrong;
    std::vector<PlainRecord> given = sample.records;
    if (again) given.push_back({(*log)->log_end_offset().value() - 1, 1, "k", "v"});
    if (again && static_cast<std::size_t>(given.back().offset) + 1 != given.size()) return {};
    if (auto wrong = check_records(back, given); !wrong.empty()) return wrong;
    if (auto wrong = check_complete(back, sample, allowed); !wrong.empty()) return wrong;
    if (allowed.begin == allowed.end) {
      if (auto wrong = check_times(**log, sample.records); !wrong.empty()) return wrong;
    }
    if (again) return {};
    auto batch = batch_of({{0, 1, "k", "v"}});
    if (const auto done = (*log)->append(batch); !done) return done.error().message();
    if (const auto done = (*log)->close(); !done) return done.error().message();
  }
  return {};
}

std::vector<std::string> files_of(const Sample& sample, std::string_view suffix) {
  std::vector<std::string> names;
  for (const auto& entry : sample.place.directory->list().value()) {
    if (entry.name.ends_with(suffix)) names.push_back(entry.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::uint64_t size_of(const Sample& sample, const std::string& name) {
  return sample.place.directory->read_file(name).value().size();
}

/// Flips bits of the first `bytes` bytes of a file, one at a time, in fresh partitions.
void flip_each(bool closed, const std::string& name, std::uint64_t begin, std::uint64_t bytes) {
  const std::uint64_t seed = millrace_test::campaign_seed(1);
  std::mt19937_64 rng(seed);
  const bool is_log = name.ends_with(".log");
  for (std::uint64_t at = begin; at < begin + bytes; ++at) {
    for (const unsigned bit : {0U, 7U, static_cast<unsigned>(1 + rng() % 6)}) {
      const Sample sample(closed, false);
      if (at >= size_of(sample, name)) return;
      const OffsetRange allowed = is_log ? sample.batch_around(name, at) : OffsetRange{};
      sample.flip(name, at, bit);
      INFO((closed ? "closed" : "killed") << ", MILLRACE_SEED=" << seed << ", bit " << bit
                                          << " of byte " << at << " of " << name);
      REQUIRE(check_log(sample, allowed) == "");
    }
  }
}

}  // namespace

TEST_CASE("a flipped bit in a log is damage of its batch alone", "[recovery][flips]") {
  const bool closed = GENERATE(true, false);
  const auto logs = files_of(Sample(closed, false), ".log");
  REQUIRE(logs.size() > 2);
  // Two whole batches: every field of a batch and of a record.
  flip_each(closed, logs.front(), 0, 330);
  flip_each(closed, logs[1], 0, 30);
  const auto content = as_bytes(Sample(closed, false).place.directory->read_file(logs.back())
                                    .value());
  const auto used = storage::end_of_content(content, 0);
  flip_each(closed, logs.back(), used - 130, 130);
}

TEST_CASE("a flipped bit in an index changes nothing", "[recovery][flips]") {
  const bool closed = GENERATE(true, false);
  for (const auto suffix : {".index", ".timeindex"}) {
    const auto names = files_of(Sample(closed, false), suffix);
    flip_each(closed, names.front(), 0, 48);
    flip_each(closed, names.back(), 0, 48);
  }
}

TEST_CASE("a flipped bit in a checkpoint changes nothing", "[recovery][flips]") {
  const bool closed = GENERATE(true, false);
  flip_each(closed, storage::EpochCache::file_name, 0, 32);
}

TEST_CASE("a flipped bit in the control file gives no wrong record", "[recovery][flips]") {
  const bool closed = GENERATE(true, false);
  for (std::uint64_t at = 0; at < sizeof(storage::ControlBlock); ++at) {
    for (unsigned bit = 0; bit < 8; bit += 3) {
      const Sample sample(closed, false);
      sample.flip(storage::ControlFile::name, at, bit);
      INFO((closed ? "closed" : "killed") << ", bit " << bit << " of byte " << at);
      auto log = storage::Log::open(sample.place.directory, sample.options, {});
      if (!log) {
        CHECK_FALSE(log.error().message().empty());
        continue;
      }
      const auto back = read_back(**log);
      REQUIRE(back.wrong == "");
      REQUIRE(check_records(back, sample.records) == "");
    }
  }
}

TEST_CASE("a damaged exchange file is finished or undone, nothing is lost", "[recovery][flips]") {
  const Sample written(true, false);
  storage::begin_exchange(written.place.directory, {Offset{0}, Offset{30}}).value();
  const std::string whole =
      written.place.directory->read_file(storage::exchange_file_name).value();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      const Sample sample(true, false);
      std::string text = whole;
      text[at] = static_cast<char>(text[at] ^ 1 << bit);
      // Announced, the cleaned log not in place yet: what a crash leaves.
      const std::string cleaned =
          storage::file_name(Offset{0}, storage::log_suffix).append(storage::cleaned_suffix);
      sample.place.directory->replace_file(cleaned, "").value();
      sample.place.directory->replace_file(storage::exchange_file_name, text).value();
      INFO("bit " << bit << " of byte " << at);
      const auto opened = storage::Log::open(sample.place.directory, sample.options, {});
      if (!opened) {
        CHECK(opened.error().message().find(storage::exchange_file_name) != std::string::npos);
        continue;
      }
      const auto back = read_back(**opened);
      REQUIRE(check_complete(back, sample, {}) == "");
    }
  }
}
