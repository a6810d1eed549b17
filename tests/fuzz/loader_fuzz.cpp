// Any bytes as the files of a partition: open it, read it through, append, open it again. The
// input's first six bytes are the sizes of offset index, time index and control file.
#include <cstdlib>
#include <millrace/record/batch_builder.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/inspect.hpp>
#include <millrace/storage/log.hpp>

using namespace millrace;
using namespace millrace::storage;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

bool write(const os::DirectoryPtr& directory, const std::string& name, Bytes bytes) {
  auto file = directory->open(name, os::OpenMode::create);
  return file && file->write_at(bytes, 0);
}

bool make_partition(const os::DirectoryPtr& directory, Bytes input) {
  constexpr std::size_t head_bytes = 6;
  if (input.size() < head_bytes) return false;
  std::size_t sizes[3];
  for (std::size_t i = 0; i < 3; ++i) sizes[i] = load_big<std::uint16_t>(input.data() + 2 * i);
  const std::string names[3] = {file_name(Offset{0}, offset_index_suffix),
                                file_name(Offset{0}, time_index_suffix), ControlFile::name};
  Bytes rest = input.subspan(head_bytes);
  for (std::size_t i = 0; i < 3; ++i) {
    const Bytes content = rest.first(std::min(sizes[i], rest.size()));
    rest = rest.subspan(content.size());
    if (!content.empty() && !write(directory, names[i], content)) return false;
  }
  return write(directory, file_name(Offset{0}, log_suffix), rest);
}

/// Every read moves on, or says by how much to move on.
void read_through(Log& log) {
  LogCursor cursor(log, log.log_start_offset());
  const Offset limit = log.high_watermark();
  while (cursor.position() < limit) {
    const Offset from = cursor.position();
    const auto chunk = cursor.read(limit, {.max_bytes = 1000});
    if (chunk) {
      require(cursor.position() > from);
      continue;
    }
    if (chunk.error().code() != Errc::corrupt_data) return;
    const OffsetRange lost = chunk.error().offsets();
    require(lost.begin == from && lost.end > from);
    cursor.seek(lost.end);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto directory = os::make_memory_directory();
  if (!make_partition(directory, {reinterpret_cast<const std::byte*>(data), size})) return 0;
  LogOptions options;
  options.segment_bytes = 64u << 10;
  options.segment_index_bytes = 4096;
  require(verify_partition(directory).has_value());
  auto log = Log::open(directory, options, {});
  if (!log) return 0;
  read_through(**log);
  static_cast<void>(find_time(**log, Timestamp{1'600'000'000'000}, (*log)->high_watermark()));
  record::BatchBuilder builder;
  require(builder.add(Timestamp{1}, std::nullopt, as_bytes("v")).has_value());
  auto batch = builder.finish();
  require(batch.has_value());
  const Offset end = (*log)->log_end_offset();
  const auto appended = (*log)->append(*batch);
  if (appended) require(appended->base_offset == end);
  static_cast<void>((*log)->close());
  log->reset();
  log = Log::open(directory, options, {});
  require(log.has_value());
  if (appended) require((*log)->log_end_offset() == end + 1);
  return 0;
}
