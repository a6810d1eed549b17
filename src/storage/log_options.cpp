#include <millrace/storage/log_options.hpp>
#include <string>

namespace millrace::inline v0::storage {
namespace {

Error out_of_range(const char* option, std::uint64_t value, std::uint64_t least,
                   std::uint64_t most) {
  return {Errc::invalid_argument, "opening a log with " + std::string(option) + " = " +
                                      std::to_string(value) + ": choose a value from " +
                                      std::to_string(least) + " to " + std::to_string(most)};
}

}  // namespace

Result<void> check_options(const LogOptions& options) {
  const auto check = [](const char* option, std::uint64_t value, std::uint64_t least,
                        std::uint64_t most) -> Result<void> {
    if (value < least || value > most) return out_of_range(option, value, least, most);
    return {};
  };
  MILLRACE_CHECK(check("segment.bytes", options.segment_bytes, smallest_segment, largest_segment));
  MILLRACE_CHECK(check("segment.index.bytes", options.segment_index_bytes, 24, 1u << 30));
  MILLRACE_CHECK(check("max.message.bytes", options.max_message_bytes, record::layout::header_bytes,
                       largest_segment));
  if (options.segment_ms.count() <= 0) {
    return Error(Errc::invalid_argument,
                 "opening a log with segment.ms = " + std::to_string(options.segment_ms.count()) +
                     ": choose a value above 0");
  }
  return {};
}

}  // namespace millrace::inline v0::storage
