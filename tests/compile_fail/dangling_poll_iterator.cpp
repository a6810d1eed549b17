#include <millrace/millrace.hpp>

void charge(millrace::Consumer<std::string, std::string>& consumer) {
  using namespace std::chrono_literals;
#if defined(MUST_NOT_COMPILE)
  auto at = consumer.poll(1s).value().begin();
#else
  const auto records = consumer.poll(1s).value();
  auto at = records.begin();
#endif
  for (; at != std::default_sentinel; ++at) static_cast<void>(at->key());
}
