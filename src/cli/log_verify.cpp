#include <fmt/format.h>

#include <memory>

#include "commands.hpp"
#include "json_text.hpp"
#include "log_target.hpp"
#include "progress.hpp"
#include "standard_streams.hpp"

namespace millrace::inline v0::cli {
namespace {

using storage::Finding;
using storage::PartitionReport;
using storage::Severity;

struct VerifyOptions {
  LogTargetOptions target;
  bool json = false;
};

/// How many findings there are of each severity.
struct Tally {
  std::uint64_t notes = 0;
  std::uint64_t problems = 0;
  std::uint64_t damage = 0;

  void add(const std::vector<Finding>& findings) {
    for (const Finding& finding : findings) {
      ++(finding.severity == Severity::note      ? notes
         : finding.severity == Severity::problem ? problems
                                                 : damage);
    }
  }
  std::string text() const {
    std::string text = damage > 0 ? fmt::format("DAMAGED in {}", counted(damage, "place")) : "";
    if (problems > 0) text += (text.empty() ? "" : ", ") + counted(problems, "problem");
    if (notes > 0) text += (text.empty() ? "ok, " : ", ") + counted(notes, "note");
    return text.empty() ? "ok" : text;
  }
};

Json as_json(const OffsetRange& range) {
  return Json::array({range.begin.value(), range.end.value()});
}

Json as_json(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    Json one;
    one["severity"] = name_of(finding.severity);
    one["kind"] = storage::name_of(finding.kind);
    one["file"] = finding.file;
    one["position"] = finding.position;
    one["length"] = finding.length;
    one["offsets"] =
        finding.offsets.begin < finding.offsets.end ? as_json(finding.offsets) : Json(nullptr);
    one["text"] = finding.text;
    list.push_back(std::move(one));
  }
  return list;
}

std::string_view text_of(const std::optional<storage::ControlState>& state) noexcept {
  if (!state) return "unknown";
  switch (*state) {
    case storage::ControlState::clean:
      return "closed";
    case storage::ControlState::live:
      return "not closed";
    case storage::ControlState::failed:
      return "sync failed";
    default:
      return "unknown";
  }
}

Json as_json(const std::string& name, const PartitionReport& report) {
  Json one;
  one["partition"] = name;
  one["state"] = text_of(report.state);
  one["log_start_offset"] = report.log_start_offset.value();
  one["log_end_offset"] = report.log_end_offset.value();
  one["records"] = report.records;
  one["batches"] = report.batches;
  one["bytes"] = report.bytes;
  one["segments"] = Json::array();
  for (const storage::SegmentSummary& segment : report.segments) {
    one["segments"].push_back({{"file", segment.file},
                               {"base_offset", segment.base_offset.value()},
                               {"next_offset", segment.next_offset.value()},
                               {"records", segment.records},
                               {"batches", segment.batches},
                               {"bytes", segment.bytes},
                               {"file_bytes", segment.file_bytes},
                               {"offset_index_entries", segment.offset_entries},
                               {"time_index_entries", segment.time_entries},
                               {"largest_timestamp", segment.largest_timestamp.milliseconds()}});
  }
  one["unreadable"] = Json::array();
  for (const OffsetRange& range : report.unreadable()) one["unreadable"].push_back(as_json(range));
  one["findings"] = as_json(report.findings);
  return one;
}

std::string as_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += fmt::format("  {}: {}\n", name_of(finding.severity), finding.text);
  }
  return text;
}

std::string as_text(const std::string& name, const PartitionReport& report) {
  Tally tally;
  tally.add(report.findings);
  return fmt::format("{}: {}; offsets [{}, {}), {} in {} and {}, {} bytes\n", name, tally.text(),
                     report.log_start_offset.value(), report.log_end_offset.value(),
                     counted(report.records, "record"), counted(report.batches, "batch"),
                     counted(report.segments.size(), "segment"), with_commas(report.bytes)) +
         as_text(report.findings);
}

class Verification {
 public:
  Verification(LogTarget target, bool json)
      : target_(std::move(target)), json_(json), progress_("verifying", target_.log_bytes()) {}
  Result<void> run();

 private:
  PartitionReport look_at(const LogPartition& partition);
  Result<void> conclude() const;

  const LogTarget target_;
  const bool json_;
  Progress progress_;
  Output output_;
  Tally tally_;
  std::uint64_t records_ = 0;
  std::uint64_t bytes_ = 0;
};

PartitionReport Verification::look_at(const LogPartition& partition) {
  auto report =
      storage::verify_partition(partition.directory, [this](const record::BatchView& batch) {
        records_ += static_cast<std::uint64_t>(batch.record_count());
        bytes_ += batch.size();
        progress_.update(records_, bytes_);
      });
  if (!report) {
    report = PartitionReport{};
    report->findings.push_back({storage::FindingKind::damaged_batches,
                                Severity::damage,
                                partition.name,
                                0,
                                0,
                                {},
                                report.error().message()});
  }
  return *std::move(report);
}

Result<void> Verification::conclude() const {
  if (tally_.damage == 0 && tally_.problems == 0) return {};
  const std::string found =
      tally_.damage > 0 ? "something cannot be read" : "nothing is lost, but not all is in order";
  return Error(Errc::corrupt_data,
               fmt::format("{}: {}; see the findings that are more than notes. What can be mended "
                           "is by: millrace log repair {}; what cannot be read after that comes "
                           "back from a copy only, and readers go on behind it when told to "
                           "(millrace consume --skip-damaged)",
                           target_.path, found, target_.path));
}

Result<void> Verification::run() {
  Json partitions = Json::array();
  tally_.add(target_.findings);
  for (const LogPartition& partition : target_.partitions) {
    const PartitionReport report = look_at(partition);
    tally_.add(report.findings);
    if (json_) {
      partitions.push_back(as_json(partition.name, report));
      continue;
    }
    progress_.clear();
    output_.buffer() += as_text(partition.name, report);
    MILLRACE_CHECK(output_.flush());
  }
  progress_.clear();
  if (json_) {
    Json whole;
    whole["path"] = target_.path;
    whole["notes"] = tally_.notes;
    whole["problems"] = tally_.problems;
    whole["damage"] = tally_.damage;
    whole["findings"] = as_json(target_.findings);
    whole["partitions"] = std::move(partitions);
    output_.buffer() += whole.dump() + "\n";
  } else {
    if (!target_.findings.empty()) output_.buffer() += target_.path + ":\n";
    output_.buffer() += as_text(target_.findings);
    const bool has_nothing = target_.partitions.empty() && target_.findings.empty();
    output_.buffer() +=
        has_nothing
            ? fmt::format("{} has no topics: there is nothing to verify\n", target_.path)
            : fmt::format("{}, {}, {} bytes: {}\n", counted(target_.partitions.size(), "partition"),
                          counted(records_, "record"), with_commas(bytes_), tally_.text());
  }
  MILLRACE_CHECK(output_.flush());
  return conclude();
}

Result<void> verify(const VerifyOptions& options) {
  MILLRACE_TRY(LogTarget target, open_log_target(options.target, LogAccess::read));
  return Verification(std::move(target), options.json).run();
}

}  // namespace

void add_log_verify(Program& program, CLI::App& log) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App& command = *log.add_subcommand(
      "verify", "Read every byte of a directory that nobody has open, and say what is wrong");
  add_log_target(command, options->target);
  command.add_flag("--json", options->json, "Print one JSON object");
  command.footer(
      "Changes nothing. A note is something that is normal after a crash and that opening takes\n"
      "care of; with a problem no record is lost; damage are records that cannot be read.\n"
      "Exit code 0 if there is nothing worse than notes, 1 otherwise.");
  program.on_directory(command, options->target.path, [options] { return verify(*options); });
}

}  // namespace millrace::inline v0::cli
