#pragma once
#include <millrace/core/topic_partition.hpp>

namespace millrace::inline v0::coordinator {

using v0::TopicPartition;

}  // namespace millrace::inline v0::coordinator
