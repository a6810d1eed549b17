#include <fmt/format.h>

#include <memory>

#include "commands.hpp"
#include "log_target.hpp"
#include "progress.hpp"
#include "standard_streams.hpp"

namespace millrace::inline v0::cli {
namespace {

struct RepairOptions {
  LogTargetOptions target;
  bool dry_run = false;
};

std::string as_text(const std::string& name, const storage::RepairReport& report, bool dry_run) {
  if (report.done.empty() && report.lost.empty()) return name + ": nothing to do\n";
  std::string text = fmt::format("{}:{}\n", name, dry_run ? " a repair would leave it so:" : "");
  for (const std::string& sentence : report.done) text += "  " + sentence + "\n";
  for (const OffsetRange& range : report.lost) {
    text += fmt::format("  lost: offsets [{}, {}) {} be read\n", range.begin.value(),
                        range.end.value(), dry_run ? "could not" : "cannot");
  }
  return text;
}

Result<void> repair(const RepairOptions& options) {
  const auto access = options.dry_run ? LogAccess::read : LogAccess::write;
  MILLRACE_TRY(const LogTarget target, open_log_target(options.target, access));
  Progress progress(options.dry_run ? "looking" : "repairing", target.log_bytes());
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  storage::RepairOptions how;
  how.dry_run = options.dry_run;
  how.progress = [&](const record::BatchView& batch) {
    records += static_cast<std::uint64_t>(batch.record_count());
    bytes += batch.size();
    progress.update(records, bytes);
  };
  Output output;
  std::uint64_t side_files = 0;
  for (const LogPartition& partition : target.partitions) {
    const auto report = storage::repair_partition(partition.directory, how);
    progress.clear();
    if (!report) {
      return Error(
          report.error().code(),
          fmt::format("repairing {}: {}", partition.directory->path(), report.error().message()),
          report.error().os_code());
    }
    output.buffer() += as_text(partition.name, *report, options.dry_run);
    side_files += report->side_files.size();
    MILLRACE_CHECK(output.flush());
  }
  if (side_files > 0 && !options.dry_run) {
    output.buffer() += fmt::format("{} with what was taken out; delete when nobody needs it\n",
                                   counted(side_files, "file"));
  }
  if (target.partitions.empty() && target.findings.empty()) {
    output.buffer() += fmt::format("{} has no topics: nothing to do\n", target.path);
  }
  if (options.dry_run) output.buffer() += "a dry run: nothing was changed\n";
  MILLRACE_CHECK(output.flush());
  for (const storage::Finding& finding : target.findings) {
    if (finding.severity != storage::Severity::note) {
      return Error(Errc::corrupt_data, "cannot be repaired: " + finding.text);
    }
  }
  return {};
}

}  // namespace

void add_log_repair(Program& program, CLI::App& log) {
  const auto options = std::make_shared<RepairOptions>();
  CLI::App& command = *log.add_subcommand(
      "repair",
      "Put a directory that nobody has open in order, keeping a copy of what is taken out");
  add_log_target(command, options->target);
  command.add_flag("--dry-run", options->dry_run, "Say what would be done, and change nothing");
  command.footer(
      "Cuts torn tails, takes damaged bytes out into files SEGMENT.log.damaged-POSITION beside\n"
      "the segment, rebuilds indexes and checkpoints. What can be read before can be read after.\n"
      "Not needed after a crash: opening a log recovers it. Needs as much free space as the\n"
      "largest damaged segment. May be repeated.");
  program.on_directory(command, options->target.path, [options] { return repair(*options); });
}

}  // namespace millrace::inline v0::cli
