#include <charconv>
#include <cstdio>
#include <millrace/storage/file_names.hpp>

namespace millrace::inline v0::storage {

std::string file_name(Offset base, std::string_view suffix) {
  char digits[24];
  const int n =
      std::snprintf(digits, sizeof digits, "%020lld", static_cast<long long>(base.value()));
  return std::string(digits, static_cast<std::size_t>(n)).append(suffix);
}

std::optional<Offset> parse_file_name(std::string_view name, std::string_view suffix) {
  if (name.size() != 20 + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + 20, value);
  if (error != std::errc{} || end != name.data() + 20 || value < 0) return std::nullopt;
  return Offset{value};
}

}  // namespace millrace::inline v0::storage
