#include <boost/throw_exception.hpp>
#include <csignal>
#include <cstdlib>
#include <library_headers.hpp>
#include <string_view>

#if defined(__cpp_exceptions)
#error "this is to be compiled with -fno-exceptions"
#endif

// What Boost asks of a program without exceptions.
namespace boost {
void throw_exception(const std::exception&) {
  std::abort();
}
void throw_exception(const std::exception&, const source_location&) {
  std::abort();
}
}  // namespace boost

namespace {
millrace::Result<int> failing() {
  return millrace::Error(millrace::Errc::io_error, "reading the canary: end it here");
}
}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--value-of-error") {
    std::signal(SIGABRT, [](int) { std::_Exit(0); });  // the message is what the test looks at
    return failing().value();
  }
  const bool checks = millrace::crc32c(millrace::as_bytes("123456789")) == 0xe3069283u;
  return checks && !failing() && failing().error().code() == millrace::Errc::io_error ? 0 : 1;
}
