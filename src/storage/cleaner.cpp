#include <millrace/storage/cleaner.hpp>

#include <algorithm>
#include <limits>

#include <millrace/record/batch_builder.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/tidy.hpp>

namespace millrace::inline v0::storage {
namespace {

using record::BatchView;
using record::RecordCursor;
using record::RecordView;

/// Calls `visit(batch)` for every batch of a segment, in order, checking CRCs: compaction must not
/// carry damage over, nor drop what it cannot read.
template <typename Visit>
Result<void> for_each_batch(Segment& segment, Visit&& visit) {
  MILLRACE_CHECK(segment.open());
  for (std::uint64_t position = 0; position < segment.end();) {
    MILLRACE_CHECK(segment.check_readable(position, record::layout::header_bytes));
    const BatchView batch = segment.batch_at(position);
    if (batch.size() != 0) MILLRACE_CHECK(segment.check_readable(position, batch.size()));
    if (batch.size() == 0 || !batch.crc_matches()) {
      return Error(Errc::corrupt_data, "compaction stops at a damaged batch at byte " +
                                           std::to_string(position) + " of segment " +
                                           file_name(segment.base_offset(), log_suffix) +
                                           "; run `millrace log repair` on the directory");
    }
    MILLRACE_CHECK(visit(batch));
    position += batch.size();
  }
  return {};
}

/// Writes batches one after another through a buffer.
class CleanedFile {
 public:
  explicit CleanedFile(os::File file) : file_(std::move(file)) {}
  Result<void> put(Bytes batch) {
    buffer_.insert(buffer_.end(), batch.begin(), batch.end());
    return buffer_.size() >= flush_bytes ? write_out() : Result<void>();
  }
  Result<std::uint64_t> finish() {
    MILLRACE_CHECK(write_out());
    MILLRACE_CHECK(file_.sync());
    return written_;
  }

 private:
  static constexpr std::size_t flush_bytes = 1u << 20;
  Result<void> write_out() {
    MILLRACE_CHECK(file_.write_at(buffer_, written_));
    written_ += buffer_.size();
    buffer_.clear();
    return {};
  }
  os::File file_;
  std::vector<std::byte> buffer_;
  std::uint64_t written_ = 0;
};

class Rewriter {
 public:
  Rewriter(const CleanRules& rules, CleanedFile& out, CleanStats& stats)
      : rules_(rules), out_(out), stats_(stats) {}

  Result<void> batch(const BatchView& batch, bool is_last) {
    stats_.bytes_before += batch.size();
    if (batch.is_control()) return out_.put(batch.bytes());
    bool drops = false;
    bool tombstones = false;
    std::int64_t kept = 0;
    MILLRACE_CHECK(for_each_record(batch, [&](const RecordView& record) -> Result<void> {
      const bool keep = keeps(batch, record);
      drops |= !keep;
      kept += keep ? 1 : 0;
      tombstones |= keep && !record.value;
      return {};
    }));
    stats_.records_kept += static_cast<std::uint64_t>(kept);
    stats_.records_dropped += static_cast<std::uint64_t>(batch.record_count() - kept);
    if (kept == 0 && !is_last) return {};
    const bool stamps_horizon = tombstones && !batch.delete_horizon();
    if (!drops && !stamps_horizon) return out_.put(batch.bytes());
    return rewrite(batch, stamps_horizon);
  }

 private:
  template <typename Visit>
  Result<void> for_each_record(const BatchView& batch, Visit&& visit) {
    MILLRACE_TRY(RecordCursor cursor, RecordCursor::open(batch, scratch_));
    RecordView record;
    for (auto step = cursor.next(record); step != RecordCursor::Step::end;
         step = cursor.next(record)) {
      if (step == RecordCursor::Step::malformed) {
        return Error(Errc::corrupt_data, "compaction met a malformed record in the batch at offset " +
                                             std::to_string(batch.base_offset().value()));
      }
      MILLRACE_CHECK(visit(record));
    }
    return {};
  }

  bool keeps(const BatchView& batch, const RecordView& record) const {
    if (record.offset >= rules_.keys_end) return true;
    if (!record.key) return false;
    const auto last = rules_.keys->find(std::string(as_text(*record.key)));
    if (last != rules_.keys->end() && last->second > record.offset) return false;
    if (record.value) return true;
    const auto horizon = batch.delete_horizon();
    return !horizon || rules_.now < *horizon;
  }

  Result<void> rewrite(const BatchView& batch, bool stamps_horizon) {
    builder_.reset({.codec = batch.codec(),
                    .transactional = batch.is_transactional(),
                    .producer = batch.producer()});
    MILLRACE_CHECK(for_each_record(batch, [&](const RecordView& record) -> Result<void> {
      if (!keeps(batch, record)) return {};
      const auto delta = static_cast<std::int32_t>(record.offset - batch.base_offset());
      return builder_.add_at(delta, record.timestamp, record.key, record.value, record.headers);
    }));
    auto horizon = batch.delete_horizon();
    if (stamps_horizon) horizon = rules_.now + rules_.delete_retention;
    MILLRACE_TRY(const MutableBytes bytes,
                 builder_.finish_compacted(batch.last_offset_delta(), horizon));
    record::stamp_batch(bytes, batch.base_offset(), batch.leader_epoch());
    if (batch.timestamp_type() == record::TimestampType::log_append_time) {
      record::stamp_append_time(bytes, batch.max_timestamp());
    }
    return out_.put(bytes);
  }

  const CleanRules& rules_;
  CleanedFile& out_;
  CleanStats& stats_;
  record::BatchBuilder builder_;
  std::vector<std::byte> scratch_;
};

}  // namespace

Result<void> collect_keys(Segment& segment, Offset from, KeyOffsets& keys) {
  std::vector<std::byte> scratch;
  return for_each_batch(segment, [&](const BatchView& batch) -> Result<void> {
    if (batch.is_control() || batch.last_offset() < from) return {};
    MILLRACE_TRY(RecordCursor cursor, RecordCursor::open(batch, scratch));
    RecordView record;
    while (cursor.next(record) == RecordCursor::Step::record) {
      if (record.key && record.offset >= from) {
        keys.insert_or_assign(std::string(as_text(*record.key)), record.offset);
      }
    }
    return {};
  });
}

Result<CleanStats> rewrite_segments(const std::vector<SegmentPtr>& segments,
                                    const CleanRules& rules) {
  const auto& directory = segments.front()->directory();
  const Offset base = segments.front()->base_offset();
  const std::string name = file_name(base, log_suffix) + std::string(cleaned_suffix);
  MILLRACE_TRY(os::File file, directory->open(name, os::OpenMode::replace));
  CleanedFile out(std::move(file));
  CleanStats stats;
  Rewriter rewriter(rules, out, stats);
  auto written = [&]() -> Result<std::uint64_t> {
    for (const auto& segment : segments) {
      const bool is_last_segment = segment == segments.back();
      MILLRACE_CHECK(for_each_batch(*segment, [&](const BatchView& batch) {
        const auto after = static_cast<std::uint64_t>(batch.data() + batch.size() - segment->data());
        return rewriter.batch(batch, is_last_segment && after >= segment->end());
      }));
    }
    return out.finish();
  }();
  if (!written) {
    static_cast<void>(directory->remove(name));
    return std::move(written).error();
  }
  stats.bytes_after = *written;
  return stats;
}

Result<void> swap_in(const os::DirectoryPtr& directory, const std::vector<SegmentPtr>& replaced) {
  const Offset base = replaced.front()->base_offset();
  const std::string log = file_name(base, log_suffix);
  const std::string swap = log + std::string(swap_suffix);
  MILLRACE_CHECK(directory->rename(log + std::string(cleaned_suffix), swap));
  MILLRACE_CHECK(directory->sync());
  for (std::size_t i = replaced.size(); i-- > 1;) {
    MILLRACE_CHECK(remove_segment_files(directory, replaced[i]->base_offset()));
  }
  for (const auto suffix : {offset_index_suffix, time_index_suffix, transaction_index_suffix}) {
    MILLRACE_CHECK(directory->remove(file_name(base, suffix)));
  }
  MILLRACE_CHECK(directory->rename(swap, log));
  return directory->sync();
}

std::vector<std::vector<SegmentPtr>> group_segments(const std::vector<SegmentPtr>& segments,
                                                    const LogOptions& options) {
  std::vector<std::vector<SegmentPtr>> groups;
  std::uint64_t bytes = 0;
  for (const auto& segment : segments) {
    const std::uint64_t size = segment->file_bytes().value_or(options.segment_bytes);
    const bool fits =
        !groups.empty() && bytes + size <= options.segment_bytes &&
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
