// Your own types in a topic: one written by hand that reads without a copy, one as JSON.
#include <cmath>
#include <millrace/millrace.hpp>
#include <nlohmann/json.hpp>

#include "example.hpp"

using example::check;
using namespace std::chrono_literals;

/// A view: `station` points to somebody else's bytes. When it was read from a topic, these are the
/// bytes of the mapped segment, and the view is valid as long as the records it came from.
struct Reading {
  std::string_view station;
  double celsius = 0;
};

/// A Serde has serialize and deserialize. Both report failure as an Error; neither throws.
template <>
struct millrace::Serde<Reading> {
  static constexpr bool is_view = true;  // lets the compiler refuse what would dangle
  static Result<void> serialize(const Reading& reading, ByteSink& out) {
    if (!std::isfinite(reading.celsius)) {
      return Error(Errc::serialization, "a reading must be a finite number");
    }
    const auto milli = static_cast<std::int32_t>(std::lround(reading.celsius * 1000));
    store_big(out.extend(sizeof milli), milli);
    out.append(reading.station);
    return {};
  }
  static Result<Reading> deserialize(Bytes bytes) {
    if (bytes.size() < 4) return Error(Errc::serialization, "a reading has at least 4 bytes");
    return Reading{as_text(bytes.subspan(4)), load_big<std::int32_t>(bytes.data()) / 1000.0};
  }
};

struct Customer {
  std::string name;
  int visits = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Customer, name, visits)

/// JSON by way of nlohmann-json. It throws; a Serde turns that into an Error, so that a topic with
/// one bad record can still be read.
template <>
struct millrace::Serde<Customer> {
  static Result<void> serialize(const Customer& customer, ByteSink& out) {
    out.append(nlohmann::json(customer).dump());
    return {};
  }
  static Result<Customer> deserialize(Bytes bytes) {
    try {
      return nlohmann::json::parse(as_text(bytes)).get<Customer>();
    } catch (const nlohmann::json::exception& failure) {
      return Error(Errc::serialization, std::string("not a customer: ") + failure.what());
    }
  }
};

int main(int argc, char** argv) {
  const example::DataDirectory data(argc, argv);
  const auto broker = millrace::Broker::open(data.path()).value();

  const auto readings = broker.topic<std::int64_t, Reading>("readings").value();
  const auto partition = readings.partition(0).value();
  partition.append(1, Reading{"north", -3.25}).value();
  const auto refused = partition.append(2, Reading{"north", std::nan("")});
  check(!refused && refused.error().code() == millrace::Errc::serialization,
        "what a Serde refuses is not appended");
  const auto pinned = partition.read(millrace::Offset{0}).value();
  const Reading reading = pinned->value();  // valid while `pinned` lives
  check(reading.station == "north" && reading.celsius == -3.25, "a reading comes back as it was");
  std::printf("%s: %.2f\n", std::string(reading.station).c_str(), reading.celsius);

  const auto customers = broker.topic<std::string, Customer>("customers").value();
  millrace::Producer producer{customers};
  producer.send("c-1", Customer{"Ada", 3});
  producer.send("c-2", Customer{"Grace", 5});
  producer.flush().value();

  // Bytes that are no customer, through an untyped view of the same topic: a topic does not store
  // its types, they are in the program.
  const auto raw = broker.topic<std::string, std::string>("customers").value();
  raw.partition(0)->append("c-3", "{broken").value();

  int good = 0;
  int bad = 0;
  millrace::Consumer consumer{customers};
  for (const auto& record : consumer.poll(1s).value()) {
    // try_value() is the Result; value() is the same for those who like exceptions.
    if (const auto customer = record.try_value()) {
      std::printf("%s: %d visits\n", customer->name.c_str(), customer->visits);
      ++good;
    } else {
      std::printf("offset %lld: %s\n", static_cast<long long>(record.offset().value()),
                  customer.error().message().c_str());
      ++bad;
    }
  }
  check(good == 2 && bad == 1, "two customers and one record that is none");
  broker.close().value();
  return 0;
}
