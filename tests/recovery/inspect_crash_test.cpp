#include <fmt/format.h>

#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/inspect.hpp>

#include "campaign.hpp"
#include "catch.hpp"
#include "crash_states.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace millrace::test;

// What the tools say of a crashed log, and what they make of it, is what opening it does.

namespace {

/// What can be read of a log, and what cannot.
struct Readable {
  Offset start;
  Offset end;
  std::vector<std::int64_t> batches;
  std::vector<OffsetRange> damaged;
  friend bool operator==(const Readable&, const Readable&) = default;
};

std::string text_of(const Readable& log) {
  std::string text = fmt::format("[{}, {}), batches at", log.start.value(), log.end.value());
  for (const auto base : log.batches) text += fmt::format(" {}", base);
  for (const auto& range : log.damaged) {
    text += fmt::format(", damage at [{}, {})", range.begin.value(), range.end.value());
  }
  return text;
}

void add_range(std::vector<OffsetRange>& ranges, OffsetRange range) {
  if (range.begin >= range.end) return;
  if (!ranges.empty() && range.begin <= ranges.back().end) {
    ranges.back().end = std::max(ranges.back().end, range.end);
  } else {
    ranges.push_back(range);
  }
}

Result<Readable> read(storage::Log& log) {
  Readable found{log.log_start_offset(), log.log_end_offset(), {}, {}};
  storage::LogCursor cursor(log, found.start);
  while (cursor.position() < found.end) {
    const auto chunk = cursor.read(found.end, {.max_bytes = 1});
    if (!chunk) {
      if (chunk.error().code() != Errc::corrupt_data) return chunk.error();
      const OffsetRange lost = chunk.error().offsets();
      if (lost.begin >= lost.end) return chunk.error();
      add_range(found.damaged, lost);
      cursor.seek(lost.end);
      continue;
    }
    if (chunk->empty()) break;
    found.batches.push_back(record::BatchView::try_parse(chunk->bytes).base_offset().value());
  }
  return found;
}

Result<Readable> open_and_read(const std::string& path, const Recipe& recipe) {
  MILLRACE_TRY(const auto directory, os::open_directory(path, false));
  MILLRACE_TRY(const auto log, storage::Log::open(directory, recipe.options, {}));
  return read(*log);
}

std::string compare(const storage::PartitionReport& report, const Readable& opened) {
  if (report.log_start_offset != opened.start || report.log_end_offset != opened.end) {
    return fmt::format("verify sees [{}, {})", report.log_start_offset.value(),
                       report.log_end_offset.value());
  }
  std::vector<OffsetRange> unreadable;
  for (OffsetRange range : report.unreadable()) {
    range.begin = std::max(range.begin, opened.start);
    range.end = std::min(range.end, opened.end);
    add_range(unreadable, range);
  }
  if (unreadable == opened.damaged) return {};
  Readable seen;
  seen.damaged = unreadable;
  std::string text = "verify sees " + text_of(seen);
  for (const auto& finding : report.findings) text += "; " + finding.text;
  return text;
}

/// Flips a few bits in the segments' logs.
void damage(const std::string& path, std::mt19937_64& rng) {
  const auto directory = os::open_directory(path, false).value();
  std::vector<std::string> logs;
  for (const auto& entry : directory->list().value()) {
    if (entry.name.ends_with(".log")) logs.push_back(entry.name);
  }
  std::sort(logs.begin(), logs.end());
  for (std::uint64_t i = 0; i < 1 + rng() % 2 && !logs.empty(); ++i) {
    auto file = directory->open(logs[rng() % logs.size()], os::OpenMode::read_write).value();
    const std::string content = file.read_all().value();
    const auto used = storage::end_of_content(as_bytes(content), 0);
    if (used == 0) continue;
    const std::uint64_t at = rng() % used;
    const auto byte = static_cast<std::byte>(content[at]) ^ std::byte{1} << (rng() % 8);
    file.write_at(Bytes(&byte, 1), at).value();
  }
}

using Prepare = std::function<void(const std::string& path)>;

/// `prepare` makes the same crashed log at two paths: one is opened, the other repaired first.
std::string check_agreement(const Recipe& recipe, const Prepare& prepare) {
  const TempDirectory temp(TempDirectory::fast_parent());
  prepare(temp / "opened");
  prepare(temp / "repaired");
  const auto report =
      storage::verify_partition(os::open_directory(temp / "opened", false).value());
  if (!report) return "verify: " + report.error().message();
  const auto opened = open_and_read(temp / "opened", recipe);
  if (!opened) return "opening: " + opened.error().message();
  if (auto wrong = compare(*report, *opened); !wrong.empty()) {
    return wrong + ", opening " + text_of(*opened);
  }
  const auto directory = os::open_directory(temp / "repaired", false).value();
  if (const auto done = storage::repair_partition(directory); !done) {
    return "repair: " + done.error().message();
  }
  const auto again = storage::verify_partition(directory).value();
  for (const auto& finding : again.findings) {
    const bool is_left = finding.kind == storage::FindingKind::missing_offsets;
    if (finding.severity != storage::Severity::note && !is_left) {
      return "after the repair: " + finding.text;
    }
  }
  auto repaired = open_and_read(temp / "repaired", recipe);
  if (!repaired) return "opening what was repaired: " + repaired.error().message();
  // Damage that was taken out of a compacted log is one of its gaps.
  if (recipe.options.cleanup_compact) repaired->damaged = opened->damaged;
  if (*repaired == *opened) return {};
  return "repaired: " + text_of(*repaired) + "; opened: " + text_of(*opened);
}

std::string try_seed(std::uint64_t seed, bool with_damage) {
  const Recipe recipe = Recipe::from_seed(seed);
  std::string fault;
  const auto moments = run_recipe(recipe, 40, fault);
  if (!fault.empty()) return fault;
  std::mt19937_64 rng(seed);
  for (int i = 0; i < 12; ++i) {
    const Moment& moment = moments[rng() % moments.size()];
    const auto crash = random_crash(rng);
    const std::uint64_t flips = rng();
    const auto wrong = check_agreement(recipe, [&](const std::string& path) {
      materialize(moment.image, crash, path);
      if (!with_damage) return;
      std::mt19937_64 same(flips);
      damage(path, same);
    });
    if (!wrong.empty()) {
      return fmt::format("{}; {}; {}: {}", recipe.name, moment.doing, describe(crash), wrong);
    }
  }
  return {};
}

/// The same for an owner that was killed on a machine that runs on.
std::string try_killed(std::uint64_t seed, bool with_damage) {
  const Recipe recipe = Recipe::from_seed(seed);
  return check_agreement(recipe, [&](const std::string& path) {
    Ledger ledger(recipe.options.cleanup_compact);
    Driver driver(os::open_directory(path, true).value(), ledger, recipe);
    driver.open().value();
    std::mt19937_64 rng(seed);
    for (std::uint64_t i = 0; i < 1 + seed % 40; ++i) driver.step().value();
    for (std::uint64_t i = 0; i < rng() % 12; ++i) driver.append().value();
    driver.kill();
    if (with_damage) damage(path, rng);
  });
}

void campaign(std::string (*attempt)(std::uint64_t, bool), std::uint64_t rounds) {
  const std::uint64_t seed = millrace_test::campaign_seed(1);
  for (std::uint64_t i = 0; i < rounds; ++i) {
    for (const bool with_damage : {false, true}) {
      INFO("MILLRACE_SEED=" << seed + i << (with_damage ? ", with damage" : ""));
      REQUIRE(attempt(seed + i, with_damage) == "");
    }
  }
}

}  // namespace

TEST_CASE("verify and repair see a log that lost power as opening does", "[recovery][inspect]") {
  campaign(try_seed, millrace_test::campaign_rounds(30, 1'000));
}

TEST_CASE("verify and repair see a killed owner's log as opening does", "[recovery][inspect]") {
  campaign(try_killed, millrace_test::campaign_rounds(300, 10'000));
}
