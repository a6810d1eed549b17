#include <fmt/format.h>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

Result<void> check_version(std::string_view doing, const char* message_name,
                           const Versions& versions, ApiVersion version) {
  if (versions.contains(version)) return {};
  return Error(Errc::unsupported,
               fmt::format("{} {} v{}: there is no such version here; use one from {} to {}", doing,
                           message_name, version, versions.first, versions.last));
}

}  // namespace millrace::inline v0::protocol
