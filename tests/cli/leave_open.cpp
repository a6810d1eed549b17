#include <cstdlib>
#include <millrace/millrace.hpp>

// leave_open DIR TOPIC ID...: begins a transaction of one record under each id, and is gone.

int main(int argc, char** argv) {
  using namespace millrace;
  if (argc < 4) return 2;
  const auto broker = Broker::open(argv[1]).value();
  const auto topic = broker.topic<std::string, std::string>(argv[2]).value();
  for (int i = 3; i < argc; ++i) {
    auto producer = TransactionalProducer::open(broker, argv[i]).value();
    auto transaction = producer.begin().value();
    transaction.send(topic, std::string(argv[i])).get().value();
    if (i + 1 == argc) std::_Exit(0);
    // Neither is to end before the process does.
    static_cast<void>(new TransactionalProducer(std::move(producer)));
    static_cast<void>(new Transaction(std::move(transaction)));
  }
  return 1;
}
