#include "api/unpacking.hpp"

#include <algorithm>

namespace millrace::inline v0::detail {

Result<void> unpack(storage::Chunk& chunk, const std::shared_ptr<MemoryBudget>& budget,
                    std::vector<FetchedRecords::Unpacked>& into) {
  for (std::size_t at = 0; at < chunk.bytes.size();) {
    const auto batch = record::BatchView::try_parse(chunk.bytes.subspan(at));
    if (batch.size() == 0) return {};
    const std::size_t begin = std::exchange(at, at + batch.size());
    if (batch.codec() == record::Codec::none || batch.is_control()) continue;
    const std::size_t room = budget->left();
    auto bytes = std::make_unique<std::vector<std::byte>>();
    auto records = record::RecordCursor::open(batch, *bytes, room);
    if (records) {
      const std::size_t size = bytes->size();
      into.push_back({batch.data(), *records, std::move(bytes), MemoryShare(budget, size)});
      continue;
    }
    if (begin == 0 && room == budget->limit()) {
      return Error(records.error().code(),
                   records.error().message() + "; if it is larger than " + std::to_string(room) +
                       " bytes when decompressed, raise ConsumerOptions::memory_bytes, else seek() "
                       "behind it")
          .with_offsets({std::max(chunk.begin, batch.base_offset()), batch.next_offset()});
    }
    chunk.bytes = chunk.bytes.first(begin);
    chunk.end = batch.base_offset();
    return {};
  }
  return {};
}

}  // namespace millrace::inline v0::detail
