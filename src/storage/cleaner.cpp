#include <algorithm>
#include <limits>
#include <millrace/record/batch_builder.hpp>
#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/cleaner.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/index_builder.hpp>
#include <millrace/storage/tidy.hpp>
#include <millrace/storage/transaction_index.hpp>

namespace millrace::inline v0::storage {
namespace {

using record::BatchView;
using record::RecordCursor;
using record::RecordView;

/// Whether a segment has no more batches from `position` on: a kill while it was sealed, or a
/// truncation, may have left zeros.
Result<bool> ends_at(Segment& segment, std::uint64_t position) {
  const std::uint64_t rest = segment.end() - std::min(segment.end(), position);
  if (rest == 0) return true;
  const std::uint64_t head = std::min<std::uint64_t>(rest, record::layout::header_bytes);
  MILLRACE_CHECK(segment.check_readable(position, head));
  if (end_of_content(Bytes(segment.data() + position, head), 0) != 0) return false;
  MILLRACE_CHECK(segment.check_readable(position, rest));
  return end_of_content(Bytes(segment.data() + position, rest), 0) == 0;
}

/// Calls `visit(batch, is_last)` for every batch of a segment, in order, checking CRCs: compaction
/// must not carry damage over, nor drop what it cannot read.
template <typename Visit>
Result<void> for_each_batch(Segment& segment, Visit&& visit) {
  MILLRACE_CHECK(segment.open());
  std::uint64_t position = 0;
  MILLRACE_TRY(bool ended, ends_at(segment, position));
  while (!ended) {
    MILLRACE_CHECK(segment.check_readable(position, record::layout::header_bytes));
    const BatchView batch = segment.batch_at(position);
    if (batch.size() != 0) MILLRACE_CHECK(segment.check_readable(position, batch.size()));
    if (batch.size() == 0 || !batch.crc_matches()) {
      return Error(Errc::corrupt_data, "compaction stops at a damaged batch at byte " +
                                           std::to_string(position) + " of segment " +
                                           file_name(segment.base_offset(), log_suffix) +
                                           "; run `millrace log repair` on the directory");
    }
    position += batch.size();
    MILLRACE_TRY(ended, ends_at(segment, position));
    MILLRACE_CHECK(visit(batch, ended));
  }
  return {};
}

/// Calls `visit` for every batch of a segment that starts below `limit`, in order, up to damage:
/// only headers are read.
template <typename Visit>
Result<void> for_each_header(Segment& segment, Offset limit, Visit&& visit) {
  MILLRACE_CHECK(segment.open());
  for (std::uint64_t position = 0; position < segment.end();) {
    MILLRACE_CHECK(segment.check_readable(position, record::layout::header_bytes));
    const BatchView batch = segment.batch_at(position);
    if (batch.size() == 0 || batch.base_offset() >= limit) break;
    MILLRACE_CHECK(visit(batch));
    position += batch.size();
  }
  return {};
}

template <typename Visit>
Result<void> for_each_record(const BatchView& batch, std::vector<std::byte>& scratch,
                             Visit&& visit) {
  MILLRACE_TRY(RecordCursor cursor, RecordCursor::open(batch, scratch));
  RecordView record;
  for (auto step = cursor.next(record); step != RecordCursor::Step::end;
       step = cursor.next(record)) {
    if (step == RecordCursor::Step::malformed) {
      return Error(Errc::corrupt_data, "compaction met a malformed record in the batch at offset " +
                                           std::to_string(batch.base_offset().value()) +
                                           "; run `millrace log repair` on the directory");
    }
    MILLRACE_CHECK(visit(record));
  }
  return {};
}

/// The cleaned log and its indexes. The file is made when the first batch is not as it was in
/// `original`; until then what was put is that segment's beginning.
class CleanedFile {
 public:
  CleanedFile(os::DirectoryPtr directory, Segment& original)
      : directory_(std::move(directory)),
        original_(original),
        name_(file_name(original.base_offset(), log_suffix).append(cleaned_suffix)),
        indexes_(original.base_offset()) {}

  bool is_started() const noexcept { return file_.is_open(); }
  /// From here on the output differs from the original.
  Result<void> start() {
    if (is_started()) return {};
    MILLRACE_TRY(file_, directory_->open(name_, os::OpenMode::replace));
    return file_.write_at(Bytes(original_.data(), size_), 0);
  }
  Result<void> put(const BatchView& batch) {
    indexes_.add(batch, size_);
    size_ += batch.size();
    if (!is_started()) return {};
    buffer_.insert(buffer_.end(), batch.data(), batch.data() + batch.size());
    return buffer_.size() >= flush_bytes ? write_out() : Result<void>();
  }
  Result<void> finish() {
    if (!is_started()) return {};
    MILLRACE_CHECK(write_out());
    MILLRACE_CHECK(file_.sync());
    return indexes_.write(directory_, cleaned_suffix);
  }
  void discard() {
    if (!is_started()) return;
    static_cast<void>(directory_->remove(name_));
    for (const auto suffix : {offset_index_suffix, time_index_suffix}) {
      const auto name = file_name(original_.base_offset(), suffix).append(cleaned_suffix);
      static_cast<void>(directory_->remove(name));
    }
  }
  std::uint64_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t flush_bytes = 1u << 20;
  Result<void> write_out() {
    MILLRACE_CHECK(file_.write_at(buffer_, size_ - buffer_.size()));
    buffer_.clear();
    return {};
  }

  os::DirectoryPtr directory_;
  Segment& original_;
  std::string name_;
  os::File file_;
  IndexContent indexes_;
  std::vector<std::byte> buffer_;
  std::uint64_t size_ = 0;
};

class Rewriter {
 public:
  Rewriter(const CleanRules& rules, TransactionData& transactions, CleanedFile& out,
           CleanStats& stats)
      : rules_(rules), transactions_(transactions), out_(out), stats_(stats) {}

  Result<void> batch(const BatchView& batch, bool is_last) {
    stats_.bytes_before += batch.size();
    if (batch.is_control()) return control_batch(batch, is_last);
    if (batch.is_transactional()) transactions_.add(batch);
    const bool aborted = rules_.aborted->contains(batch);
    bool tombstones = false;
    std::int64_t kept = 0;
    std::int64_t seen = 0;
    MILLRACE_CHECK(for_each_record(batch, scratch_, [&](const RecordView& record) -> Result<void> {
      const bool keep = !aborted && keeps(batch, record);
      ++seen;
      kept += keep ? 1 : 0;
      tombstones |= keep && !record.value;
      return {};
    }));
    stats_.records_kept += static_cast<std::uint64_t>(kept);
    stats_.records_dropped += static_cast<std::uint64_t>(seen - kept);
    const bool stamps_horizon = tombstones && !batch.delete_horizon();
    if (kept == seen && !stamps_horizon && (kept != 0 || stays_empty(batch, is_last))) {
      return out_.put(batch);
    }
    MILLRACE_CHECK(out_.start());
    if (kept == 0 && !stays_empty(batch, is_last)) return {};
    return rewrite(batch, kept != 0, stamps_horizon);
  }

 private:
  /// A marker without any batch of its transaction stays until its horizon, as a tombstone does.
  Result<void> control_batch(const BatchView& batch, bool is_last) {
    if (!read_marker(batch) || transactions_.end(batch)) return out_.put(batch);
    const auto horizon = batch.delete_horizon();
    if (!horizon) {
      MILLRACE_CHECK(out_.start());
      return rewrite(batch, true, true);
    }
    if (rules_.now < *horizon || stays_empty(batch, is_last)) return out_.put(batch);
    stats_.dropped_markers.push_back(batch.base_offset());
    return out_.start();
  }

  bool keeps(const BatchView& batch, const RecordView& record) const {
    if (batch.is_control()) return true;
    if (!record.key) return false;
    const auto last = rules_.keys->find(as_text(*record.key));
    if (last && *last > record.offset) return false;
    if (record.value) return true;
    const auto horizon = batch.delete_horizon();
    return !horizon || rules_.now < *horizon;
  }

  /// The last batch holds the segment's end; others may hold a producer's last sequence.
  bool stays_empty(const BatchView& batch, bool is_last) const {
    return is_last || (rules_.last_batches != nullptr && rules_.last_batches->contains(batch));
  }

  Result<void> rewrite(const BatchView& batch, bool any, bool stamps_horizon) {
    builder_.reset({.codec = any ? batch.codec() : record::Codec::none,
                    .transactional = batch.is_transactional(),
                    .control = batch.is_control(),
                    .producer = batch.producer()});
    if (any) {
      MILLRACE_CHECK(for_each_record(batch, scratch_, [&](const RecordView& r) -> Result<void> {
        if (!keeps(batch, r)) return {};
        const auto delta = static_cast<std::int32_t>(r.offset - batch.base_offset());
        return builder_.add_at(delta, r.timestamp, r.key, r.value, r.headers);
      }));
    }
    auto horizon = batch.delete_horizon();
    if (stamps_horizon) horizon = rules_.now + rules_.delete_retention;
    MILLRACE_TRY(
        const MutableBytes bytes,
        builder_.finish_compacted(batch.last_offset_delta(), horizon, batch.max_timestamp()));
    record::stamp_batch(bytes, batch.base_offset(), batch.leader_epoch());
    if (any && batch.timestamp_type() == record::TimestampType::log_append_time) {
      record::stamp_append_time(bytes, batch.max_timestamp());
    }
    MILLRACE_TRY(const BatchView rewritten, BatchView::parse(bytes));
    return out_.put(rewritten);
  }

  const CleanRules& rules_;
  TransactionData& transactions_;
  CleanedFile& out_;
  CleanStats& stats_;
  record::BatchBuilder builder_;
  std::vector<std::byte> scratch_;
};

/// Gathers the transaction indexes of segments that become one: what was read of them a moment ago
/// has the records of aborted transactions still.
Result<void> join_transactions(const os::DirectoryPtr& directory,
                               const std::vector<SegmentPtr>& replaced) {
  std::vector<AbortedTransaction> joined;
  if (replaced.size() == 1) return {};
  for (const auto& segment : replaced) {
    const auto transactions = read_transaction_index(directory, segment->base_offset());
    if (!transactions) continue;  // in what was cleaned there are no such records
    joined.insert(joined.end(), transactions->begin(), transactions->end());
  }
  if (joined.empty()) return {};
  sort_by_marker(joined);  // one that was undone has left some in two
  return write_transaction_index(directory, replaced.front()->base_offset(), joined);
}

}  // namespace

void KeyOffsets::set(std::string_view key, Offset offset) {
  if (const auto found = offsets_.find(key); found != offsets_.end()) {
    found->second = offset;
    return;
  }
  constexpr std::uint64_t entry_bytes = 64;  // node, hash, bucket
  memory_bytes_ += entry_bytes + key.size();
  offsets_.emplace(std::string(key), offset);
}

std::optional<Offset> KeyOffsets::find(std::string_view key) const noexcept {
  const auto found = offsets_.find(key);
  if (found == offsets_.end()) return std::nullopt;
  return found->second;
}

Result<void> collect_transactions(Segment& segment, Offset limit, AbortedTransactions& aborted) {
  return for_each_header(segment, limit, [&](const BatchView& batch) -> Result<void> {
    if (batch.is_control()) {
      const auto position = static_cast<std::uint64_t>(batch.data() - segment.data());
      MILLRACE_CHECK(segment.check_readable(position, batch.size()));
    }
    aborted.add(batch);
    return {};
  });
}

Result<void> collect_last_batches(Segment& segment, Offset limit, LastBatches& last) {
  return for_each_header(segment, limit, [&](const BatchView& batch) -> Result<void> {
    last.add(batch);
    return {};
  });
}

void LastBatches::add(const BatchView& batch) noexcept {
  const auto found = last_.find(batch.producer().id);
  if (found == last_.end()) return;
  (batch.is_control() ? found->second.marker : found->second.batch) = batch.last_offset();
}

bool LastBatches::contains(const BatchView& batch) const noexcept {
  const auto found = last_.find(batch.producer().id);
  if (found == last_.end()) return false;
  const Last& last = found->second;
  return (batch.is_control() ? last.marker : last.batch) == batch.last_offset();
}

Result<void> collect_keys(Segment& segment, const AbortedTransactions& aborted, KeyOffsets& keys) {
  std::vector<std::byte> scratch;
  return for_each_batch(segment, [&](const BatchView& batch, bool) -> Result<void> {
    if (batch.is_control() || aborted.contains(batch)) return {};
    return for_each_record(batch, scratch, [&](const RecordView& record) -> Result<void> {
      if (record.key) keys.set(as_text(*record.key), record.offset);
      return {};
    });
  });
}

Result<CleanStats> rewrite_segments(const std::vector<SegmentPtr>& segments,
                                    const CleanRules& rules, TransactionData& transactions) {
  Segment& first = *segments.front();
  MILLRACE_CHECK(finish_exchange(first.directory()));
  MILLRACE_CHECK(first.open());
  CleanedFile out(first.directory(), first);
  CleanStats stats;
  Rewriter rewriter(rules, transactions, out, stats);
  auto written = [&]() -> Result<void> {
    if (segments.size() > 1) MILLRACE_CHECK(out.start());
    for (const auto& segment : segments) {
      const bool is_last_segment = segment == segments.back();
      MILLRACE_CHECK(for_each_batch(*segment, [&](const BatchView& batch, bool is_last) {
        return rewriter.batch(batch, is_last_segment && is_last);
      }));
    }
    return out.finish();
  }();
  if (!written) {
    out.discard();
    return std::move(written).error();
  }
  stats.bytes_after = out.size();
  stats.changed = out.is_started();
  return stats;
}

Result<void> forget_transactions(const std::vector<SegmentPtr>& segments,
                                 const std::vector<Offset>& dropped_markers) {
  const auto is_dropped = [&](const AbortedTransaction& one) {
    return std::binary_search(dropped_markers.begin(), dropped_markers.end(), one.last_offset);
  };
  for (const auto& segment : segments) {
    if (dropped_markers.empty()) break;
    const auto& directory = segment->directory();
    auto transactions = read_transaction_index(directory, segment->base_offset());
    if (!transactions || std::erase_if(*transactions, is_dropped) == 0) continue;
    MILLRACE_CHECK(write_transaction_index(directory, segment->base_offset(), *transactions));
  }
  return {};
}

Result<void> swap_in(const os::DirectoryPtr& directory, const std::vector<SegmentPtr>& replaced,
                     Offset end) {
  const Offset base = replaced.front()->base_offset();
  const std::string log = file_name(base, log_suffix);
  // An announcement without its cleaned file stands for a finished exchange: the file is there
  // first.
  MILLRACE_CHECK(directory->sync());
  MILLRACE_CHECK(begin_exchange(directory, {base, end}));
  MILLRACE_CHECK(join_transactions(directory, replaced));
  for (const auto suffix : {offset_index_suffix, time_index_suffix}) {
    MILLRACE_CHECK(directory->remove(file_name(base, suffix)));
  }
  MILLRACE_CHECK(directory->rename(std::string(log).append(cleaned_suffix), log));
  for (const auto suffix : {offset_index_suffix, time_index_suffix}) {
    const std::string name = file_name(base, suffix);
    MILLRACE_CHECK(directory->rename(std::string(name).append(cleaned_suffix), name));
  }
  MILLRACE_CHECK(directory->sync());
  for (std::size_t i = 1; i < replaced.size(); ++i) {
    MILLRACE_CHECK(remove_segment_files(directory, replaced[i]->base_offset()));
  }
  return end_exchange(directory);
}

std::vector<std::vector<SegmentPtr>> group_segments(const std::vector<SegmentPtr>& segments,
                                                    const LogOptions& options) {
  std::vector<std::vector<SegmentPtr>> groups;
  std::uint64_t bytes = 0;
  for (const auto& segment : segments) {
    const std::uint64_t size = segment->file_bytes().value_or(options.segment_bytes);
    const bool fits = !groups.empty() && bytes + size <= options.segment_bytes &&
                      segment->base_offset() - groups.back().front()->base_offset() <
                          std::numeric_limits<std::int32_t>::max() / 2;
    if (!fits) {
      groups.emplace_back();
      bytes = 0;
    }
    groups.back().push_back(segment);
    bytes += size;
  }
  return groups;
}

}  // namespace millrace::inline v0::storage
