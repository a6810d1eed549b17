#pragma once
#include <cstdint>
#include <initializer_list>

namespace millrace::inline v0::server {

/// Kafka's AclOperation.
enum class Operation : std::int8_t {
  read = 3,
  write = 4,
  create = 5,
  remove = 6,
  alter = 7,
  describe = 8,
  cluster_action = 9,
  describe_configs = 10,
  alter_configs = 11,
  idempotent_write = 12,
};

/// What a client may do, as Kafka writes it: a bit for each operation.
constexpr std::int32_t bits_of(std::initializer_list<Operation> operations) noexcept {
  std::int32_t bits = 0;
  for (const Operation operation : operations) bits |= 1 << static_cast<int>(operation);
  return bits;
}

}  // namespace millrace::inline v0::server
