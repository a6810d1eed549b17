// A topic of your own types: a producer that gathers records into batches, a consumer that reads
// all partitions.
#include <atomic>
#include <map>
#include <millrace/millrace.hpp>

#include "example.hpp"

using example::check;
using namespace std::chrono_literals;

struct Order {
  std::string customer;
  std::int64_t cents = 0;
};

// How an Order becomes bytes and back. Integers are written big-endian, the rest is the name.
template <>
struct millrace::Serde<Order> {
  static Result<void> serialize(const Order& order, ByteSink& out) {
    store_big(out.extend(sizeof order.cents), order.cents);
    out.append(order.customer);
    return {};
  }
  // Bytes come from a disk, so they are checked: an Error instead of a guess.
  static Result<Order> deserialize(Bytes bytes) {
    if (bytes.size() < sizeof(std::int64_t)) {
      return Error(Errc::serialization, "an order has at least 8 bytes");
    }
    return Order{std::string(as_text(bytes.subspan(8))), load_big<std::int64_t>(bytes.data())};
  }
};

namespace {

const char* const customers[] = {"alice", "bob", "carol", "dave", "erin"};

void send_orders(const millrace::Topic<std::string, Order>& orders) {
  // One producer serves all threads. send() returns at once; the batch is appended when it is full,
  // when it is 5 ms old, or when somebody waits for it.
  millrace::Producer producer{orders};
  std::atomic<int> acknowledged = 0;
  for (std::int64_t i = 0; i < 10'000; ++i) {
    const std::string customer = customers[static_cast<std::size_t>(i) % std::size(customers)];
    // The callback hears of the outcome. It is optional, like the PendingReceipt that send()
    // returns.
    producer.send(customer, Order{customer, i}, [&](const millrace::Result<millrace::Receipt>& r) {
      acknowledged += r.has_value() ? 1 : 0;
    });
  }
  // Waiting for one record: its receipt says where it is and what the ack stands for.
  const auto receipt = producer.send("zoe", Order{"zoe", 5}).get().value();
  std::printf("zoe's order: partition %d, offset %lld, %s\n", receipt.partition,
              static_cast<long long>(receipt.offset.value()),
              receipt.durability == millrace::Durability::flushed ? "on the disk" : "written");
  // Everything sent before is acknowledged when flush() returns; it reports the first error if not.
  producer.flush().value();
  check(acknowledged == 10'000, "every record was acknowledged once");
}

void read_orders(const millrace::Topic<std::string, Order>& orders) {
  millrace::Consumer consumer{orders};  // all partitions, from the oldest record on
  std::map<std::string, std::int64_t> last_cents;
  std::map<std::string, int> home;
  int count = 0;
  while (count < 10'001) {
    const auto records = consumer.poll(1s).value();
    check(!records.empty(), "there are more records to come");
    for (const auto& record : records) {
      const Order order = record.value();
      // Records with the same key are in the same partition, so they come in the order sent.
      const auto [partition, first] = home.emplace(record.key(), record.partition());
      check(first || partition->second == record.partition(), "a key stays in one partition");
      check(first || last_cents[order.customer] < order.cents, "and in order");
      last_cents[order.customer] = order.cents;
      ++count;
    }
  }
  std::printf("%d orders of %zu customers\n", count, home.size());
  // Nothing left: an empty answer after the wait, not an error.
  check(consumer.poll(0s).value().empty(), "there is no more");

  // Positions are the consumer's own. Seek and read again.
  const millrace::PartitionId zoes = home.at("zoe");
  check(consumer.assign({zoes}).has_value(), "a consumer can be narrowed down");
  check(consumer.seek_to_begin(zoes).has_value(), "and sent back");
  for (const auto& record : consumer.poll(1s).value()) {
    check(record.partition() == zoes, "only the assigned partition is read");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const example::DataDirectory data(argc, argv);
  const auto broker = millrace::Broker::open(data.path()).value();
  // Made if it is missing. A topic that is there must have as many partitions as asked for.
  const auto orders = broker.topic<std::string, Order>("orders", {.partitions = 4}).value();
  send_orders(orders);
  read_orders(orders);
  broker.close().value();
  return 0;
}
