
#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <millrace/millrace.hpp>
#include <millrace/protocol/messages/metadata.hpp>
#include <random>
#include <sstream>

#include "campaign.hpp"
#include "catch.hpp"
#include "wire_client.hpp"

using namespace millrace;
using millrace_test::PlainClient;
using millrace_test::WireClient;

namespace {

/// A request of every API in its first and last version, but for those that make partitions: a
/// damaged number could ask for more than a test has memory for.
std::vector<std::string> good_requests() {
  std::vector<std::string> frames;
  for (const auto& file : std::filesystem::directory_iterator(MILLRACE_REQUEST_CORPUS)) {
    const std::string name = file.path().filename();
    const bool makes_partitions = name.starts_with("Create");
    if (name.find("Request_v") == std::string::npos || makes_partitions) continue;
    std::ostringstream text;
    text << std::ifstream(file.path(), std::ios::binary).rdbuf();
    frames.push_back(text.str());
  }
  std::sort(frames.begin(), frames.end());
  return frames;
}

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed), frames_(good_requests()) {}

  std::string next() {
    std::string frame = frames_[below(frames_.size())];
    for (std::size_t changes = below(4); changes > 0 && !frame.empty(); --changes) change(frame);
    return frame;
  }
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }

 private:
  void change(std::string& frame) {
    const std::size_t at = below(frame.size());
    switch (below(5)) {
      case 0:
        frame[at] = static_cast<char>(below(256));
        return;
      case 1:
        frame[at] = static_cast<char>(frame[at] ^ (1 << below(8)));
        return;
      case 2:
        frame.resize(at);
        return;
      case 3:
        frame.insert(at, below(20), static_cast<char>(below(256)));
        return;
      default:
        for (std::size_t i = at; i < std::min(at + 4, frame.size()); ++i) frame[i] = '\x7f';
    }
  }

  std::mt19937_64 random_;
  std::vector<std::string> frames_;
};

/// Takes what has come; false if the other side has closed the connection.
bool drain(const PlainClient& client) {
  char piece[65536];
  for (;;) {
    const auto got = ::recv(client.descriptor(), piece, sizeof piece, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return false;
    if (got < 0) return true;
  }
}

}  // namespace

TEST_CASE("damaged requests are answered or end their connection, and disturb no other") {
  const std::uint64_t seed = millrace_test::campaign_seed(20261122);
  INFO("MILLRACE_SEED=" << seed);
  const Broker broker = Broker::open(":memory:").value();
  broker.create_topic("orders", {.partitions = 2}).value();
  ListenOptions options;
  options.port = 0;
  options.auto_create_topics = false;
  const Listener listener = broker.listen(options).value();
  WireClient well_behaved(listener);
  const auto check_well = [&] {
    protocol::MetadataRequest request;
    request.topics->push_back({.name = "orders"});
    request.allow_auto_topic_creation = false;
    const auto answer = well_behaved.call<protocol::MetadataResponse>(request, 9);
    REQUIRE(answer.topics.at(0).name == "orders");
  };

  Mutator mutator(seed);
  std::vector<std::unique_ptr<PlainClient>> hostile;
  constexpr std::size_t clients = 8;
  for (std::size_t i = 0; i < clients; ++i)
    hostile.push_back(std::make_unique<PlainClient>(listener.address()));
  std::uint64_t ended = 0;
  const std::uint64_t rounds = millrace_test::campaign_rounds(5'000, 1'000'000);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const std::size_t i = mutator.below(clients);
    const std::string frame = PlainClient::framed(mutator.next());
    const auto sent =
        ::send(hostile[i]->descriptor(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    // One that waits for others, or that is not read any more, is given up.
    if (!drain(*hostile[i]) || sent != static_cast<ssize_t>(frame.size())) {
      hostile[i] = std::make_unique<PlainClient>(listener.address());
      ++ended;
    }
    if (round % 100 == 0) check_well();
  }
  check_well();
  CHECK(ended > 0);
  CHECK(ended < rounds);
}
