#pragma once
#include <millrace/storage/producer_state.hpp>

#include "storage/fixture.hpp"

namespace millrace::test {

/// A batch of a producer as plain values.
struct ProducerBatch {
  std::int64_t id = 7;
  std::int16_t epoch = 0;
  std::int32_t sequence = 0;
  std::size_t count = 1;
  bool transactional = false;
  std::int64_t time = 1'600'000'000'000;
};

inline std::vector<std::byte> bytes_of(const ProducerBatch& batch) {
  return batch_of(
      numbered(0, batch.count, 10, batch.time),
      {.transactional = batch.transactional, .producer = {batch.id, batch.epoch, batch.sequence}});
}

/// How a transaction ends.
struct Marker {
  std::int64_t id = 7;
  std::int16_t epoch = 0;
  bool commit = true;
  std::int32_t coordinator_epoch = 0;
  std::int64_t time = 1'600'000'000'000;
};

inline std::vector<std::byte> bytes_of(const Marker& marker) {
  std::array<std::byte, 4> key{};
  store_big(key.data() + 2, static_cast<std::int16_t>(marker.commit ? 1 : 0));
  std::array<std::byte, 6> value{};
  store_big(value.data() + 2, marker.coordinator_epoch);
  record::BatchBuilder builder(
      {.transactional = true, .control = true, .producer = {marker.id, marker.epoch, -1}});
  builder.add(Timestamp{marker.time}, Bytes(key), Bytes(value)).value();
  const auto bytes = builder.finish().value();
  return {bytes.begin(), bytes.end()};
}

inline Result<storage::Appended> try_append(storage::Log& log, const ProducerBatch& batch) {
  auto bytes = bytes_of(batch);
  return log.append(bytes);
}

inline Result<storage::Appended> try_append(storage::Log& log, const Marker& marker) {
  auto bytes = bytes_of(marker);
  return log.append(bytes, LeaderEpoch{0}, storage::AppendOrigin::coordinator);
}

}  // namespace millrace::test
