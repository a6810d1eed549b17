#pragma once
#include <map>
#include <millrace/storage/log.hpp>
#include <string>

namespace millrace::test {

/// The last batch of a producer in a log.
struct LastBatch {
  record::ProducerIdentity producer;
  Offset base_offset;
  std::int32_t last_offset_delta = 0;
};

/// The last batches of all producers that have any in the log, by id, as they stand there.
Result<std::map<std::int64_t, LastBatch>> last_batches(storage::Log& log);

/// Whether the log knows again what stands in it: each producer's last batch is a duplicate, and
/// what does not follow it is refused. What is wrong, empty if nothing.
std::string check_producers(storage::Log& log);

}  // namespace millrace::test
