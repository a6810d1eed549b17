#pragma once
#include <millrace/coordinator/topic_partition.hpp>
#include <millrace/protocol/wire.hpp>
#include <span>
#include <vector>

namespace millrace::inline v0::coordinator {

/// An array of topics, each with an array of partitions, as in all of the consumers' protocol.
/// Topics are in the order of their first partition, and each is written once: Kafka's clients drop
/// one that comes twice.
void write_partitions(protocol::WireWriter& writer, std::span<const TopicPartition> partitions);

/// The same back; what was read until then if the reader fails.
std::vector<TopicPartition> read_partitions(protocol::WireReader& reader);

}  // namespace millrace::inline v0::coordinator
