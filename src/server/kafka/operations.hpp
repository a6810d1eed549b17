#pragma once
#include <initializer_list>
#include <millrace/server/access.hpp>

namespace millrace::inline v0::server {

/// What a client may do, as Kafka writes it: a bit for each operation.
constexpr std::int32_t bits_of(std::initializer_list<Operation> operations) noexcept {
  std::int32_t bits = 0;
  for (const Operation operation : operations) bits |= 1 << static_cast<int>(operation);
  return bits;
}

class Request;
/// Which of its operations the client of a request may do.
std::int32_t topic_operations(const Request& request, std::string_view topic);
std::int32_t group_operations(const Request& request, std::string_view group);
/// None at all if it may not even describe the cluster.
std::int32_t cluster_operations(const Request& request);

}  // namespace millrace::inline v0::server
