#pragma once
#include <millrace/millrace.hpp>
#include <set>

namespace millrace_test {

using TextTopic = millrace::Topic<std::string, std::string>;
using TextGroup = millrace::ConsumerGroup<std::string, std::string>;
using TextConsumer = millrace::GroupConsumer<std::string, std::string>;

inline std::multiset<std::string> read(TextConsumer& consumer,
                                       std::chrono::nanoseconds wait = std::chrono::seconds(0)) {
  std::multiset<std::string> values;
  const auto records = consumer.poll(wait).value();
  for (const auto& record : records) values.insert(record.value());
  return values;
}

/// Lets all poll in turn until the group has come to rest; what they read meanwhile.
inline std::multiset<std::string> settle(std::vector<TextConsumer*> consumers) {
  std::multiset<std::string> values;
  for (int quiet = 0; quiet < 4;) {
    bool any = false;
    for (auto* consumer : consumers) {
      const auto before = consumer->assignment();
      values.merge(read(*consumer));
      any = any || consumer->assignment() != before;
    }
    quiet = any ? 0 : quiet + 1;
  }
  return values;
}

}  // namespace millrace_test
