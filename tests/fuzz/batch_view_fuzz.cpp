// Any bytes: parse the batch, walk its records, and hold what is seen against the promises.
#include <cstdint>
#include <cstdlib>
#include <millrace/record/batch_builder.hpp>
#include <millrace/record/batch_view.hpp>
#include <vector>

using namespace millrace;
using namespace millrace::record;

namespace {

constexpr std::size_t limit_bytes = 1u << 20;

void require(bool promise) {
  if (!promise) std::abort();
}

bool within(Bytes part, Bytes whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// Copies the records of `batch`; false if they are malformed.
bool copy_records(BatchView batch, std::vector<std::byte>& scratch, BatchBuilder& copy) {
  auto cursor = RecordCursor::open(batch, scratch, limit_bytes);
  if (!cursor) return false;
  const Bytes home = batch.codec() == Codec::none ? batch.payload() : Bytes(scratch);
  RecordView record;
  auto step = cursor->next(record);
  std::int32_t count = 0;
  for (; step == RecordCursor::Step::record; step = cursor->next(record)) {
    require(record.offset >= batch.base_offset() && record.offset <= batch.last_offset());
    require(within(record.key.value_or(Bytes{}), home));
    require(within(record.value.value_or(Bytes{}), home));
    std::int32_t headers = 0;
    for (const HeaderView& header : record.headers) {
      require(within(as_bytes(header.key), home));
      require(within(header.value.value_or(Bytes{}), home));
      ++headers;
    }
    require(headers == record.headers.count());
    const auto delta = static_cast<std::int32_t>(record.offset - batch.base_offset());
    require(
        copy.add_at(delta, record.timestamp, record.key, record.value, record.headers).has_value());
    ++count;
  }
  require(step == RecordCursor::Step::malformed || count == batch.record_count());
  return step == RecordCursor::Step::end;
}

void check_skips(BatchView batch, std::vector<std::byte>& scratch) {
  for (const std::int64_t part : {0, 1, 2}) {
    auto cursor = RecordCursor::open(batch, scratch, limit_bytes);
    if (!cursor) return;
    const Offset wanted = batch.base_offset() + batch.last_offset_delta() / 2 * part;
    RecordView record;
    if (cursor->skip_to(wanted, record) == RecordCursor::Step::record)
      require(record.offset >= wanted && record.offset <= batch.last_offset());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  const BatchView batch = BatchView::try_parse(bytes);
  require((batch.size() != 0) == BatchView::parse(bytes).has_value());
  if (batch.size() == 0) return 0;
  require(batch.size() <= size && batch.size() >= layout::header_bytes);
  static_cast<void>(batch.crc_matches());

  std::vector<std::byte> scratch;
  check_skips(batch, scratch);
  BatchBuilder copy;
  if (!copy_records(batch, scratch, copy)) return 0;
  // What was read can be written, and reads the same.
  const auto written = copy.finish_compacted(batch.last_offset_delta(), batch.delete_horizon());
  require(written.has_value());
  const BatchView again = BatchView::try_parse(*written);
  require(again.size() == written->size() && again.crc_matches());
  require(again.record_count() == batch.record_count());
  BatchBuilder second;
  std::vector<std::byte> none;
  require(copy_records(again, none, second));
  return 0;
}
