#include <atomic>
#include <deque>
#include <millrace/os/wait_word.hpp>
#include <mutex>
#include <utility>

#include "bench_framed.hpp"
#include "bench_limits.hpp"
#include "bench_rows.hpp"
#include "bench_store.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

constexpr std::uint32_t senders = 64;

using BytesProducer = Producer<std::string_view, Bytes>;

/// Records that 64 threads get acknowledged.
std::uint64_t send_from_threads(BytesProducer& producer, const Payload& payload,
                                std::size_t value_bytes, double seconds) {
  std::atomic<std::uint64_t> total{0};
  const auto start = SteadyClock::now();
  in_threads(senders, [&](int) {
    std::vector<std::byte> value(value_bytes);
    std::uint64_t n = 0;
    for (; seconds_since(start) < seconds; ++n) {
      payload.make(value.data(), n, value_bytes);
      must(producer.send(value).get());
    }
    total += n;
  });
  return total;
}

/// Records that one thread gets acknowledged, the oldest of 64 before it sends the next.
std::uint64_t send_ahead(BytesProducer& producer, const Payload& payload, std::size_t value_bytes,
                         double seconds) {
  std::vector<std::byte> value(value_bytes);
  std::deque<PendingReceipt> under_way;
  std::uint64_t n = 0;
  for (const auto start = SteadyClock::now(); seconds_since(start) < seconds; ++n) {
    payload.make(value.data(), n, value_bytes);
    if (under_way.size() == senders) {
      must(under_way.front().get());
      under_way.pop_front();
    }
    under_way.push_back(producer.send(value));
  }
  for (const PendingReceipt& receipt : under_way) must(receipt.get());
  return n;
}

template <typename Send>
void senders_pass(const std::string& row, std::size_t value_bytes, const Effort& effort,
                  const RowSink& sink, Send send) {
  const Scratch scratch;
  const std::string path = scratch / "senders";
  std::uint64_t sent = 0;
  {
    TopicOptions options;
    options.settings = reserved_for(effort.most_bytes());
    const Store store = open_store(path, options);
    BytesProducer producer(store.topic);
    const Payload payload(value_bytes);
    const std::vector<std::byte> first(value_bytes);
    must(producer.send(first).get());
    const auto start = SteadyClock::now();
    sent = send(producer, payload, value_bytes, effort.seconds);
    sink("millrace/" + row + size_tag(value_bytes),
         static_cast<double>(sent) / seconds_since(start), "rec/s");
    must(store.broker.close());
  }
  const Store store = open_store(path, {.create_if_missing = false});
  if (store.partition(0).offsets().end != Offset{static_cast<std::int64_t>(sent) + 1}) {
    fail("the senders' records are not all there");
  }
}

/// What is handed over goes into the batch that gathers; its number is what its senders wait for.
struct Herd {
  std::mutex mutex;
  std::uint32_t batch = 1;    // that gathers
  std::uint32_t waiting = 0;  // records in it
  alignas(64) std::atomic<std::uint32_t> synced{0};
  std::atomic<bool> over{false};

  std::uint32_t hand_over() {
    const std::lock_guard lock(mutex);
    ++waiting;
    return batch;
  }
  std::uint32_t take() {
    const std::lock_guard lock(mutex);
    ++batch;
    return std::exchange(waiting, 0);
  }
  std::uint32_t count() {
    const std::lock_guard lock(mutex);
    return waiting;
  }
  void finish_one() {
    synced.fetch_add(1);
    os::wake_all(synced);
  }
};

/// As long as each look finds more.
void wait_for_arrivals(Herd& herd) {
  std::uint32_t seen = 0;
  for (int idle = 0; seen < senders && idle < 3;) {
    std::this_thread::yield();
    const std::uint32_t now = herd.count();
    idle = now == seen ? idle + 1 : 0;
    seen = now;
  }
}

std::uint64_t sync_for_all(Herd& herd, const WrittenFile& file, std::size_t value_bytes,
                           double seconds) {
  std::vector<std::byte> buffer(senders * (header_bytes + value_bytes));
  const std::vector<std::byte> value(value_bytes);
  std::uint64_t records = 0;
  std::size_t at = 0;
  for (const auto start = SteadyClock::now(); seconds_since(start) < seconds;) {
    wait_for_arrivals(herd);
    const std::uint32_t count = herd.take();
    std::size_t used = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      used += frame(buffer.data() + used, value.data(), value_bytes, records++);
    }
    if (at + used > file_bytes) at = 0;
    file.write(Bytes(buffer).first(used), at);
    at += used;
    file.sync();
    herd.finish_one();
  }
  return records;
}

void hand_over_and_sleep(Herd& herd) {
  while (!herd.over) {
    const std::uint32_t batch = herd.hand_over();
    for (std::uint32_t seen = herd.synced; seen < batch && !herd.over; seen = herd.synced) {
      os::wait_on(herd.synced, seen);
    }
  }
}

}  // namespace

void senders_limit(std::size_t value_bytes, const Effort& effort, const RowSink& sink) {
  const Scratch scratch;
  const WrittenFile file(scratch / "file", large_piece, false);
  Herd herd;
  in_threads(senders + 1, [&](int i) {
    if (i != 0) return hand_over_and_sleep(herd);
    const auto start = SteadyClock::now();
    const std::uint64_t records = sync_for_all(herd, file, value_bytes, effort.seconds);
    sink("limit/senders64.sync" + size_tag(value_bytes),
         static_cast<double>(records) / seconds_since(start), "rec/s");
    herd.over = true;
    herd.finish_one();
  });
}

void senders_row(std::size_t value_bytes, const Effort& effort, const RowSink& sink) {
  senders_pass("senders64.sync", value_bytes, effort, sink, send_from_threads);
  senders_pass("inflight64.sync", value_bytes, effort, sink, send_ahead);
}

}  // namespace millrace::inline v0::cli::bench
