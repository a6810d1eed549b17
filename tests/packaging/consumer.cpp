#include <cstdio>
#include <millrace/core/crc32c.hpp>
#include <millrace/core/result.hpp>

namespace {
millrace::Result<std::uint32_t> checksum(std::string_view text) {
  if (text.empty()) {
    return millrace::Error(millrace::Errc::invalid_argument, "nothing to sum: pass some text");
  }
  return millrace::crc32c(millrace::as_bytes(text));
}
}  // namespace

int main() {
  const std::uint32_t sum = checksum("123456789").value();
  std::printf("crc32c %08x; %s\n", sum, checksum("").error().message().c_str());
  return sum == 0xe3069283u && !checksum("") ? 0 : 1;
}
