// Any bytes as the frame of a request; with an odd correlation id its body is taken for that of the
// response. What is read can be printed and written, and reads the same again.
#include <cstdlib>
#include <millrace/protocol/headers.hpp>

#include "support/all_messages.hpp"

using namespace millrace;
using namespace millrace::protocol;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

template <typename M>
void decode(Bytes body, ApiVersion version) {
  const auto decoded = MessageCodec<M>::decode(body, version);
  if (!decoded) return;
  MessageWriter writer;
  // All but what is tagged and was at its default: that is not written again.
  require(MessageCodec<M>::encode(*decoded, version, writer).has_value());
  std::vector<std::byte> copy;
  for (const Bytes piece : writer.pieces()) copy.insert(copy.end(), piece.begin(), piece.end());
  require(copy.size() == writer.size_bytes());
  const auto again = MessageCodec<M>::decode(copy, version);
  require(again.has_value());
  require(MessageCodec<M>::to_text(*again, version) == MessageCodec<M>::to_text(*decoded, version));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto request = read_request({reinterpret_cast<const std::byte*>(data), size});
  if (!request) return 0;
  const RequestHeader& header = request->header;
  const std::string_view kind = header.correlation_id % 2 == 0 ? "Request" : "Response";
  test::for_each_message([&]<typename M>() {
    if (M::api_key == header.api_key && std::string_view(M::name).ends_with(kind))
      decode<M>(request->body, header.api_version);
  });
  return 0;
}
