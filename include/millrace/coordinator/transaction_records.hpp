#pragma once
#include <millrace/coordinator/group_requests.hpp>
#include <millrace/coordinator/transaction.hpp>

/// The records of `__transaction_state`, Kafka's bytes (TransactionLog; schemas TransactionLogKey,
/// TransactionLogValue). Which partition an id belongs to: coordinator_partition().
namespace millrace::inline v0::coordinator {

inline constexpr std::string_view transactions_topic = "__transaction_state";

/// Version 0, as Kafka's brokers have written it; version 1 if it says where its data ends, in a
/// tagged field of ours.
InternalRecord transaction_record(std::string_view transactional_id,
                                  const Transaction& transaction);
InternalRecord transaction_tombstone(std::string_view transactional_id);

/// The transactional id, pointing into `key`; nothing if it is a key of a kind that is not ours.
/// corrupt_data if the bytes are not what they should be.
Result<std::optional<std::string_view>> parse_transaction_key(Bytes key);
Result<Transaction> parse_transaction(Bytes value);

}  // namespace millrace::inline v0::coordinator
