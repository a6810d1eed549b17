#include <millrace/millrace.hpp>

struct Order {
  std::string customer;
};

#if !defined(MUST_NOT_COMPILE)
template <>
struct millrace::Serde<Order> {
  static Bytes view(const Order& order) { return as_bytes(order.customer); }
  static Result<Order> deserialize(Bytes bytes) { return Order{std::string(as_text(bytes))}; }
};
#endif

bool open(const millrace::Broker& broker) {
  return broker.topic<std::string, Order>("orders").has_value();
}
