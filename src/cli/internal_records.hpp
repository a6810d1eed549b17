#pragma once
#include <millrace/record/record_view.hpp>
#include <optional>
#include <string_view>

#include "json_text.hpp"

namespace millrace::inline v0::cli {

/// A record of __transaction_state or __consumer_offsets, with the names of Kafka's schemas.
struct DecodedRecord {
  Json key;
  Json value;  ///< null for a tombstone
};

/// Nothing if the partition, `__transaction_state-3`, is of no such topic, or the record none of
/// its kinds.
std::optional<DecodedRecord> decode_internal(std::string_view partition,
                                             const record::RecordView& record);

}  // namespace millrace::inline v0::cli
