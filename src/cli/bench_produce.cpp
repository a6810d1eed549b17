#include <algorithm>

#include "bench_rows.hpp"
#include "bench_store.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

constexpr std::uint64_t block_records = 1000;
constexpr std::size_t value_bytes = 100;

using BytesProducer = Producer<std::string_view, Bytes>;

/// A way of sending blocks of records; each has a topic of its own with room for all of them.
class Sender {
 public:
  Sender(const Broker& broker, const char* name, const flush::Any& flush, std::uint64_t most)
      : name_(name), payload_(value_bytes), value_(value_bytes) {
    TopicOptions options;
    options.flush = flush;
    options.settings = reserved_for(stored_bytes(2 * most, value_bytes, 100));
    topic_.emplace(must(broker.topic<std::string_view, Bytes>(name, options)));
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  virtual ~Sender() = default;

  /// Sends a block and waits until it is acknowledged or committed.
  void run() {
    const auto start = SteadyClock::now();
    block();
    seconds_ += seconds_since(start);
    ++blocks_;
  }
  /// What the first block cost, such as reserving the segment, does not count.
  void start_over() { seconds_ = 0, blocks_ = 0; }
  const char* name() const { return name_; }
  std::uint64_t count() const { return sequence_; }
  double rate() const { return static_cast<double>(blocks_ * block_records) / seconds_; }
  double seconds() const { return seconds_; }
  void check() const {
    std::uint64_t seen = 0;
    Consumer<std::string_view, Bytes> consumer(*topic_);
    while (seen < sequence_) {
      const auto records = must(consumer.poll(std::chrono::milliseconds(0)));
      if (records.empty()) break;
      for (const auto& record : records) {
        if (!payload_.matches(record.value(), seen++)) fail("a record is not as it was sent");
      }
    }
    if (seen != sequence_) fail("the records sent are not all there");
  }

 protected:
  const BytesTopic& topic() const { return *topic_; }
  Bytes next() {
    payload_.make(value_.data(), sequence_++, value_.size());
    return value_;
  }

 private:
  virtual void block() = 0;

  const char* name_;
  std::optional<BytesTopic> topic_;
  Payload payload_;
  std::vector<std::byte> value_;
  std::uint64_t sequence_ = 0;
  double seconds_ = 0;
  std::uint64_t blocks_ = 0;
};

class PlainSender final : public Sender {
 public:
  PlainSender(const Broker& broker, const char* name, const flush::Any& flush, std::uint64_t most,
              bool idempotent)
      : Sender(broker, name, flush, most), producer_(topic(), {.idempotent = idempotent}) {}

 private:
  void block() override {
    for (std::uint64_t i = 0; i < block_records; ++i) {
      if (!producer_.send(next()).accepted()) fail("a record was refused");
    }
    must(producer_.flush());
  }
  BytesProducer producer_;
};

class TransactionalSender final : public Sender {
 public:
  TransactionalSender(const Broker& broker, const char* name, const flush::Any& flush,
                      std::uint64_t most)
      : Sender(broker, name, flush, most),
        producer_(must(TransactionalProducer::open(broker, "bench"))) {}

 private:
  void block() override {
    auto transaction = must(producer_.begin());
    for (std::uint64_t i = 0; i < block_records; ++i) {
      if (!transaction.send(topic(), next()).accepted()) fail("a record was refused");
    }
    must(transaction.commit());
  }
  TransactionalProducer producer_;
};

/// In turns of a few blocks, so that what the machine does meanwhile meets all alike.
void produce_pass(const char* policy, const flush::Any& flush, const Effort& effort,
                  const RowSink& sink) {
  const Scratch scratch;
  const std::uint64_t most = effort.most_bytes() / value_bytes;
  {
    const Broker broker = must(Broker::open(scratch / "data"));
    PlainSender plain(broker, "plain", flush, most, false);
    PlainSender idempotent(broker, "idempotent", flush, most, true);
    TransactionalSender transactional(broker, "transactional", flush, most);
    Sender* const senders[] = {&plain, &idempotent, &transactional};
    for (Sender* const sender : senders) {
      sender->run();
      sender->start_over();
    }
    while (transactional.seconds() < effort.seconds && transactional.count() < most) {
      for (Sender* const sender : senders) {
        for (int i = 0; i < 10; ++i) sender->run();
      }
    }
    for (const Sender* const sender : senders) {
      sink(std::string("millrace/produce.") + policy + "." + sender->name() + size_tag(value_bytes),
           sender->rate(), "rec/s");
      sender->check();
    }
    must(broker.close());
  }
}

}  // namespace

void produce_rows(const Effort& effort, const RowSink& sink) {
  produce_pass("nosync", flush::by_os{}, effort, sink);
  produce_pass("sync", flush::before_ack{}, effort, sink);
}

}  // namespace millrace::inline v0::cli::bench
