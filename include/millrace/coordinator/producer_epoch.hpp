#pragma once
#include <cstdint>

namespace millrace::inline v0::coordinator {

/// A producer id, and which of those that had it.
struct ProducerEpoch {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  friend bool operator==(const ProducerEpoch&, const ProducerEpoch&) = default;
};

}  // namespace millrace::inline v0::coordinator
