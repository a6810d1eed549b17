#include <millrace/core/varint.hpp>
#include <millrace/record/record_view.hpp>

namespace millrace::inline v0::record {

void HeaderList::Iterator::step() {
  const std::int32_t left = left_ - 1;
  left_ = -1;
  if (left < 0) return;
  const std::byte* const end = rest_.data() + rest_.size();
  std::int64_t length = 0;
  const std::byte* at = decode_zigzag<5>(rest_.data(), end, length);
  if (at == nullptr || length < 0 || length > end - at) return;
  const auto key_size = static_cast<std::size_t>(length);
  const std::string_view key = as_text({at, key_size});
  at = decode_zigzag<5>(at + key_size, end, length);
  if (at == nullptr || length < -1 || length > end - at) return;
  current_ = {key, std::nullopt};
  if (length >= 0) {
    current_.value = Bytes(at, static_cast<std::size_t>(length));
    at += length;
  }
  rest_ = {at, end};
  left_ = left;
}

}  // namespace millrace::inline v0::record
