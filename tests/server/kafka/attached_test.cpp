#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <map>
#include <millrace/engine/broker_core.hpp>
#include <millrace/groups.hpp>
#include <millrace/listener.hpp>
#include <millrace/millrace.hpp>
#include <millrace/protocol/headers.hpp>
#include <millrace/protocol/message_codec.hpp>
#include <millrace/protocol/messages/api_versions.hpp>
#include <millrace/protocol/messages/produce.hpp>
#include <set>
#include <thread>

#include "../../transport/plain_client.hpp"
#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using millrace::test::TempDirectory;

namespace {

using Text = std::string;

/// An owner that lets others in, and somebody who has attached to its directory.
struct Pair {
  Pair() { owner.create_topic("orders", {.partitions = 2}).value(); }

  ListenOptions at_any_port() const {
    ListenOptions options;
    options.port = 0;
    return options;
  }

  TempDirectory directory;
  Broker owner = Broker::open(directory.path()).value();
  std::optional<Listener> listener = owner.listen(at_any_port()).value();
  Broker attached = Broker::attach(directory.path()).value();
};

/// Appends what it is sent by the owner's hand, and goes away instead of answering.
class SilentOwner {
 public:
  SilentOwner(const std::string& socket, const Broker& owner) : owner_(owner) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    socket.copy(at.sun_path, sizeof at.sun_path - 1);
    listening_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(listening_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::listen(listening_, 1) == 0);
    thread_ = std::thread([this] { serve(); });
  }
  void end() { thread_.join(); }

 private:
  static std::string read(int from, std::size_t bytes) {
    std::string got(bytes, '\0');
    if (::recv(from, got.data(), bytes, MSG_WAITALL) != static_cast<ssize_t>(bytes)) got.clear();
    return got;
  }
  static std::string read_frame(int from) {
    const std::string length = read(from, 4);
    return read(from, load_big<std::uint32_t>(as_bytes(length).data()));
  }
  void serve() const {
    using namespace protocol;
    const int peer = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    ::close(listening_);  // and nobody is there afterwards
    const std::string asked = read_frame(peer);
    const auto versions = read_request(as_bytes(asked)).value();
    ApiVersionsResponse served;
    served.api_keys.push_back({ApiKey::produce, 0, 9});
    MessageWriter writer;
    const auto frame = writer.begin_frame();
    write_response_header(versions.header, writer);
    MessageCodec<ApiVersionsResponse>::encode(served, versions.header.api_version, writer).value();
    writer.end_frame(frame).value();
    for (const Bytes piece : writer.pieces()) {
      static_cast<void>(!::send(peer, piece.data(), piece.size(), MSG_NOSIGNAL));
    }
    std::string produced = read_frame(peer);
    const auto request = read_request(as_bytes(produced)).value();
    const auto message =
        MessageCodec<ProduceRequest>::decode(request.body, request.header.api_version).value();
    const Bytes batch = *message.topic_data.at(0).partition_data.at(0).records;
    const MutableBytes own(const_cast<std::byte*>(batch.data()), batch.size());
    const auto partition = owner_.core()->topic("orders").value()->partitions.at(0);
    const auto appended = partition->append(own).value();
    partition->wait_acknowledged(appended.next_offset).value();
    ::close(peer);
  }

  const Broker& owner_;
  int listening_ = -1;
  std::thread thread_;
};

std::vector<Text> values_in(const Broker& broker) {
  const auto topic = broker.topic<Text, Text>("orders").value();
  Consumer<Text, Text> consumer(topic);
  std::vector<Text> values;
  for (auto records = consumer.poll(0ns).value(); !records.empty();
       records = consumer.poll(0ns).value()) {
    for (const auto& record : records) values.push_back(record.value());
  }
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

TEST_CASE("a process that has attached appends through the owner") {
  Pair pair;
  Producer<Text, Text> producer(pair.attached.topic<Text, Text>("orders").value());
  const Receipt first = producer.send("alice", "1").get().value();
  CHECK(first.offset == Offset{0});
  CHECK(first.durability == Durability::flushed);
  const Receipt second = producer.send("alice", "2").get().value();
  CHECK(second.partition == first.partition);
  CHECK(second.offset == Offset{1});
  CHECK(values_in(pair.owner) == std::vector<Text>{"1", "2"});
  CHECK(values_in(pair.attached) == std::vector<Text>{"1", "2"});

  SECTION("many threads, each record once and in order") {
    constexpr int threads = 4;
    constexpr int each = 500;
    std::atomic<int> failed{0};
    std::vector<std::thread> senders;
    for (int i = 0; i < threads; ++i) {
      senders.emplace_back([&, i] {
        for (int n = 0; n < each; ++n) {
          const auto sent = producer.send(std::to_string(i), std::to_string(n));
          if (n % 50 == 0 && !sent.get()) ++failed;
        }
      });
    }
    for (auto& sender : senders) sender.join();
    CHECK(producer.flush());
    CHECK(failed == 0);
    std::map<Text, int> next;
    const auto topic = pair.owner.topic<Text, Text>("orders").value();
    Consumer<Text, Text> consumer(topic);
    std::size_t out_of_order = 0;
    std::size_t count = 0;
    for (auto records = consumer.poll(0ns).value(); !records.empty();
         records = consumer.poll(0ns).value()) {
      for (const auto& record : records) {
        if (record.key() == "alice") continue;
        out_of_order += std::stoi(record.value()) != next[record.key()]++ ? 1U : 0U;
        ++count;
      }
    }
    CHECK(count == threads * each);
    CHECK(out_of_order == 0);
  }
  SECTION("the owner lets in anew") {
    pair.listener.reset();
    // The connection that broke may have brought it there; another one cannot be had.
    CHECK(producer.send("alice", "3").get().error().code() == Errc::io_error);
    CHECK(producer.send("alice", "3").get().error().code() == Errc::read_only);
    pair.listener = pair.owner.listen(pair.at_any_port()).value();
    CHECK(producer.send("alice", "4").get().value().offset == Offset{2});
    CHECK(values_in(pair.owner) == std::vector<Text>{"1", "2", "4"});
  }
  SECTION("what the owner refuses") {
    pair.owner.alter_topic("orders", {{"max.message.bytes", "200"}}).value();
    const auto refused = producer.send("alice", Text(1000, 'x')).get();
    CHECK(refused.error().code() == Errc::record_too_large);
    // It is not part of the log: what comes behind it is.
    CHECK(producer.send("alice", "5").get().value().offset == Offset{2});
  }
}

TEST_CASE("records linger and then go out, whether or not somebody asks for them") {
  Pair pair;
  Producer<Text, Text> producer(pair.attached.topic<Text, Text>("orders").value());
  std::promise<Offset> appended;
  producer.send("alice", "1", [&](const Result<Receipt>& receipt) {
    appended.set_value(receipt.value().offset);
  });
  CHECK(appended.get_future().get() == Offset{0});
}

TEST_CASE("an answer that was lost does not pass for that to the next record") {
  const TempDirectory directory;
  const Broker owner = Broker::open(directory.path()).value();
  owner.create_topic("orders").value();
  const auto listen = [&] {
    ListenOptions options;
    options.port = 0;
    return owner.listen(options).value();
  };
  std::optional<Listener> listener = listen();
  const Broker attached = Broker::attach(directory.path()).value();
  Producer<Text, Text> producer(attached.topic<Text, Text>("orders").value());
  REQUIRE(producer.send("k", "1").get());
  listener.reset();

  // The next one is appended by somebody who then goes without an answer.
  const std::string socket = directory.path() + "/socket";
  SilentOwner silent(socket, owner);
  const auto lost = producer.send("k", "2").get();
  CHECK_FALSE(lost);
  silent.end();
  CHECK(values_in(owner) == std::vector<Text>{"1", "2"});

  listener = listen();
  const auto next = producer.send("k", "3").get();
  REQUIRE(next);
  CHECK(next->offset == Offset{2});
  CHECK(producer.send("k", "4").get());
  CHECK(values_in(owner) == std::vector<Text>{"1", "2", "3", "4"});
}

TEST_CASE("the socket is for who may write to the directory") {
  namespace files = std::filesystem;
  const TempDirectory directory;
  const std::string path = directory / "data";
  const auto rights_with = [&](files::perms of_folder) {
    const Broker owner = Broker::open(path).value();
    files::permissions(path, of_folder);
    ListenOptions options;
    options.port = 0;
    const Listener listener = owner.listen(options).value();
    return files::status(path + "/socket").permissions();
  };
  const mode_t before = ::umask(0);
  CHECK(rights_with(files::perms(0755)) == files::perms(0600));
  ::umask(077);
  CHECK(rights_with(files::perms(0770)) == files::perms(0620));
  ::umask(before);
}

TEST_CASE("where there can be no socket Kafka clients are served all the same") {
  const TempDirectory directory;
  const Broker owner = Broker::open(directory.path()).value();
  std::filesystem::create_directories(directory / "socket/in the way");
  ListenOptions options;
  options.port = 0;
  std::vector<Text> problems;
  options.on_problem = [&](const Error& error) { problems.push_back(error.message()); };
  const Listener listener = owner.listen(options).value();
  CHECK(millrace_test::PlainClient(listener.address()).is_connected());
  REQUIRE(problems.size() == 1);
  CHECK_THAT(problems[0], Catch::Matchers::Contains(directory / "socket"));
}

TEST_CASE("the first listener of a broker has the socket, and nobody needs to") {
  Pair pair;
  { const Listener second = pair.owner.listen(pair.at_any_port()).value(); }
  Producer<Text, Text> producer(pair.attached.topic<Text, Text>("orders").value());
  CHECK(producer.send("alice", "1").get());
  pair.listener.reset();
  ListenOptions closed = pair.at_any_port();
  closed.serves_attached = false;
  pair.listener = pair.owner.listen(closed).value();
  const auto refused = producer.send("alice", "2").get();
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message(), Catch::Matchers::Contains("Broker::listen()"));
}

TEST_CASE("a path longer than a socket's name can be is served all the same") {
  const TempDirectory directory;
  const std::string path = directory.path() + "/" + std::string(150, 'x');
  const Broker owner = Broker::open(path).value();
  owner.create_topic("orders").value();
  ListenOptions options;
  options.port = 0;
  const Listener listener = owner.listen(options).value();
  const Broker attached = Broker::attach(path).value();
  Producer<Text, Text> producer(attached.topic<Text, Text>("orders").value());
  CHECK(producer.send("alice", "1").get());
}

TEST_CASE("a process that has attached is a member of groups of the owner") {
  Pair pair;
  Producer<Text, Text> producer(pair.owner.topic<Text, Text>("orders").value());
  for (int i = 0; i < 10; ++i) producer.send(std::to_string(i), "before").get().value();
  const auto topic = pair.attached.topic<Text, Text>("orders").value();
  const GroupOptions by_hand{.auto_commit_interval = std::nullopt};
  std::size_t seen = 0;
  {
    const ConsumerGroup<Text, Text> group(topic, "team", by_hand);
    auto member = group.join().value();
    while (seen < 10) {
      for (const auto& record : member.poll(1s).value()) seen += record.value() == "before" ? 1 : 0;
    }
    CHECK(seen == 10);
    member.commit().value();
    const auto there = Groups(pair.owner).describe("team").value();
    CHECK(there.members.size() == 1);
    std::int64_t lag = 0;
    for (const auto& progress : there.progress) lag += progress.lag().value_or(100);
    CHECK(lag == 0);
    member.leave().value();
  }
  CHECK(Groups(pair.owner).describe("team").value().members.empty());
  // Who comes next goes on behind what was committed, in whatever process.
  producer.send("0", "after").get().value();
  const ConsumerGroup<Text, Text> group(pair.owner.topic<Text, Text>("orders").value(), "team",
                                        by_hand);
  auto next = group.join().value();
  std::vector<Text> values;
  while (values.empty()) {
    for (const auto& record : next.poll(1s).value()) values.push_back(record.value());
  }
  CHECK(values == std::vector<Text>{"after"});
}

TEST_CASE("members in two processes share a group") {
  Pair pair;
  const auto here = pair.owner.topic<Text, Text>("orders").value();
  const auto there = pair.attached.topic<Text, Text>("orders").value();
  const ConsumerGroup<Text, Text> own_group(here, "team");
  const ConsumerGroup<Text, Text> other_group(there, "team");
  auto own = own_group.join().value();
  auto other = other_group.join().value();
  while (own.assignment().size() != 1 || other.assignment().size() != 1) {
    own.poll(10ms).value();
    other.poll(10ms).value();
  }
  Producer<Text, Text> producer(here);
  std::set<Text> sent;
  for (int i = 0; i < 20; ++i) {
    sent.insert(std::to_string(i));
    producer.send(std::to_string(i), std::to_string(i)).get().value();
  }
  std::set<Text> seen;
  std::size_t of_other = 0;
  while (seen.size() < sent.size()) {
    for (const auto& record : own.poll(10ms).value()) seen.insert(record.value());
    for (const auto& record : other.poll(10ms).value()) {
      seen.insert(record.value());
      ++of_other;
    }
  }
  CHECK(seen == sent);
  CHECK(of_other > 0);
  // One that leaves hands over at once.
  own.leave().value();
  while (other.assignment().size() != 2) other.poll(10ms).value();
}

TEST_CASE("a group cannot be joined from where nobody can ask the owner") {
  Pair pair;
  pair.listener.reset();
  const ConsumerGroup<Text, Text> group(pair.attached.topic<Text, Text>("orders").value(), "team");
  const auto joined = group.join();
  REQUIRE_FALSE(joined);
  CHECK(joined.error().code() == Errc::read_only);
}
