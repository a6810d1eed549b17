#include <cstdio>

#include "bench_child.hpp"
#include "bench_children.hpp"
#include "bench_rows.hpp"
#include "bench_store.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

constexpr std::size_t value_bytes = 100;
constexpr std::uint64_t last = ~std::uint64_t{0};
/// Longer than a waiting reader looks before it sleeps.
constexpr std::uint64_t asleep_after = 150'000;

using BytesConsumer = Consumer<std::string_view, Bytes>;

/// What goes back and forth: a number and when it was sent.
struct Ball {
  std::uint64_t number = 0;
  std::uint64_t sent_at = 0;
};

/// One side of a game: writes to one partition, reads another.
class Player {
 public:
  Player(PartitionHandle out, const BytesTopic& in, PartitionId in_partition, WaitStrategy wait)
      : out_(std::move(out)), in_(in, {.wait = wait}) {
    must(in_.assign({in_partition}));
  }

  void send(Ball ball) {
    std::memcpy(value_, &ball, sizeof ball);
    must(out_.append(std::nullopt, value_));
  }
  Ball receive() {
    for (;;) {
      const auto records = must(in_.poll(std::chrono::seconds(10)));
      for (const auto& record : records) {
        Ball ball;
        std::memcpy(&ball, record.raw_value()->data(), sizeof ball);
        return ball;
      }
    }
  }

 private:
  PartitionHandle out_;
  BytesConsumer in_;
  std::byte value_[value_bytes] = {};
};

/// Answers until the last ball; the median of how long they were under way, in us.
double answer(Player& player) {
  Latencies one_way;
  for (;;) {
    const Ball ball = player.receive();
    one_way.add(nanoseconds_now() - ball.sent_at);
    player.send(ball);
    if (ball.number == last) return one_way.at(0.5) / 1e3;
  }
}

/// Serves; the median of half a round trip, in us. With `pause` lets the other side fall asleep
/// before each ball.
double serve(Player& player, double seconds, bool pause) {
  Latencies round_trips;
  const auto start = SteadyClock::now();
  for (std::uint64_t number = 0; number < 200 || seconds_since(start) < seconds; ++number) {
    if (pause) {
      const std::uint64_t until = nanoseconds_now() + asleep_after;
      while (nanoseconds_now() < until) {
      }
    }
    const std::uint64_t sent_at = nanoseconds_now();
    player.send({number, sent_at});
    if (player.receive().number != number) fail("a record came back out of order");
    round_trips.add(nanoseconds_now() - sent_at);
  }
  player.send({last, nanoseconds_now()});
  static_cast<void>(player.receive());
  return round_trips.at(0.5) / 2 / 1e3;
}

TopicOptions options_of(std::int32_t partitions) {
  TopicOptions options;
  options.partitions = partitions;
  options.flush = flush::by_os{};
  return options;
}

void thread_row(const std::string& row, bool blocked, double seconds, const RowSink& sink) {
  const Scratch scratch;
  const Store store = open_store(scratch / "wake", options_of(2));
  const WaitStrategy wait = WaitStrategy::block;
  Player here(store.partition(0).handle(), store.topic, 1, blocked ? WaitStrategy::spin : wait);
  Player there(store.partition(1).handle(), store.topic, 0, wait);
  double one_way = 0;
  double half_trip = 0;
  in_threads(2, [&](int side) {
    const Pin pin(side);
    if (side == 0) half_trip = serve(here, seconds, blocked);
    if (side == 1) one_way = answer(there);
  });
  sink("millrace/" + row + size_tag(value_bytes), blocked ? one_way : half_trip, "us");
}

void process_row(const std::string& row, bool blocked, double seconds, const RowSink& sink) {
  const Scratch scratch;
  const std::string ours = scratch / "ours";
  const std::string theirs = scratch / "theirs";
  const Store store = open_store(ours, options_of(1));
  Child child({"echo", theirs, ours, blocked ? "block" : "spin"});
  static_cast<void>(child.read_line());
  const Broker attached = must(Broker::attach(theirs));
  const auto topic = must(attached.topic<std::string_view, Bytes>("bench"));
  double half_trip = 0;
  {
    const Pin pin(0);
    Player player(store.partition(0).handle(), topic, 0, WaitStrategy::spin);
    half_trip = serve(player, seconds, blocked);
  }
  const double one_way = std::stod(child.read_line());
  child.wait();
  sink("millrace/" + row + size_tag(value_bytes), blocked ? one_way : half_trip, "us");
}

}  // namespace

int echo(const std::string& own, const std::string& theirs, const std::string& how) {
  const Pin pin(1);
  const Store store = open_store(own, options_of(1));
  const Broker attached = must(Broker::attach(theirs));
  const auto topic = must(attached.topic<std::string_view, Bytes>("bench"));
  Player player(store.partition(0).handle(), topic, 0,
                how == "spin" ? WaitStrategy::spin : WaitStrategy::block);
  std::printf("ready\n");
  std::fflush(stdout);
  const double one_way = answer(player);
  std::printf("%.6g\n", one_way);
  return 0;
}

void wake_rows(const Effort& effort, const RowSink& sink) {
  const double seconds = effort.seconds;
  thread_row("wake.thread.blocked", true, seconds, sink);
  thread_row("wake.thread.pingpong", false, seconds, sink);
  process_row("wake.process.blocked", true, seconds, sink);
  process_row("wake.process.spin", false, seconds, sink);
}

}  // namespace millrace::inline v0::cli::bench
