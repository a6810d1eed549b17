#include <millrace/storage/inspect.hpp>

#include "catch.hpp"
#include "storage/producer_fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using storage::FindingKind;
using storage::Severity;

namespace {

constexpr const char* first_log = "00000000000000000000.log";

/// Two segments, of batches of three records: 0 to 8, and 9 to 14; closed in order.
struct Closed {
  Place place{false};
  std::vector<std::uint64_t> ends{0};  // of the first segment's batches

  Closed() {
    const auto log = open_log(place.directory, {});
    for (std::int64_t i = 0; i < 5; ++i) {
      append(*log, numbered(i * 3, 3));
      if (i < 3) ends.push_back(log->control().active_end.load());
      if (i == 2) log->roll().value();
    }
    log->close().value();
  }
  void write(const char* name, std::uint64_t position, std::string_view bytes) const {
    place.directory->open(name, os::OpenMode::read_write)
        .value()
        .write_at(as_bytes(bytes), position)
        .value();
  }
  storage::PartitionReport verify() const {
    return storage::verify_partition(place.directory).value();
  }
};

/// "kind/severity " of each finding.
std::string summary(const storage::PartitionReport& report) {
  static const char* const severities[] = {"note", "problem", "damage"};
  std::string all;
  for (const auto& finding : report.findings) {
    CHECK_FALSE(finding.text.empty());
    all += std::string(storage::name_of(finding.kind)) + "/" +
           severities[static_cast<std::size_t>(finding.severity)] + " ";
  }
  return all;
}

}  // namespace

TEST_CASE("a log that was closed in order has no findings, and is counted", "[storage][inspect]") {
  const Closed closed;
  std::int64_t told = 0;
  const auto report =
      storage::verify_partition(closed.place.directory, [&](const record::BatchView&) {
        ++told;
      }).value();
  CHECK(summary(report) == "");
  CHECK_FALSE(report.worst());
  CHECK(report.state == storage::ControlState::clean);
  REQUIRE(report.segments.size() == 2);
  CHECK(report.segments[0].next_offset == Offset{9});
  CHECK(report.segments[0].bytes == closed.ends.back());
  CHECK(report.segments[1].base_offset == Offset{9});
  CHECK(report.segments[1].largest_timestamp == Timestamp{1'600'000'000'014});
  CHECK(report.batches == 5);
  CHECK(told == 5);
  CHECK(report.records == 15);
  CHECK(report.log_end_offset == Offset{15});
}

TEST_CASE("damage has its bytes and its offsets, and changes nothing else", "[storage][inspect]") {
  const Closed closed;
  closed.write(first_log, closed.ends[1] + 70, "xxxx");
  const auto before = closed.place.directory->read_file(first_log).value();
  const auto report = closed.verify();
  CHECK(report.worst() == Severity::damage);
  REQUIRE(report.findings.size() == 1);
  const auto& finding = report.findings.front();
  CHECK(finding.kind == FindingKind::damaged_batches);
  CHECK(finding.file == first_log);
  CHECK(finding.position == closed.ends[1]);
  CHECK(finding.length == closed.ends[2] - closed.ends[1]);
  CHECK(finding.offsets == OffsetRange{Offset{3}, Offset{6}});
  CHECK(report.unreadable() == std::vector{OffsetRange{Offset{3}, Offset{6}}});
  CHECK(closed.place.directory->read_file(first_log).value() == before);
}

TEST_CASE("unreadable offsets are sorted and merged", "[storage][inspect]") {
  storage::PartitionReport report;
  const auto add = [&](std::int64_t begin, std::int64_t end) {
    storage::Finding finding{FindingKind::damaged_batches, Severity::note, {}, 0, 0, {}, {}};
    finding.offsets = {Offset{begin}, Offset{end}};
    report.findings.push_back(finding);
  };
  CHECK(report.unreadable().empty());
  for (const auto& [begin, end] : std::vector<std::pair<int, int>>{
           {20, 30}, {0, 5}, {5, 7}, {25, 28}, {28, 31}, {40, 40}, {9, 10}}) {
    add(begin, end);
  }
  CHECK(report.unreadable() == std::vector{OffsetRange{Offset{0}, Offset{7}},
                                           OffsetRange{Offset{9}, Offset{10}},
                                           OffsetRange{Offset{20}, Offset{31}}});
  CHECK(report.worst() == Severity::note);
}

TEST_CASE("what is derived and wrong is a problem, and repaired", "[storage][inspect]") {
  const Closed closed;
  const char* const index = "00000000000000000009.timeindex";
  SECTION("an index") {
    closed.write(index, 0, "rubbish-rubb");
  }
  SECTION("a leftover") {
    closed.place.directory->replace_file("00000000000000000000.log.cleaned", "x").value();
  }
  SECTION("the epochs") {
    closed.place.directory->replace_file("leader-epoch-checkpoint", "no").value();
  }
  const auto report = closed.verify();
  CHECK(summary(report) != "");
  CHECK(report.unreadable().empty());
  CHECK(report.worst() <= Severity::problem);
  const auto tried =
      storage::repair_partition(closed.place.directory, {.dry_run = true, .progress = {}}).value();
  CHECK_FALSE(tried.done.empty());
  CHECK(summary(closed.verify()) == summary(report));
  const auto repaired = storage::repair_partition(closed.place.directory).value();
  CHECK(repaired.done == tried.done);
  CHECK(repaired.lost.empty());
  CHECK(closed.verify().worst() <= Severity::note);  // it was not closed by an owner
}

TEST_CASE("a repair takes damage out, once, and loses nothing else", "[storage][inspect]") {
  const Closed closed;
  const auto damaged =
      closed.place.directory->read_file(first_log).value().substr(0, closed.ends[1]);
  closed.write(first_log, 70, "xxxx");
  const auto repaired = storage::repair_partition(closed.place.directory).value();
  CHECK(repaired.lost == std::vector{OffsetRange{Offset{0}, Offset{3}}});
  REQUIRE(repaired.side_files.size() == 1);
  const auto taken_out = closed.place.directory->read_file(repaired.side_files[0]).value();
  CHECK(taken_out.size() == damaged.size());
  CHECK(taken_out.substr(70, 4) == "xxxx");
  const auto again = storage::repair_partition(closed.place.directory).value();
  CHECK(again.side_files.empty());
  const auto log = open_log(closed.place.directory, {});
  CHECK(log->log_end_offset() == Offset{15});
  CHECK(difference(read_all(*log, Offset{3}, Offset{15}), numbered(3, 12)) == "");
}

TEST_CASE("a dump shows batches and damage in order, until it is told to stop",
          "[storage][inspect]") {
  const Closed closed;
  closed.write(first_log, closed.ends[1] + 70, "xxxx");
  std::vector<std::string> seen;
  const auto look = [&](std::size_t most) {
    seen.clear();
    storage::dump_partition(closed.place.directory, [&](const storage::DumpItem& item) {
      CHECK(item.bytes.size() > 0);
      seen.push_back((item.batch.size() == 0 ? "damage " : "batch ") +
                     std::to_string(item.offsets.begin.value()));
      return seen.size() < most;
    }).value();
  };
  look(100);
  CHECK(seen == std::vector<std::string>{"batch 0", "damage 3", "batch 6", "batch 9", "batch 12"});
  look(2);
  CHECK(seen.size() == 2);
}

TEST_CASE("records and index entries are shown until it is enough", "[storage][inspect]") {
  const Closed closed;
  auto bytes = batch_of(numbered(0, 3), {.codec = record::Codec::none});
  const auto batch = record::BatchView::parse(bytes).value();
  int records = 0;
  storage::dump_records(batch, [&](const record::RecordView&) { return ++records < 2; }).value();
  CHECK(records == 2);
  int entries = 0;
  bool in_order = true;
  std::string before;
  storage::dump_indexes(closed.place.directory, [&](const storage::IndexItem& item) {
    in_order &= before.substr(0, 20) <= item.file.substr(0, 20);
    before = item.file;
    return ++entries > 0;
  }).value();
  CHECK(entries >= 2);  // a time entry a segment at least
  CHECK(in_order);
}

TEST_CASE("a directory without segments is an empty log", "[storage][inspect]") {
  const Place place(true);
  const auto report = storage::verify_partition(place.directory).value();
  CHECK(report.segments.empty());
  CHECK(report.records == 0);
  CHECK(report.unreadable().empty());
}

TEST_CASE("snapshots and transaction indexes are looked at, and repaired", "[storage][inspect]") {
  const Place place(false);
  {
    const auto log = open_log(place.directory, {.visible_on_append = true});
    try_append(*log, ProducerBatch{.count = 3, .transactional = true}).value();
    try_append(*log, Marker{.commit = false}).value();
    log->roll().value();
    try_append(*log, ProducerBatch{.sequence = 3}).value();
    log->close().value();
  }
  const std::string snapshot = "00000000000000000005.snapshot";
  const std::string index = "00000000000000000000.txnindex";
  const auto findings = [&] {
    const auto report = storage::verify_partition(place.directory).value();
    for (const auto& finding : report.findings) {
      if (finding.kind == FindingKind::control) continue;
      CHECK(finding.offsets == OffsetRange{});
      return std::string(storage::name_of(finding.kind)) + " " + finding.file;
    }
    return std::string();
  };
  REQUIRE(findings() == "");
  const auto entries = place.directory->read_file(index).value();
  std::string expected = "transaction_index " + index;
  SECTION("a damaged snapshot") {
    place.directory->open(snapshot, os::OpenMode::read_write).value().resize(20).value();
    expected = "producer_snapshot " + snapshot;
  }
  SECTION("a snapshot behind the log's end") {
    place.directory->rename(snapshot, "00000000000000000006.snapshot").value();
    expected = "producer_snapshot 00000000000000000006.snapshot";
  }
  SECTION("a damaged index") {
    place.directory->open(index, os::OpenMode::read_write).value().resize(20).value();
  }
  SECTION("an index that is gone") {
    place.directory->remove(index).value();
  }
  CHECK(findings() == expected);
  CHECK_FALSE(storage::repair_partition(place.directory, {.dry_run = true, .progress = {}})
                  .value()
                  .done.empty());
  CHECK(findings() == expected);
  CHECK_FALSE(storage::repair_partition(place.directory).value().done.empty());
  CHECK(findings() == "");
  CHECK(place.directory->read_file(index).value() == entries);
  const auto log = open_log(place.directory, {.visible_on_append = true});
  CHECK(try_append(*log, ProducerBatch{.sequence = 3}).value().is_duplicate);
}
