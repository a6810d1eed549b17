// Any bytes as a message set, once as they are and once with right CRCs, without which damage goes
// no further. What is read comes out the same of a record batch.
#include <boost/crc.hpp>
#include <cstdlib>
#include <millrace/protocol/message_conversion.hpp>
#include <millrace/protocol/message_set.hpp>

using namespace millrace;
using namespace millrace::protocol;

namespace {

constexpr std::size_t limit_bytes = 1u << 20;
constexpr std::size_t size_at = 8;
constexpr std::size_t crc_at = 12;

void require(bool promise) {
  if (!promise) std::abort();
}

void set_crcs(std::vector<std::byte>& set) {
  for (std::size_t at = 0; set.size() - at > crc_at + 4;) {
    const auto size = load_big<std::int32_t>(set.data() + at + size_at);
    if (size < 4 || static_cast<std::size_t>(size) > set.size() - at - crc_at) return;
    boost::crc_32_type crc;
    crc.process_bytes(set.data() + at + crc_at + 4, static_cast<std::size_t>(size) - 4);
    store_big(set.data() + at + crc_at, crc.checksum());
    at += crc_at + static_cast<std::size_t>(size);
  }
}

bool same(const std::optional<Bytes>& a, const std::optional<Bytes>& b) {
  return a.has_value() == b.has_value() && (!a || as_text(*a) == as_text(*b));
}

void convert(Bytes bytes) {
  const auto set = MessageSet::parse(bytes, limit_bytes);
  const auto batches = up_convert(bytes, {.limit_bytes = limit_bytes});
  if (!set || !batches || set->records().empty()) return;
  const auto down = down_convert(*batches, {.magic = 1});
  require(down.has_value());
  const auto again = MessageSet::parse(down->set);
  require(again.has_value() && again->records().size() == set->records().size());
  for (std::size_t i = 0; i < again->records().size(); ++i) {
    const LegacyRecord& record = again->records()[i];
    const LegacyRecord& before = set->records()[i];
    require(record.offset == Offset{static_cast<std::int64_t>(i)});
    require(record.timestamp == before.timestamp);
    require(same(record.key, before.key) && same(record.value, before.value));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input{reinterpret_cast<const std::byte*>(data), size};
  convert(input);
  static_cast<void>(down_convert(input, {.limit_bytes = limit_bytes}));
  std::vector<std::byte> sound(input.begin(), input.end());
  set_crcs(sound);
  convert(sound);
  return 0;
}
