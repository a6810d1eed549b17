#include <millrace/millrace.hpp>
#include <millrace/os/directory.hpp>

#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace millrace::test;

namespace {

/// Opens a directory whose `name` has a flipped bit. Damage must be named, with what to do.
void flip_broker_file(const char* name) {
  for (std::size_t at = 0;; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      const TempDirectory temp(TempDirectory::fast_parent());
      {
        const auto broker = Broker::open(temp.path()).value();
        const auto topic = broker.topic<std::string, std::string>("orders", {.partitions = 2});
        topic->partition(0)->append("k", "v").value();
        broker.close().value();
      }
      const auto directory = os::open_directory(temp.path(), false).value();
      std::string content = directory->read_file(name).value();
      if (at >= content.size()) return;
      content[at] = static_cast<char>(content[at] ^ 1 << bit);
      directory->replace_file(name, content).value();
      INFO("bit " << bit << " of byte " << at << " of " << name);
      const auto broker = Broker::open(temp.path());
      if (broker) {
        const auto topic = broker->topic<std::string, std::string>("orders", {});
        REQUIRE(topic);
        const auto record = topic->partition(0)->read(Offset{0}).value();
        REQUIRE(record->value() == "v");
        continue;
      }
      const std::string text = broker.error().message();
      INFO(text);
      CHECK(text.find(name) != std::string::npos);
      CHECK(text.find("; ") != std::string::npos);
    }
  }
}

}  // namespace

TEST_CASE("a damaged list of topics is named, with what to do", "[recovery][flips]") {
  flip_broker_file("topics");
}

TEST_CASE("a damaged meta.properties is named, with what to do", "[recovery][flips]") {
  flip_broker_file("meta.properties");
}
