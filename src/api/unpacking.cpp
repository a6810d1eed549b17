#include "api/unpacking.hpp"

#include <algorithm>

namespace millrace::inline v0::detail {
namespace {

void cut(storage::Chunk& chunk, std::size_t at, const record::BatchView& from) {
  chunk.bytes = chunk.bytes.first(at);
  chunk.end = from.base_offset();
}

/// How many records at or behind `begin` there are at least, whatever compaction took.
std::int64_t least_records(const record::BatchView& batch, Offset begin) {
  const std::int64_t below = std::max<std::int64_t>(begin - batch.base_offset(), 0);
  return std::max<std::int64_t>(batch.record_count() - below, 0);
}

}  // namespace

Result<const Unpacker::Kept*> Unpacker::find_or_make(const record::BatchView& batch,
                                                     std::size_t room) {
  Header header;
  std::copy_n(batch.data(), header.size(), header.begin());
  const auto known = std::find_if(kept_.begin(), kept_.end(),
                                  [&](const Kept& kept) { return kept.header == header; });
  if (known != kept_.end()) return &*known;
  ++count_;
  auto unpacked = std::make_shared<FetchedRecords::UnpackedBytes>();
  MILLRACE_TRY(const auto records, record::RecordCursor::open(batch, unpacked->bytes, room));
  unpacked->share = MemoryShare(budget_, unpacked->bytes.size());
  return &kept_.emplace_back(Kept{header, batch.next_offset(), records, std::move(unpacked)});
}

Result<void> Unpacker::unpack(storage::Chunk& chunk, std::int64_t records,
                              std::vector<FetchedRecords::Unpacked>& into) {
  for (std::size_t at = 0; at < chunk.bytes.size();) {
    const auto batch = record::BatchView::try_parse(chunk.bytes.subspan(at));
    if (batch.size() == 0) return {};
    const std::size_t begin = std::exchange(at, at + batch.size());
    if (batch.is_control()) continue;
    const bool is_packed = batch.codec() != record::Codec::none;
    if (is_packed && records <= 0) {
      cut(chunk, begin, batch);
      return {};
    }
    records -= least_records(batch, chunk.begin);
    if (!is_packed) continue;
    const std::size_t room = budget_->left();
    const auto unpacked = find_or_make(batch, room);
    if (unpacked) {
      into.push_back({batch.data(), (*unpacked)->records, (*unpacked)->bytes});
      continue;
    }
    if (begin == 0 && room == budget_->limit()) {
      return Error(unpacked.error().code(),
                   unpacked.error().message() + "; if it is larger than " + std::to_string(room) +
                       " bytes when decompressed, raise ConsumerOptions::memory_bytes, else seek() "
                       "behind it")
          .with_offsets({std::max(chunk.begin, batch.base_offset()), batch.next_offset()});
    }
    cut(chunk, begin, batch);
    return {};
  }
  return {};
}

void Unpacker::forget_below(Offset position) {
  std::erase_if(kept_, [&](const Kept& kept) { return kept.end <= position; });
}

bool Unpacker::forget_all() noexcept {
  return !std::exchange(kept_, {}).empty();
}

}  // namespace millrace::inline v0::detail
