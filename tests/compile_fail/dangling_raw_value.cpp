#include <millrace/millrace.hpp>

std::size_t length(const millrace::Partition<std::string, std::string>& partition) {
#if defined(MUST_NOT_COMPILE)
  const auto bytes = partition.read(millrace::Offset{0}).value()->raw_value();
#else
  const auto pinned = partition.read(millrace::Offset{0}).value();
  const auto bytes = pinned->raw_value();
#endif
  return bytes->size();
}
