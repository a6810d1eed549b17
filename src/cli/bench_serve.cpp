#include <fmt/format.h>

#include <cstdio>
#include <millrace/client/cluster.hpp>
#include <millrace/listener.hpp>
#include <millrace/protocol/messages/fetch.hpp>
#include <millrace/protocol/messages/produce.hpp>
#include <millrace/record/batch_builder.hpp>

#include "bench_child.hpp"
#include "bench_children.hpp"
#include "bench_rows.hpp"
#include "bench_store.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

using client::Connection;

constexpr const char* topic_name = "bench";
// From the next one on topics go by id alone.
constexpr protocol::ApiVersion last_with_names = 12;

/// Sends records to a partition, at most `window` of them unacknowledged. With more than one they
/// go in batches of half of that.
class Publisher {
 public:
  Publisher(const std::string& address, std::int32_t partition, std::size_t value_bytes,
            std::size_t window)
      : connection_(must(Connection::open(address))),
        partition_(partition),
        payload_(value_bytes),
        value_(value_bytes),
        batch_(window > 1 ? window / 2 : 1),
        in_flight_(window > 1 ? 2 : 1) {}

  void send() {
    builder_.reset();
    for (std::size_t i = 0; i < batch_; ++i, ++sequence_) {
      payload_.make(value_.data(), sequence_, value_.size());
      must(builder_.add(system_clock().now(), std::nullopt, value_));
    }
    protocol::ProduceRequest request{.acks = 1, .timeout_ms = 30'000};
    request.topic_data.push_back(
        {.name = topic_name,
         .partition_data = {{.index = partition_, .records = Bytes(must(builder_.finish()))}}});
    must(connection_->send(request));
    while (connection_->unanswered() >= in_flight_) receive();
  }
  void finish() {
    while (connection_->unanswered() > 0) receive();
  }
  std::uint64_t count() const { return sequence_; }

 private:
  void receive() {
    const auto response = must(connection_->receive<protocol::ProduceResponse>());
    const auto& answer = response.responses.at(0).partition_responses.at(0);
    if (answer.error_code != protocol::WireError::none) fail("a record was refused");
    acknowledged_ += batch_;
    if (answer.base_offset + static_cast<std::int64_t>(batch_) !=
        static_cast<std::int64_t>(acknowledged_)) {
      fail("a record was stored elsewhere than it had to be");
    }
  }

  std::unique_ptr<Connection> connection_;
  const std::int32_t partition_;
  Payload payload_;
  std::vector<std::byte> value_;
  const std::size_t batch_;
  const std::size_t in_flight_;
  record::BatchBuilder builder_;
  std::uint64_t sequence_ = 0;
  std::uint64_t acknowledged_ = 0;
};

/// Reads a partition from its begin and checks what it gets. The next fetch is under way while the
/// records of one are looked at.
class Subscriber {
 public:
  Subscriber(const std::string& address, std::size_t value_bytes)
      : connection_(must(Connection::open(address))), value_bytes_(value_bytes) {}

  void read(std::uint64_t count) {
    ask(0);
    while (read_ < count) {
      const auto response = must(connection_->receive<protocol::FetchResponse>());
      const Bytes records = response.responses.at(0).partitions.at(0).records.value_or(Bytes());
      if (records.empty()) fail("records are missing");
      std::int64_t next = 0;
      for (Bytes left = records; !left.empty(); left = left.subspan(whole(left).size())) {
        next = whole(left).next_offset().value();
      }
      if (next < static_cast<std::int64_t>(count)) ask(next);
      for (Bytes left = records; !left.empty(); left = left.subspan(whole(left).size())) {
        check(whole(left));
      }
    }
  }

 private:
  static record::BatchView whole(Bytes bytes) { return must(record::BatchView::parse(bytes)); }
  void ask(std::int64_t offset) {
    protocol::FetchRequest request{.max_wait_ms = 500, .min_bytes = 1};
    auto& topic = request.topics.emplace_back();
    topic.topic = topic_name;
    topic.partitions.push_back({.fetch_offset = offset, .partition_max_bytes = 1 << 20});
    must(connection_->send(request, last_with_names));
  }
  void check(const record::BatchView& batch) {
    if (!batch.crc_matches()) fail("a batch came with a wrong checksum");
    auto cursor = must(record::RecordCursor::open(batch, scratch_));
    record::RecordView record;
    while (cursor.next(record) == record::RecordCursor::Step::record) {
      if (!record.value || record.value->size() != value_bytes_ ||
          sequence_of(record.value->data()) != read_) {
        fail(fmt::format("record {} is not what was sent", read_));
      }
      ++read_;
    }
  }

  std::unique_ptr<Connection> connection_;
  const std::size_t value_bytes_;
  std::vector<std::byte> scratch_;
  std::uint64_t read_ = 0;
};

/// A broker in a process of its own, with topic "bench" of two partitions, not flushed and reserved
/// as those of the append rows are.
class Server {
 public:
  explicit Server(const Effort& effort)
      : child_({"serve", scratch_ / "serve", std::to_string(effort.most_bytes())}),
        address_(child_.read_line()) {}
  const std::string& address() const { return address_; }

 private:
  const Scratch scratch_;
  Child child_;
  std::string address_;
};

struct PublishShape {
  std::size_t value_bytes;
  std::size_t window;
  int connections = 1;
};

/// How many records partition 0 has then.
std::uint64_t publish(const Server& server, const PublishShape& shape, const Effort& effort,
                      const RowSink& sink) {
  const std::uint64_t most =
      effort.most_bytes() / shape.value_bytes / static_cast<std::uint64_t>(shape.connections);
  std::vector<std::unique_ptr<Publisher>> publishers;
  for (int i = 0; i < shape.connections; ++i) {
    publishers.push_back(
        std::make_unique<Publisher>(server.address(), i, shape.value_bytes, shape.window));
    publishers.back()->send();  // reserves the segment
    publishers.back()->finish();
  }
  const std::uint64_t before = publishers.front()->count();
  const auto start = SteadyClock::now();
  in_threads(shape.connections, [&](int i) {
    Publisher& publisher = *publishers[static_cast<std::size_t>(i)];
    while (publisher.count() < most && seconds_since(start) < effort.seconds) publisher.send();
    publisher.finish();
  });
  const double seconds = seconds_since(start);
  std::uint64_t sent = 0;
  for (const auto& publisher : publishers) sent += publisher->count() - before;
  sink(fmt::format("millrace/srv.publish{}.w{}{}", shape.connections == 1 ? "" : "2", shape.window,
                   size_tag(shape.value_bytes)),
       static_cast<double>(sent) / seconds, "rec/s");
  return publishers.front()->count();
}

int listen_until_end(const Broker& broker) {
  const Listener listener = must(broker.listen({.port = 0}));
  std::printf("%s\n", listener.address().c_str());
  std::fflush(stdout);
  std::getchar();  // ends when the other process is done
  return 0;
}

}  // namespace

void serve_rows(std::size_t value_bytes, const Effort& effort, const RowSink& sink) {
  for (const int connections : {1, 2}) {
    for (const std::size_t window : {1u, 1000u}) {
      const Server server(effort);
      const std::uint64_t count = publish(server, {value_bytes, window, connections}, effort, sink);
      if (window == 1 || connections > 1) continue;
      const auto start = SteadyClock::now();
      Subscriber(server.address(), value_bytes).read(count);
      sink("millrace/srv.consume" + size_tag(value_bytes),
           static_cast<double>(count) / seconds_since(start), "rec/s");
    }
  }
}

int serve_until_end(const std::string& path, std::uint64_t bytes) {
  const Broker broker = must(Broker::open(path));
  TopicOptions options;
  options.partitions = 2;
  options.flush = flush::by_os{};
  // A record of 100 bytes that comes alone takes 173.
  options.settings = reserved_for(2 * bytes);
  must(broker.create_topic(topic_name, options));
  return listen_until_end(broker);
}

int serve_log_until_end(const std::string& path) {
  return listen_until_end(must(Broker::open(path)));
}

}  // namespace millrace::inline v0::cli::bench
