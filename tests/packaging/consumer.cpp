#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <millrace/millrace.hpp>

namespace {

/// What any user does first: appends, closes, opens again, reads.
millrace::Result<bool> survives_reopening(const std::string& directory) {
  {
    MILLRACE_TRY(const auto broker, millrace::Broker::open(directory));
    MILLRACE_TRY(const auto topic, broker.topic<std::string, std::string>("greetings"));
    millrace::Producer producer{topic};
    for (int i = 0; i < 100; ++i) producer.send("key", "hello " + std::to_string(i));
    MILLRACE_CHECK(producer.flush());
    MILLRACE_CHECK(broker.close());
  }
  MILLRACE_TRY(const auto broker, millrace::Broker::open(directory));
  MILLRACE_TRY(const auto topic, broker.topic<std::string, std::string>("greetings"));
  millrace::Consumer consumer{topic};
  int count = 0;
  while (count < 100) {
    MILLRACE_TRY(const auto records, consumer.poll(std::chrono::seconds(10)));
    if (records.empty()) return false;
    for (const auto& record : records) {
      MILLRACE_TRY(const std::string text, record.try_value());
      if (text != "hello " + std::to_string(count)) return false;
      ++count;
    }
  }
  MILLRACE_CHECK(broker.close());
  return true;
}

}  // namespace

int main() {
  std::string directory = (std::filesystem::temp_directory_path() / "consumer-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  const auto outcome = survives_reopening(directory);
  std::filesystem::remove_all(directory);
  std::printf("%s\n", !outcome   ? outcome.error().message().c_str()
                      : *outcome ? "100 records came back"
                                 : "records are missing");
  return outcome && *outcome ? 0 : 1;
}
