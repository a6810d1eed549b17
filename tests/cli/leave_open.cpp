#include <algorithm>
#include <cstdlib>
#include <millrace/millrace.hpp>
#include <thread>

// leave_open DIR TOPIC ID...: begins a transaction of one record under each id, and is gone when
// others can see them.

namespace {

bool are_seen(const char* directory, std::ptrdiff_t count) {
  const millrace::Transactions transactions{millrace::Broker::attach(directory).value()};
  const auto all = transactions.list();
  return all && std::count_if(all->begin(), all->end(),
                              [](const auto& one) { return one.is_open(); }) == count;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace millrace;
  if (argc < 4) return 2;
  const auto broker = Broker::open(argv[1]).value();
  const auto topic = broker.topic<std::string, std::string>(argv[2]).value();
  for (int i = 3; i < argc; ++i) {
    auto producer = TransactionalProducer::open(broker, argv[i]).value();
    auto transaction = producer.begin().value();
    transaction.send(topic, std::string(argv[i])).get().value();
    // Neither is to end before the process does.
    static_cast<void>(new TransactionalProducer(std::move(producer)));
    static_cast<void>(new Transaction(std::move(transaction)));
  }
  while (!are_seen(argv[1], argc - 3)) std::this_thread::yield();
  std::_Exit(0);
}
