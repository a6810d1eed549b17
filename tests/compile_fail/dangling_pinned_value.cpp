#include <millrace/millrace.hpp>

// What owns its bytes may be taken from a temporary.
std::string copy(const millrace::Partition<std::string, std::string>& partition) {
  return partition.read(millrace::Offset{0}).value()->value();
}

std::size_t length(const millrace::Partition<std::string, std::string_view>& partition) {
#if defined(MUST_NOT_COMPILE)
  const std::string_view text = partition.read(millrace::Offset{0}).value()->value();
#else
  const auto pinned = partition.read(millrace::Offset{0}).value();
  const std::string_view text = pinned->value();
#endif
  return text.size();
}
