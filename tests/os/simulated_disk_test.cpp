#include <cstring>
#include <functional>
#include <map>
#include <millrace/os/mapping.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <millrace/testing/simulated_disk.hpp>
#include <random>
#include <set>

#include "campaign.hpp"
#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using os::IoOp;
using os::OpenMode;
using testing::Crash;
using testing::CrashMode;
using testing::NameChanges;
using testing::SimulatedDisk;

namespace {

using Contents = std::map<std::string, std::string>;

void read_tree(os::Directory& directory, const std::string& prefix, Contents& into) {
  for (const auto& entry : directory.list().value()) {
    if (!entry.is_directory) {
      into[prefix + entry.name] = directory.read_file(entry.name).value();
      continue;
    }
    into[prefix + entry.name + "/"] = "";
    read_tree(*directory.subdirectory(entry.name, false).value(), prefix + entry.name + "/", into);
  }
}

/// A simulated disk under an open directory.
struct Place {
  test::TempDirectory temp{test::TempDirectory::fast_parent()};
  SimulatedDisk disk{temp.path()};
  testing::FaultyIo io{&disk};
  os::DirectoryPtr directory = os::open_directory(temp.path(), false, &io).value();

  /// What is there after a crash now: paths and bytes, directories with a slash at the end.
  Contents after(const Crash& crash) {
    const auto target = os::make_memory_directory();
    disk.crash(crash, *target).value();
    Contents found;
    read_tree(*target, "", found);
    return found;
  }
  Contents after(CrashMode mode) { return after(Crash{.mode = mode}); }

  /// What there can be after a crash, over many seeds.
  std::set<Contents> outcomes(CrashMode mode, NameChanges names, std::uint64_t seeds = 400) {
    std::set<Contents> seen;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) seen.insert(after(Crash{mode, seed, names}));
    return seen;
  }

  os::File synced_file(const std::string& name, const std::string& content) {
    auto file = directory->open(name, OpenMode::create).value();
    file.write_at(as_bytes(content), 0).value();
    file.sync().value();
    directory->sync().value();
    return file;
  }
};

constexpr std::size_t page = 4096;

std::string fill(char c, std::size_t length = page) {
  return std::string(length, c);
}

}  // namespace

TEST_CASE("a file that was not synced is lost, by name or by content", "[os][simulated_disk]") {
  Place place;
  auto file = place.directory->open("x", OpenMode::create).value();
  file.write_at(as_bytes("data"), 0).value();
  CHECK(place.after(CrashMode::drop_unsynced).empty());
  CHECK(place.after(CrashMode::keep_all) == Contents{{"x", "data"}});
  file.sync().value();
  CHECK(place.after(CrashMode::drop_unsynced).empty());
  place.directory->sync().value();
  CHECK(place.after(CrashMode::drop_unsynced) == Contents{{"x", "data"}});
  CHECK(place.disk.snapshot().value().unsynced() == 0);

  auto other = place.directory->open("y", OpenMode::create).value();
  other.write_at(as_bytes("data"), 0).value();
  place.directory->sync().value();
  CHECK(place.after(CrashMode::drop_unsynced) == Contents{{"x", "data"}, {"y", ""}});
  CHECK(place.disk.snapshot().value().unsynced() == 2);
}

TEST_CASE("what was there before is durable", "[os][simulated_disk]") {
  const test::TempDirectory temp(test::TempDirectory::fast_parent());
  const auto plain = os::open_directory(temp.path(), false).value();
  plain->subdirectory("sub", true).value()->replace_file("x", "old").value();
  SimulatedDisk disk(temp.path());
  const auto directory = os::open_directory(temp.path(), false, &disk).value();
  auto file =
      directory->subdirectory("sub", false).value()->open("x", OpenMode::read_write).value();
  file.write_at(as_bytes("NEW"), 0).value();
  const auto target = os::make_memory_directory();
  disk.crash({.mode = CrashMode::drop_unsynced}, *target).value();
  Contents found;
  read_tree(*target, "", found);
  CHECK(found == Contents{{"sub/", ""}, {"sub/x", "old"}});
}

TEST_CASE("a sync of mapped pages makes those pages durable", "[os][simulated_disk]") {
  Place place;
  auto file = place.directory->open("x", OpenMode::create).value();
  file.reserve(0, 4 * page).value();
  place.directory->sync().value();
  const auto mapping = os::Mapping::map(file, 8 * page, os::MapMode::read_write).value();
  std::memset(mapping.data(), 'a', 4 * page);
  CHECK(place.after(CrashMode::drop_unsynced) == Contents{{"x", ""}});
  mapping.sync(page + 10, 20).value();
  CHECK(place.after(CrashMode::drop_unsynced) ==
        Contents{{"x", std::string(page, '\0') + fill('a')}});
  mapping.sync(0, 8 * page).value();
  CHECK(place.after(CrashMode::drop_unsynced) == Contents{{"x", fill('a', 4 * page)}});
}

TEST_CASE("changed pages survive one by one, or torn in sectors", "[os][simulated_disk]") {
  Place place;
  const std::string old_bytes = fill('o', 3 * page);
  auto file = place.synced_file("x", old_bytes);
  file.write_at(as_bytes(fill('n', 2 * page)), page / 2).value();
  const std::string new_bytes = file.read_all().value();
  const bool by_page = GENERATE(true, false);
  const std::size_t unit = by_page ? page : 512;
  const auto mode = by_page ? CrashMode::random_pages : CrashMode::random_sectors;
  std::set<std::string> seen;
  for (const auto& outcome : place.outcomes(mode, NameChanges::ordered)) {
    const std::string& content = outcome.at("x");
    REQUIRE(content.size() == 3 * page);
    bool only_old_or_new = true;
    for (std::size_t at = 0; at < content.size(); at += unit)
      only_old_or_new = only_old_or_new && (content.compare(at, unit, old_bytes, at, unit) == 0 ||
                                            content.compare(at, unit, new_bytes, at, unit) == 0);
    CHECK(only_old_or_new);
    seen.insert(content);
  }
  // Three changed pages have 8 outcomes; 16 changed sectors far more than 400 tries show.
  CHECK((by_page ? seen.size() == 8 : seen.size() > 100));
}

TEST_CASE("a prefix of the changes may survive", "[os][simulated_disk]") {
  Place place;
  auto file = place.synced_file("x", fill('o', page));
  file.write_at(as_bytes(fill('n', 4 * page)), 0).value();
  std::set<std::size_t> lengths;
  for (const auto& outcome : place.outcomes(CrashMode::prefix, NameChanges::ordered)) {
    const std::string& content = outcome.at("x");
    const std::size_t fresh = std::min(content.find_first_not_of('n'), content.size());
    CHECK(fresh % 512 == 0);
    CHECK(content.find('n', fresh) == std::string::npos);
    lengths.insert(content.size());
  }
  CHECK(lengths.size() > 10);
  CHECK(*lengths.begin() == page);
  CHECK(*lengths.rbegin() == 4 * page);
}

TEST_CASE("an append is there with its old or new size, data or zeros", "[os][simulated_disk]") {
  Place place;
  auto file = place.synced_file("x", "old");
  file.write_at(as_bytes("new"), 3).value();
  CHECK(
      place.outcomes(CrashMode::random_sectors, NameChanges::ordered) ==
      std::set<Contents>{{{"x", "old"}}, {{"x", std::string("old\0\0\0", 6)}}, {{"x", "oldnew"}}});
}

TEST_CASE("a cut survives wholly or not at all", "[os][simulated_disk]") {
  Place place;
  auto file = place.synced_file("x", fill('o', 3 * page));
  file.resize(page).value();
  file.write_at(as_bytes(fill('n')), page).value();
  CHECK(place.outcomes(CrashMode::random_pages, NameChanges::ordered) ==
        std::set<Contents>{{{"x", fill('o', 3 * page)}},
                           {{"x", fill('o')}},
                           {{"x", fill('o') + fill('\0')}},
                           {{"x", fill('o') + fill('n')}}});
  CHECK(place.after(CrashMode::drop_unsynced) == Contents{{"x", fill('o', 3 * page)}});
  file.sync().value();
  CHECK(place.after(CrashMode::drop_unsynced) == Contents{{"x", fill('o') + fill('n')}});
}

TEST_CASE("names change durably with their directory only", "[os][simulated_disk]") {
  Place place;
  static_cast<void>(place.synced_file("a", "A"));
  static_cast<void>(place.synced_file("b", "B"));
  const auto sub = place.directory->subdirectory("sub", true).value();
  place.directory->sync().value();
  sub->open("c", OpenMode::create).value();
  const Contents before{{"a", "A"}, {"b", "B"}, {"sub/", ""}};
  const Contents renamed{{"b", "A"}, {"sub/", ""}};

  place.directory->rename("a", "b").value();
  CHECK(place.after(CrashMode::drop_unsynced) == before);
  place.directory->sync().value();
  CHECK(place.after(CrashMode::drop_unsynced) == renamed);
  place.directory->remove("b").value();
  CHECK(place.after(CrashMode::drop_unsynced) == renamed);
  CHECK(place.after(CrashMode::keep_all) == Contents{{"sub/", ""}, {"sub/c", ""}});
  place.directory->remove_tree("sub").value();
  place.directory->sync().value();
  CHECK(place.after(CrashMode::drop_unsynced).empty());
}

TEST_CASE("unsynced changes of names survive in order, or in any", "[os][simulated_disk]") {
  Place place;
  static_cast<void>(place.synced_file("a", "A"));
  static_cast<void>(place.synced_file("b", "B"));
  place.directory->rename("a", "c").value();
  place.directory->remove("b").value();
  const Contents none{{"a", "A"}, {"b", "B"}}, first{{"c", "A"}, {"b", "B"}}, both{{"c", "A"}};
  CHECK(place.outcomes(CrashMode::random_pages, NameChanges::ordered) ==
        std::set<Contents>{none, first, both});
  CHECK(place.outcomes(CrashMode::random_pages, NameChanges::independent) ==
        std::set<Contents>{none, first, both, Contents{{"a", "A"}}});
}

TEST_CASE("a node never has two names after a crash", "[os][simulated_disk]") {
  Place place;
  static_cast<void>(place.synced_file("a", "A"));
  place.directory->rename("a", "b").value();
  place.directory->rename("b", "c").value();
  for (const auto& outcome : place.outcomes(CrashMode::random_pages, NameChanges::independent))
    CHECK(outcome.size() == 1);
}

TEST_CASE("a handle reports by the name it was opened with", "[os][simulated_disk]") {
  Place place;
  auto file = place.directory->open("x.tmp", OpenMode::create).value();
  file.write_at(as_bytes("data"), 0).value();
  place.directory->rename("x.tmp", "x").value();
  place.directory->sync().value();
  CHECK(place.after(CrashMode::drop_unsynced) == Contents{{"x", ""}});
  file.sync().value();
  CHECK(place.after(CrashMode::drop_unsynced) == Contents{{"x", "data"}});
}

TEST_CASE("a removed file that comes back has what it had", "[os][simulated_disk]") {
  Place place;
  auto file = place.synced_file("x", fill('o', 2 * page));
  file.write_at(as_bytes(fill('n')), 0).value();
  place.directory->remove("x").value();
  place.directory->open("x", OpenMode::create).value().write_at(as_bytes("other"), 0).value();
  CHECK(place.after(CrashMode::drop_unsynced) == Contents{{"x", fill('o', 2 * page)}});
  CHECK(place.after(CrashMode::keep_all) == Contents{{"x", "other"}});
  const auto outcomes = place.outcomes(CrashMode::random_pages, NameChanges::ordered);
  CHECK(outcomes.contains(Contents{{"x", fill('n') + fill('o')}}));
  CHECK(outcomes.contains(Contents{}));
  CHECK(outcomes.contains(Contents{{"x", "other"}}));
}

TEST_CASE("after a failed sync the next one does not write those pages", "[os][simulated_disk]") {
  Place place;
  auto file = place.synced_file("x", fill('o', 2 * page));
  file.write_at(as_bytes(fill('n', 2 * page)), 0).value();
  place.io.fail({.ops = {IoOp::sync_data}});
  CHECK_FALSE(file.sync().has_value());
  file.sync().value();
  CHECK(place.after(CrashMode::drop_unsynced) == Contents{{"x", fill('o', 2 * page)}});
  file.write_at(as_bytes(fill('N', 10)), 0).value();
  file.sync().value();
  const std::string first_page = fill('N', 10) + fill('n', page - 10);
  CHECK(place.after(CrashMode::drop_unsynced) == Contents{{"x", first_page + fill('o')}});
  CHECK(file.read_all().value() == first_page + fill('n'));
  file.drop_cache().value();
  CHECK(file.read_all().value() == first_page + fill('o'));
}

TEST_CASE("images of every step stay as they were", "[os][simulated_disk]") {
  Place place;
  auto file = place.synced_file("x", "");
  std::vector<testing::DiskImage> images;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    images.push_back(place.disk.snapshot().value());
    const std::string next(100, static_cast<char>('a' + i % 26));
    file.write_at(as_bytes(next), expected.size()).value();
    file.sync().value();
    expected += next;
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto target = os::make_memory_directory();
    images[i].materialize({.seed = i}, *target).value();
    CHECK(target->read_file("x").value() == expected.substr(0, 100 * i));
  }
}

TEST_CASE("the same crash twice is the same", "[os][simulated_disk]") {
  Place place;
  auto file = place.synced_file("x", fill('o', 64 * page));
  file.write_at(as_bytes(fill('n', 64 * page)), 0).value();
  place.directory->open("y", OpenMode::create).value();
  const Crash crash{.seed = 42};
  CHECK(place.after(crash) == place.after(crash));
  CHECK(place.after(crash) != place.after(Crash{.seed = 43}));
}

// What the simulation is for: small logs that acknowledge records, and are each wrong in one way.
namespace {

struct Wrong {
  bool skips_file_sync = false;
  bool skips_directory_sync = false;
  bool syncs_first_page_only = false;
  bool trusts_second_sync = false;
  bool renames_before_sync = false;
};

constexpr std::size_t record_bytes = 1000;

std::string record(std::size_t number) {
  return fill(static_cast<char>('A' + number % 26), record_bytes);
}

Result<void> flush(os::File& file, const Wrong& wrong) {
  if (wrong.skips_file_sync) return {};
  if (wrong.syncs_first_page_only) {
    MILLRACE_TRY(const auto map, os::Mapping::map(file, page, os::MapMode::read_write));
    return map.sync(0, page);
  }
  auto synced = file.sync();
  if (!synced && wrong.trusts_second_sync) synced = file.sync();
  return synced;
}

/// Appends records to a log that it starts by renaming; how many it acknowledged.
std::size_t run_log(os::Directory& directory, const Wrong& wrong,
                    const std::function<void(std::size_t)>& step) {
  std::size_t acknowledged = 0;
  auto file = directory.open("log.tmp", OpenMode::replace);
  if (!file || !file->write_at(as_bytes("header__"), 0)) return 0;
  if (!wrong.renames_before_sync && !file->sync()) return 0;
  if (!directory.rename("log.tmp", "log")) return 0;
  if (!wrong.skips_directory_sync && !directory.sync()) return 0;
  for (std::size_t i = 0; i < 12; ++i) {
    const std::size_t position = 8 + i * record_bytes;
    if (!file->write_at(as_bytes(record(i)), position)) return acknowledged;
    if (!flush(*file, wrong)) return acknowledged;
    ++acknowledged;
    step(acknowledged);
  }
  return acknowledged;
}

/// Whether everything acknowledged is there.
bool holds(os::Directory& directory, std::size_t acknowledged) {
  if (acknowledged == 0) return true;
  const auto content = directory.read_file("log");
  if (!content || !content->starts_with("header__")) return false;
  for (std::size_t i = 0; i < acknowledged; ++i)
    if (content->compare(8 + i * record_bytes, record_bytes, record(i)) != 0) return false;
  return true;
}

/// How many of many crashes lost something acknowledged.
std::size_t losses(const Wrong& wrong, CrashMode mode, std::uint64_t failing_sync) {
  Place place;
  if (failing_sync != 0)
    place.io.fail({.nth = failing_sync, .ops = {IoOp::sync_data}, .path_suffix = "log.tmp"});
  std::vector<std::pair<testing::DiskImage, std::size_t>> images;
  const auto keep = [&](std::size_t acknowledged) {
    images.emplace_back(place.disk.snapshot().value(), acknowledged);
  };
  keep(run_log(*place.directory, wrong, keep));
  std::mt19937_64 rng(millrace_test::campaign_seed(20'240'607));
  std::size_t lost = 0;
  for (const auto& [image, acknowledged] : images) {
    for (std::uint64_t i = 0; i < millrace_test::campaign_rounds(10, 300); ++i) {
      const auto target = os::make_memory_directory();
      const auto names = (i & 1) != 0 ? NameChanges::ordered : NameChanges::independent;
      image.materialize({mode, rng(), names}, *target).value();
      if (!holds(*target, acknowledged)) ++lost;
    }
  }
  return lost;
}

}  // namespace

TEST_CASE("a log that syncs before it acknowledges loses nothing", "[os][simulated_disk]") {
  INFO("MILLRACE_SEED=" << millrace_test::campaign_seed(20'240'607));
  const auto mode = GENERATE(CrashMode::drop_unsynced, CrashMode::keep_all, CrashMode::random_pages,
                             CrashMode::random_sectors, CrashMode::prefix);
  const auto failing_sync = GENERATE(0u, 1u, 5u);
  CHECK(losses({}, mode, failing_sync) == 0);
}

TEST_CASE("a log that is wrong in one way is caught", "[os][simulated_disk]") {
  INFO("MILLRACE_SEED=" << millrace_test::campaign_seed(20'240'607));
  const auto mode = GENERATE(CrashMode::drop_unsynced, CrashMode::random_pages,
                             CrashMode::random_sectors, CrashMode::prefix);
  CAPTURE(static_cast<int>(mode));
  CHECK(losses({.skips_file_sync = true}, mode, 0) > 0);
  CHECK(losses({.skips_directory_sync = true}, mode, 0) > 0);
  CHECK(losses({.syncs_first_page_only = true}, mode, 0) > 0);
  CHECK(losses({.trusts_second_sync = true}, mode, 5) > 0);
  CHECK(losses({.skips_file_sync = true}, CrashMode::keep_all, 0) == 0);
}

TEST_CASE("a directory the disk does not know breaks the simulation loudly",
          "[os][simulated_disk]") {
  Place place;
  const auto unseen = os::open_directory(place.temp / "unseen", true).value();
  place.directory->subdirectory("unseen", false).value()->open("x", OpenMode::create).value();
  const auto image = place.disk.snapshot();
  REQUIRE_FALSE(image.has_value());
  CHECK(image.error().message().find("unseen/x") != std::string::npos);
}
