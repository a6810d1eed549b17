#include <millrace/protocol/message_writer.hpp>

#include "catch.hpp"
#include "support/bytes.hpp"

using namespace millrace;
using namespace millrace::protocol;
using millrace::test::to_hex;

namespace {

std::string joined(const MessageWriter& writer) {
  std::string all;
  for (const Bytes piece : writer.pieces()) {
    CHECK_FALSE(piece.empty());
    all += to_hex(piece);
  }
  return all;
}

}  // namespace

TEST_CASE("own and borrowed bytes come out in order", "[protocol]") {
  const std::vector<std::byte> long_span(MessageWriter::least_borrowed_bytes, std::byte{0xaa});
  const std::vector<std::byte> short_span(MessageWriter::least_borrowed_bytes - 1, std::byte{0xbb});
  MessageWriter writer;
  CHECK(writer.pieces().empty());
  writer.borrow(long_span);
  writer.borrow(long_span);
  writer.wire().int16(1);
  writer.borrow(short_span);
  writer.borrow(long_span);
  writer.wire().int16(2);
  const std::string a = to_hex(long_span);
  CHECK(joined(writer) == a + a + "0001" + to_hex(short_span) + a + "0002");
  CHECK(writer.size_bytes() == 3 * long_span.size() + short_span.size() + 4);
  CHECK(writer.pieces().size() == 5);
  CHECK(writer.pieces()[0].data() == long_span.data());
  writer.clear();
  CHECK(writer.size_bytes() == 0);
  CHECK(writer.pieces().empty());
}

TEST_CASE("a frame's length counts borrowed bytes and not itself", "[protocol]") {
  const std::vector<std::byte> span(300, std::byte{0xcc});
  MessageWriter writer;
  writer.wire().int8(9);
  writer.borrow(span);
  for (int i = 0; i < 2; ++i) {
    const auto frame = writer.begin_frame();
    writer.wire().int16(7);
    writer.borrow(span);
    CHECK(writer.end_frame(frame));
  }
  const std::string frame =
      "0000012e"
      "0007" +
      to_hex(span);
  CHECK(joined(writer) == "09" + to_hex(span) + frame + frame);
}

TEST_CASE("a frame that its length cannot say is refused", "[protocol]") {
  const std::byte byte{};
  const Bytes huge(&byte, std::size_t{1} << 30);  // never read
  MessageWriter writer;
  const auto frame = writer.begin_frame();
  writer.borrow(huge);
  CHECK(writer.end_frame(frame));
  writer.borrow(huge);
  const auto ended = writer.end_frame(frame);
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code() == Errc::invalid_argument);
}

TEST_CASE("rolling back takes both kinds of bytes back", "[protocol]") {
  const std::vector<std::byte> span(300, std::byte{0xdd});
  MessageWriter writer;
  writer.wire().int8(1);
  writer.borrow(span);
  const auto mark = writer.mark();
  writer.wire().int8(2);
  writer.borrow(span);
  writer.rollback(mark);
  writer.wire().int8(3);
  CHECK(joined(writer) == "01" + to_hex(span) + "03");
}
