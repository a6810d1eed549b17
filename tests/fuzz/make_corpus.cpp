// Writes the committed corpus anew: fuzz_make_corpus <folder>. Seeds for the fuzzers, made by our
// own builder; what a fuzzer finds later is added by hand.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <millrace/record/batch_builder.hpp>
#include <millrace/record/compression.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/log.hpp>
#include <string>
#include <vector>

#include "protocol_corpus.hpp"

using namespace millrace;
using namespace millrace::record;

namespace {

constexpr Timestamp noon{1'600'000'000'000};

void write(const std::filesystem::path& file, Bytes bytes) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out << as_text(bytes);
}

void fill(BatchBuilder& builder, int records) {
  const std::string value(100, 'v');
  const std::vector<HeaderView> headers = {{"trace", as_bytes("0af7")}, {"empty", std::nullopt}};
  for (int i = 0; i < records; ++i) {
    const auto time = noon + std::chrono::milliseconds(i % 3 == 0 ? -50 * i : 20 * i);
    const auto key = i % 2 == 0 ? std::nullopt : std::optional(as_bytes("key"));
    const Bytes bytes = as_bytes(value).first(static_cast<std::size_t>(i * 37 % 101));
    const auto added = builder.add(time, key, bytes,
                                   i % 4 == 1 ? std::span(headers) : std::span<const HeaderView>());
    if (!added) std::fprintf(stderr, "%s\n", added.error().message().c_str());
  }
}

void write_batches(const std::filesystem::path& folder) {
  const auto save = [&](const std::string& name, const Result<MutableBytes>& batch) {
    if (batch) write(folder / name, *batch);
  };
  for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    BatchBuilder builder({.codec = codec});
    fill(builder, 6);
    save("six_" + std::string(codec_name(codec)), builder.finish());
  }
  BatchBuilder builder({.transactional = true, .producer = {4000, 2, 17}});
  save("empty_compacted", builder.finish_compacted(9, noon));
  fill(builder, 80);
  save("eighty", builder.finish());
  save("horizon", builder.finish_compacted(200, noon));
  builder.reset({.transactional = true, .control = true, .producer = {4000, 2, -1}});
  const std::string commit_key("\0\0\0\1", 4), commit_value("\0\0\0\0\0\5", 6);
  if (builder.add(noon, as_bytes(commit_key), as_bytes(commit_value)))
    save("commit_marker", builder.finish());
  builder.reset(BatchOptions{});
  for (int i = 0; i < 10; ++i)
    if (!builder.add(noon, std::nullopt, as_bytes("the same again"))) return;
  auto alike = builder.finish();
  if (alike) stamp_append_time(*alike, noon);
  save("ten_alike_append_time", alike);
}

void write_compressed(const std::filesystem::path& folder) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += "record " + std::to_string(i * i) + ", ";
  for (const Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    for (const std::size_t size : {std::size_t{0}, text.size()}) {
      std::vector<std::byte> out = {static_cast<std::byte>(codec)};
      if (compress(codec, -1, as_bytes(text).first(size), out))
        write(folder / (std::string(codec_name(codec)) + "_" + std::to_string(size)), out);
    }
  }
  // A raw snappy block, as librdkafka writes it.
  write(folder / "snappy_raw", as_bytes("\x02\x05\x10hello"));
}

void write_indexes(const std::filesystem::path& folder) {
  std::vector<std::byte> offsets(64);
  std::vector<std::byte> times(64);
  std::byte* offset_entry = offsets.data();
  std::byte* time_entry = times.data();
  for (std::int32_t i = 0; i < 5; ++i, offset_entry += 8, time_entry += 12) {
    store_big(offset_entry, 7 * (i + 1));
    store_big(offset_entry + 4, 5000 * i);
    store_big(time_entry, noon.milliseconds() + i);
    store_big(time_entry + 8, 7 * (i + 1));
  }
  write(folder / "offsets", offsets);
  write(folder / "offsets_sealed", Bytes(offsets).first(40));
  write(folder / "times", times);
  write(folder / "times_sealed", Bytes(times).first(60));
}

/// The files of a partition one behind the other, as the fuzzer's input has them.
void write_partition(const std::filesystem::path& file, bool closed) {
  const auto directory = os::make_memory_directory();
  storage::LogOptions options;
  options.segment_bytes = 64u << 10;
  options.segment_index_bytes = 4096;
  options.index_interval_bytes = 300;
  const auto log = storage::Log::open(directory, options, {}).value();
  for (int i = 0; i < 8; ++i) {
    BatchBuilder builder;
    fill(builder, 1 + i % 4);
    const MutableBytes batch = builder.finish().value();
    static_cast<void>(log->append(batch).value());
    if (i == 5) static_cast<void>(log->flush().value());
  }
  if (closed) log->close().value();
  std::string head;
  std::string body;
  for (const auto suffix : {storage::offset_index_suffix, storage::time_index_suffix}) {
    const std::string text = directory->read_file(storage::file_name(Offset{0}, suffix)).value();
    body += text.substr(0, 64);
    head += {'\0', static_cast<char>(std::min<std::size_t>(text.size(), 64))};
  }
  const std::string control = directory->read_file(storage::ControlFile::name).value();
  body += control;
  head += {static_cast<char>(control.size() >> 8), static_cast<char>(control.size() & 0xff)};
  const std::string log_name = storage::file_name(Offset{0}, storage::log_suffix);
  std::string content = directory->read_file(log_name).value();
  content.resize(std::min<std::size_t>(content.size(), 8192));
  write(file, as_bytes(head + body + content));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s <folder>\n", argv[0]);
    return 2;
  }
  write_batches(std::filesystem::path(argv[1]) / "batch_view");
  write_compressed(std::filesystem::path(argv[1]) / "decompress");
  write_indexes(std::filesystem::path(argv[1]) / "index");
  write_requests(std::filesystem::path(argv[1]) / "request");
  write_message_sets(std::filesystem::path(argv[1]) / "message_set");
  write_partition(std::filesystem::path(argv[1]) / "loader" / "closed", true);
  write_partition(std::filesystem::path(argv[1]) / "loader" / "killed", false);
}
