// Reminders that are seen at their time: a header says when, the topic's setting makes it so. What
// was sent before the program was stopped is delivered after it was started again.
//
//   delayed_records DIR
#include <millrace/millrace.hpp>
#include <vector>

#include "example.hpp"

using example::check;
using namespace std::chrono_literals;

namespace {

using Reminders = millrace::Topic<std::string, std::string>;
using Texts = std::vector<std::string>;

Reminders open_topic(const millrace::Broker& broker) {
  return broker
      .topic<std::string, std::string>("reminders",
                                       {.settings = {{"millrace.delayed.delivery", "true"}}})
      .value();
}

void remind(millrace::Producer<std::string, std::string>& producer, const std::string& text,
            millrace::Timestamp time) {
  const millrace::DeliverAt at(time);
  const std::string key = "alice";
  producer.send_with({.headers = at.headers()}, &key, &text);
}

/// Waits for so many records.
Texts read(millrace::Consumer<std::string, std::string>& consumer, std::size_t count) {
  Texts texts;
  while (texts.size() < count) {
    const auto records = consumer.poll(10s).value();
    for (const auto& record : records) {
      const auto sent_as = millrace::delayed_offset(record.headers());
      std::printf("%s%s\n", record.value().c_str(), sent_as ? ", as asked for" : "");
      texts.push_back(record.value());
    }
  }
  return texts;
}

}  // namespace

int main(int argc, char** argv) {
  const example::DataDirectory data(argc, argv);
  {
    const auto broker = millrace::Broker::open(data.path()).value();
    const Reminders topic = open_topic(broker);
    millrace::Producer producer{topic};
    const millrace::Timestamp now = std::chrono::system_clock::now();
    remind(producer, "leave for the train", now + 600ms);
    remind(producer, "pack", now + 300ms);
    producer.send("alice", "the train goes at nine");
    remind(producer, "water the plants", now + 24h);
    producer.flush().value();  // durable from here on, whatever is delivered when
    millrace::Consumer consumer{topic};
    check(read(consumer, 1).front() == "the train goes at nine", "what is not delayed comes first");
    broker.close().value();
  }
  const auto broker = millrace::Broker::open(data.path()).value();
  const Reminders topic = open_topic(broker);
  millrace::Consumer consumer{topic};
  check(read(consumer, 3) == Texts{"the train goes at nine", "pack", "leave for the train"},
        "delayed records come in the order of their times, and once");
  check(consumer.poll(0s).value().empty(), "the plants can wait");
  broker.close().value();
  return 0;
}
