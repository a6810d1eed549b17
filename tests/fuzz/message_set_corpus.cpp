#include <boost/crc.hpp>
#include <fstream>
#include <millrace/protocol/message_set.hpp>
#include <millrace/record/compression.hpp>
#include <string>

#include "protocol_corpus.hpp"

using namespace millrace;
using namespace millrace::protocol;
using record::Codec;

namespace {

constexpr std::size_t crc_at = 12;
constexpr std::size_t attributes_at = 17;

std::vector<std::byte> records_of(std::int8_t magic) {
  std::vector<std::byte> set;
  for (int i = 0; i < 4; ++i) {
    const std::string value(static_cast<std::size_t>(10 * i), 'v');
    const auto key = i % 2 == 0 ? std::nullopt : std::optional(as_bytes("key"));
    write_legacy_record({Offset{i}, Timestamp{1'600'000'000'000 + i}, {}, key, as_bytes(value)},
                        magic, set);
  }
  return set;
}

std::vector<std::byte> wrapped(Codec codec, std::int8_t magic) {
  std::vector<std::byte> compressed;
  if (!record::compress(codec, -1, records_of(magic), compressed)) return {};
  std::vector<std::byte> set;
  write_legacy_record({Offset{3}, Timestamp{1'600'000'000'003}, {}, {}, Bytes(compressed)}, magic,
                      set);
  set[attributes_at] = static_cast<std::byte>(codec);
  boost::crc_32_type crc;
  crc.process_bytes(set.data() + crc_at + 4, set.size() - crc_at - 4);
  store_big(set.data() + crc_at, crc.checksum());
  return set;
}

}  // namespace

void write_message_sets(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const std::int8_t magic : {std::int8_t{0}, std::int8_t{1}}) {
    for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4}) {
      const auto set = codec == Codec::none ? records_of(magic) : wrapped(codec, magic);
      const std::string name =
          std::string(record::codec_name(codec)) + "_" + std::to_string(static_cast<int>(magic));
      std::ofstream(folder / name, std::ios::binary) << as_text(set);
    }
  }
}
