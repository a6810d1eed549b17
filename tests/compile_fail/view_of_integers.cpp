#include <millrace/millrace.hpp>

// A span is trivially copyable, but its bytes are an address.
#if defined(MUST_NOT_COMPILE)
using Numbers = std::span<const int>;
#else
using Numbers = std::array<int, 4>;
#endif

bool open(const millrace::Broker& broker) {
  return broker.topic<std::string, Numbers>("numbers").has_value();
}
