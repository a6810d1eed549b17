#include <cstdio>
#include <millrace/listener.hpp>

/// What lets Kafka clients in, in a program that links millrace::net.
int main() {
  const auto broker = millrace::Broker::open(":memory:");
  if (!broker) return 1;
  millrace::ListenOptions options;
  options.port = 0;
  const auto listener = broker->listen(options);
  if (!listener) {
    std::fprintf(stderr, "%s\n", listener.error().message().c_str());
    return 1;
  }
  std::printf("packaging: listening at %s\n", listener->address().c_str());
  return listener->port() != 0 ? 0 : 1;
}
