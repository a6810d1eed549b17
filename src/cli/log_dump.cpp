#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <memory>
#include <millrace/storage/file_names.hpp>

#include "commands.hpp"
#include "dump_print.hpp"
#include "log_target.hpp"
#include "progress.hpp"
#include "standard_streams.hpp"

namespace millrace::inline v0::cli {
namespace {

using storage::DumpItem;

struct DumpOptions {
  LogTargetOptions target;
  std::string offsets = ":";
  bool records = false;
  bool indexes = false;
  bool json = false;
};

/// `FROM:TO`, half-open; either may be left out.
Result<OffsetRange> parse_offsets(std::string_view text) {
  OffsetRange range{Offset{0}, Offset{std::numeric_limits<std::int64_t>::max()}};
  const auto wrong = [&] {
    return Error(Errc::invalid_argument,
                 fmt::format("\"{}\" is not of the form FROM:TO, for example 100:200 for the "
                             "offsets 100 to 199, or 100: for all from 100 on",
                             text));
  };
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return wrong();
  const auto take = [](std::string_view number, Offset& offset) {
    if (number.empty()) return true;
    std::int64_t value = -1;
    const char* const end = number.data() + number.size();
    const auto [stop, code] = std::from_chars(number.data(), end, value);
    offset = Offset{value};
    return code == std::errc{} && stop == end && value >= 0;
  };
  if (!take(text.substr(0, colon), range.begin) || !take(text.substr(colon + 1), range.end)) {
    return wrong();
  }
  if (range.begin > range.end) {
    return Error(Errc::invalid_argument,
                 fmt::format("\"{}\" ends before it begins; give the smaller offset first", text));
  }
  return range;
}

/// What --offsets is held against; of a snapshot, the offset up to which it knows the producers.
OffsetRange offsets_of(const storage::IndexItem& item) {
  if (const auto* offset = std::get_if<storage::OffsetEntry>(&item.entry)) {
    return {offset->offset, offset->offset + 1};
  }
  if (const auto* time = std::get_if<storage::TimeEntry>(&item.entry)) {
    return {time->offset, time->offset + 1};
  }
  if (const auto* aborted = std::get_if<storage::AbortedTransaction>(&item.entry)) {
    return {aborted->first_offset, aborted->last_offset + 1};
  }
  auto at = storage::parse_file_name(item.file, storage::snapshot_suffix);
  if (!at) at = storage::parse_file_name(item.file, storage::transaction_index_suffix);
  return {at.value_or(Offset{0}), at.value_or(Offset{0}) + 1};
}

class Dump {
 public:
  Dump(const DumpOptions& options, LogTarget target, OffsetRange offsets)
      : options_(options), target_(std::move(target)), offsets_(offsets), printer_(options.json) {}
  Result<void> run();

 private:
  bool goes_on();
  bool visit(const LogPartition& partition, const DumpItem& item);
  bool visit(const LogPartition& partition, const storage::IndexItem& item);
  void print_damage(const DumpItem& item);
  void print_records(const record::BatchView& batch);

  const DumpOptions& options_;
  const LogTarget target_;
  const OffsetRange offsets_;
  DumpPrinter printer_;
  Output output_;
  Result<void> outcome_;
  std::uint64_t damaged_ = 0;
};

bool Dump::goes_on() {
  outcome_ = output_.flush_if_full();
  return outcome_ && !output_.reader_is_gone();
}

void Dump::print_records(const record::BatchView& batch) {
  const auto walked = storage::dump_records(batch, [&](const record::RecordView& record) {
    if (record.offset >= offsets_.begin && record.offset < offsets_.end) {
      printer_.record(batch, record, output_.buffer());
    }
    return goes_on();
  });
  if (walked) return;
  ++damaged_;
  complain(walked.error().message());
}

/// The headers of damaged batches that still look like some say what has been lost.
void Dump::print_damage(const DumpItem& item) {
  ++damaged_;
  printer_.damage(item, output_.buffer());
  for (std::size_t at = 0; at < item.bytes.size();) {
    const auto batch = record::BatchView::try_parse(item.bytes.subspan(at));
    if (batch.size() == 0) return;
    printer_.batch(batch, item.position + at, batch.crc_matches(), output_.buffer());
    at += batch.size();
  }
}

bool Dump::visit(const LogPartition& partition, const DumpItem& item) {
  if (item.offsets.begin >= offsets_.end) return false;
  const bool is_damage = item.batch.size() == 0;
  if (item.offsets.end <= offsets_.begin &&
      !(is_damage && item.offsets.end > Offset{0} && item.offsets.begin == item.offsets.end)) {
    return true;
  }
  printer_.file(partition.name, item.file, output_.buffer());
  if (is_damage) {
    print_damage(item);
  } else {
    printer_.batch(item.batch, item.position, true, output_.buffer());
    if (options_.records) print_records(item.batch);
  }
  return goes_on();
}

bool Dump::visit(const LogPartition& partition, const storage::IndexItem& item) {
  const OffsetRange offsets = offsets_of(item);
  if (offsets.end <= offsets_.begin || offsets.begin >= offsets_.end) return true;
  if (const auto* error = std::get_if<Error>(&item.entry)) {
    ++damaged_;
    complain(error->message());
    return goes_on();
  }
  printer_.file(partition.name, item.file, output_.buffer());
  printer_.index_entry(item, output_.buffer());
  return goes_on();
}

Result<void> Dump::run() {
  for (const LogPartition& partition : target_.partitions) {
    MILLRACE_CHECK(storage::dump_partition(
        partition.directory, [&](const DumpItem& item) { return visit(partition, item); }));
    if (options_.indexes && outcome_ && !output_.reader_is_gone()) {
      MILLRACE_CHECK(storage::dump_indexes(
          partition.directory,
          [&](const storage::IndexItem& item) { return visit(partition, item); }));
    }
    MILLRACE_CHECK(outcome_);
    if (output_.reader_is_gone()) return {};
  }
  MILLRACE_CHECK(output_.flush());
  if (damaged_ == 0) return {};
  return Error(Errc::corrupt_data,
               fmt::format("{}: came upon {} of bytes that cannot be read; what they are, says: "
                           "millrace log verify {}",
                           target_.path, counted(damaged_, "range"), target_.path));
}

Result<void> dump(const DumpOptions& options) {
  MILLRACE_TRY(const OffsetRange offsets, parse_offsets(options.offsets));
  MILLRACE_TRY(LogTarget target, open_log_target(options.target, LogAccess::read));
  return Dump(options, std::move(target), offsets).run();
}

}  // namespace

void add_log_dump(Program& program, CLI::App& log) {
  const auto options = std::make_shared<DumpOptions>();
  CLI::App& command = *log.add_subcommand(
      "dump", "Print the batches of a directory that nobody has open, as Kafka's dump tool does");
  add_log_target(command, options->target);
  command.add_flag("--records", options->records, "Print the records of each batch, too");
  command.add_flag("--indexes", options->indexes,
                   "Print the entries of the indexes and of the snapshots of producers, too");
  command
      .add_option("--offsets", options->offsets,
                  "Only what has offsets from FROM up to, not including, TO; both may be left out")
      ->type_name("FROM:TO")
      ->check(checked_by(parse_offsets));
  command.add_flag("--json", options->json, "Print one JSON object a line");
  command.footer(
      "--records shows what __transaction_state and __consumer_offsets say as JSON, with the "
      "names\n"
      "of Kafka's schemas, and the markers at the ends of transactions.\n\n"
      "Changes nothing. Damaged bytes are shown with what their headers say, if they have any.\n"
      "In keys and values what is not printable is shown as \\xNN; with --json, what is not UTF-8\n"
      "is base64. Exit code 1 if something could not be read.");
  program.on_directory(command, options->target.path, [options] { return dump(*options); });
}

}  // namespace millrace::inline v0::cli
