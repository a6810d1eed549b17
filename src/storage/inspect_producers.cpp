#include "storage/inspect_producers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/producer_snapshot.hpp>
#include <millrace/storage/transaction_index.hpp>

namespace millrace::inline v0::storage {

void ProducerCheck::batch(const record::BatchView& batch, Offset base) {
  if (batch.producer().id < 0) return;
  if (const auto aborted = state_.apply(batch)) aborted_[base].push_back(*aborted);
}

/// It may have more than the batches tell: compaction and retention take batches out.
std::string ProducerCheck::fault_of(Offset base) const {
  const auto transactions = read_transaction_index(directory_, base);
  if (!transactions) return transactions.error().message();
  const auto expected = aborted_.find(base);
  if (expected == aborted_.end()) return {};
  for (const AbortedTransaction& one : expected->second) {
    const bool is_there = std::any_of(
        transactions->begin(), transactions->end(), [&](const AbortedTransaction& entry) {
          return entry.producer_id == one.producer_id && entry.last_offset == one.last_offset;
        });
    if (is_there) continue;
    return fmt::format(
        "{} lacks the transaction of producer {} that was aborted at offset {}; "
        "`millrace log repair` makes it again",
        file_name(base, transaction_index_suffix), one.producer_id, one.last_offset.value());
  }
  return {};
}

Result<void> ProducerCheck::finish(bool is_clean, Offset end,
                                   std::vector<Finding>& findings) const {
  const auto severity = is_clean ? Severity::problem : Severity::note;
  const auto find = [&](FindingKind kind, const std::string& file, std::string text) {
    findings.push_back({kind, severity, file, 0, 0, {}, std::move(text)});
  };
  MILLRACE_TRY(auto entries, directory_->list());
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  std::map<Offset, std::string> indexes;
  for (const auto& [base, aborted] : aborted_) indexes[base] = fault_of(base);
  for (const auto& entry : entries) {
    if (const auto base = parse_file_name(entry.name, transaction_index_suffix)) {
      indexes[*base] = fault_of(*base);
    }
    const auto offset = parse_file_name(entry.name, snapshot_suffix);
    if (!offset) continue;
    if (const auto read = read_snapshot(directory_, *offset); !read) {
      find(FindingKind::producer_snapshot, entry.name, read.error().message());
    } else if (*offset > end) {
      find(FindingKind::producer_snapshot, entry.name,
           fmt::format("{} is of offset {}, behind the log's end {}; opening the log removes it",
                       entry.name, offset->value(), end.value()));
    }
  }
  for (auto& [base, fault] : indexes) {
    if (fault.empty()) continue;
    find(FindingKind::transaction_index, file_name(base, transaction_index_suffix),
         std::move(fault));
  }
  return {};
}

Result<void> ProducerCheck::repair(const std::vector<Offset>& bases, bool dry_run,
                                   const std::function<void(std::string)>& did) const {
  for (const Offset base : bases) {
    if (fault_of(base).empty()) continue;
    did(fmt::format("{} is made again from the batches",
                    file_name(base, transaction_index_suffix)));
    const auto found = aborted_.find(base);
    if (dry_run) continue;
    MILLRACE_CHECK(write_transaction_index(
        directory_, base, found == aborted_.end() ? Transactions() : found->second));
  }
  return {};
}

}  // namespace millrace::inline v0::storage
