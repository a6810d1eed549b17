// Lets Kafka clients into a broker of this process, which sends an order a second until it is
// ended.
//
//   kafka_clients [PORT]     (9092; 0 is any that is free)

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <millrace/listener.hpp>
#include <millrace/millrace.hpp>
#include <thread>

int main(int argc, char** argv) {
  const auto broker = millrace::Broker::open(":memory:").value();
  const auto orders = broker.topic<std::string, std::string>("orders").value();
  millrace::ListenOptions options;
  if (argc > 1) options.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const auto listener = broker.listen(options).value();
  std::cout << "listening at " << listener.address() << std::endl;

  millrace::Producer producer{orders};
  for (int number = 0;; ++number) {
    producer.send("alice", "order " + std::to_string(number)).get().value();
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}
