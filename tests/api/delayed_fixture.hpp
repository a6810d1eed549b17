#pragma once
#include <millrace/millrace.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <string>
#include <vector>

namespace millrace::test {

using DelayedTopic = Topic<std::string, std::string>;
using Values = std::vector<std::string>;

inline const TopicSettings delayed_settings = {{"millrace.delayed.delivery", "true"}};

/// Does what is due in the background, and what that brings about.
inline void run_all(const Broker& broker) {
  for (int i = 0; i < 10'000 && broker.run_pending() > 0; ++i) {
  }
}

/// A broker whose clock stands still, and which works in the background only when told.
struct DelayedStand {
  explicit DelayedStand(std::string_view path = ":memory:", os::IoHooks* io = nullptr,
                        testing::ManualClock* shared = nullptr)
      : clock(shared != nullptr ? *shared : own_clock),
        broker(Broker::open(path,
                            {.background_thread = false,
                             .clock = &clock,
                             .io_hooks = io,
                             .on_background_error =
                                 [this](const Error& error) { errors.push_back(error.message()); }})
                   .value()) {}

  DelayedTopic make(const TopicOptions& options = {.settings = delayed_settings}) const {
    return broker.topic<std::string, std::string>("t", options).value();
  }
  /// Sends one record that is to be seen `wait` from now.
  Receipt send(const DelayedTopic& topic, const std::string& value,
               std::chrono::milliseconds wait) const {
    const DeliverAt at(clock.now() + wait);
    Producer producer{topic};
    const std::string key = "k";
    return producer.send_with({.headers = at.headers()}, &key, &value).get().value();
  }
  static Receipt send(const DelayedTopic& topic, const std::string& value) {
    Producer producer{topic};
    return producer.send("k", value).get().value();
  }
  void advance(std::chrono::milliseconds by) {
    clock.advance(by);
    run_all(broker);
  }

  testing::ManualClock own_clock;
  testing::ManualClock& clock;
  Values errors;
  Broker broker;
};

/// All that a consumer sees from the start.
inline Values seen(const DelayedTopic& topic, const ConsumerOptions& options = {}) {
  Consumer consumer{topic, options};
  Values values;
  for (bool any = true; any;) {
    auto records = consumer.poll(std::chrono::nanoseconds(0)).value();
    any = !records.empty();
    for (const auto& record : records) values.push_back(record.value());
  }
  return values;
}

}  // namespace millrace::test
