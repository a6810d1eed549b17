#include <millrace/millrace.hpp>

std::size_t length(const millrace::Partition<std::string, std::string_view>& partition) {
#if defined(MUST_NOT_COMPILE)
  const auto& record = *partition.read(millrace::Offset{0}).value();
  return record.value().size();
#else
  const auto pinned = partition.read(millrace::Offset{0}).value();
  const auto& record = *pinned;
  return record.value().size();
#endif
}
