#include <millrace/storage/checkpoint.hpp>

#include "catch.hpp"

using namespace millrace::storage;
using Lines = std::vector<std::string>;

TEST_CASE("checkpoints have a version and a count", "[storage][checkpoint]") {
  CHECK(format_checkpoint({}) == "0\n0\n");
  CHECK(format_checkpoint({"a 1", "b 2"}) == "0\n2\na 1\nb 2\n");
  CHECK(parse_checkpoint("0\n2\na 1\nb 2\n", "x").value() == Lines{"a 1", "b 2"});
  CHECK(parse_checkpoint("0\n0\n", "x").value().empty());
}

TEST_CASE("a checkpoint that is cut short is refused by name", "[storage][checkpoint]") {
  for (const char* text :
       {"", "0", "0\n", "0\n1\n", "0\n1\na", "0\n1\na\nb\n", "1\n0\n", "0\n00\n", "0\n1\na\nb"}) {
    INFO(text);
    const auto parsed = parse_checkpoint(text, "the-file");
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == millrace::Errc::corrupt_data);
    CHECK(parsed.error().message().find("the-file") != std::string::npos);
  }
}

TEST_CASE("an entry with a checksum is known again, and only that", "[storage][checkpoint]") {
  const std::string line = with_checksum("a 1");
  CHECK(line.starts_with("a 1 crc32c="));
  CHECK(without_checksum(line) == "a 1");
  CHECK(without_checksum(with_checksum("")) == "");
  CHECK_FALSE(without_checksum("a 1"));
  CHECK_FALSE(without_checksum(line + "0"));
  for (std::size_t at = 0; at < line.size(); ++at) {
    std::string damaged = line;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    CHECK_FALSE(without_checksum(damaged));
  }
}
