#include "delayed_model.hpp"

#include <algorithm>
#include <functional>
#include <set>

namespace millrace::test {

using namespace std::chrono_literals;
using Text = Topic<std::string, std::string>;

int MomentHooks::before(const os::IoCall& call) noexcept {
  if (left_ > 0 && --left_ == 0) moment_ = disk_.snapshot().value();
  return disk_.before(call);
}

/// What it is filled with at first counts as durable.
struct DelayedModel::Disk {
  explicit Disk(const std::function<void(const std::string&)>& fill)
      : directory(TempDirectory::fast_parent()),
        moments((fill(directory.path()), directory.path())) {}

  TempDirectory directory;
  MomentHooks moments;
  testing::FaultyIo io{&moments};
};

struct DelayedModel::Machine {
  Broker broker;
  Text topic;
  std::optional<TransactionalProducer> producer;
  std::optional<Transaction> transaction;
};

DelayedModel::DelayedModel(std::uint64_t seed, bool flushes)
    : random_(seed), flushes_(flushes), disk_(std::make_unique<Disk>([](const std::string&) {})) {
  open();
}

DelayedModel::~DelayedModel() = default;

void DelayedModel::open() {
  auto broker = Broker::open(disk_->directory.path(), {.background_thread = false,
                                                       .retention_check_interval = 1000h,
                                                       .clock = &clock_,
                                                       .io_hooks = &disk_->io})
                    .value();
  TopicOptions options;
  if (!flushes_) options.flush = flush::by_os{};
  options.settings = {{"millrace.delayed.delivery", "true"},
                      {"retention.ms", "-1"},
                      {"max.message.bytes", "300"},
                      {"segment.bytes", "2048"}};
  auto topic = broker.topic<std::string, std::string>("t", options).value();
  machine_ = std::make_unique<Machine>(Machine{std::move(broker), std::move(topic), {}, {}});
}

void DelayedModel::run_all() {
  for (int i = 0; i < 10'000 && machine_->broker.run_pending() > 0; ++i) {
  }
}

std::vector<std::string> DelayedModel::send_some(
    const std::function<PendingReceipt(const OutgoingRecord&, const std::string&)>& send,
    bool is_transactional) {
  std::vector<std::pair<std::string, PendingReceipt>> pending;
  for (int count = 1 + draw(4); count > 0; --count) {
    const std::string value = next_value();
    const auto wait = std::chrono::milliseconds(draw(40) * 100);
    const DeliverAt at(clock_.now() + wait);
    const bool is_delayed = draw(3) != 0;
    OutgoingRecord record;
    if (is_delayed) record.headers = at.headers();
    Sent& sent = sent_[value];
    sent.is_transactional = is_transactional;
    sent.is_held_up = machine_->transaction.has_value();
    if (is_delayed && wait > 0ms) sent.deliver_at = clock_.now() + wait;
    pending.emplace_back(value, send(record, value));
  }
  std::vector<std::string> accepted;
  for (const auto& [value, receipt] : pending) {
    if (receipt.get()) {
      accepted.push_back(value);
    } else if (disk_->io.failures().empty()) {
      blame(value + " was refused");
    }
  }
  return accepted;
}

void DelayedModel::send() {
  Producer producer{machine_->topic, {.linger = 1h}};
  const auto accepted = send_some(
      [&](const OutgoingRecord& record, const std::string& value) {
        return producer.send_with(record, nullptr, &value);
      },
      false);
  for (const auto& value : accepted) sent_[value].fate = Fate::certain;
}

void DelayedModel::use_transaction() {
  if (!machine_->producer) {
    auto producer = TransactionalProducer::open(machine_->broker, "p", {.timeout = 10min});
    if (!producer) return blame("opening a producer: " + producer.error().message());
    machine_->producer.emplace(*std::move(producer));
  }
  if (!machine_->transaction) {
    auto begun = machine_->producer->begin();
    if (!begun) return blame("beginning: " + begun.error().message());
    machine_->transaction.emplace(*std::move(begun));
  }
  const auto accepted = send_some(
      [&](const OutgoingRecord& record, const std::string& value) {
        return machine_->transaction->send_with(machine_->topic, record, nullptr, &value);
      },
      true);
  in_transaction_.insert(in_transaction_.end(), accepted.begin(), accepted.end());
}

void DelayedModel::end_transaction(bool commits) {
  if (!machine_->transaction) return;
  const auto ended = commits ? machine_->transaction->commit() : machine_->transaction->abort();
  if (!ended) {
    machine_->transaction.reset();
    machine_->producer.reset();
  } else {
    for (const auto& value : in_transaction_) {
      sent_[value].fate = commits ? Fate::certain : Fate::never;
    }
    machine_->transaction.reset();
  }
  in_transaction_.clear();
}

void DelayedModel::advance() {
  clock_.advance(std::chrono::milliseconds(draw(15) * 100));
  run_all();
}

void DelayedModel::reopen() {
  end_transaction(false);
  machine_->producer.reset();
  const auto closed = machine_->broker.close();
  if (!closed) blame("closing: " + closed.error().message());
  open();
}

/// Goes on with what the crash left. What was being done may have been done.
void DelayedModel::crash(const testing::DiskImage& image) {
  constexpr testing::CrashMode modes[] = {
      testing::CrashMode::keep_all, testing::CrashMode::drop_unsynced,
      testing::CrashMode::random_pages, testing::CrashMode::random_sectors,
      testing::CrashMode::prefix};
  const testing::Crash crash{modes[draw(5)], random_()};
  auto after = std::make_unique<Disk>([&](const std::string& path) {
    image.materialize(crash, *os::open_directory(path, true).value()).value();
  });
  // Nobody is left who could commit it.
  for (const auto& value : in_transaction_) sent_[value].fate = Fate::never;
  machine_.reset();
  in_transaction_.clear();
  disk_ = std::move(after);
  open();
  if (!flushes_ && crash.mode != testing::CrashMode::keep_all) forget_what_was_lost();
}

/// Without a flush before the acknowledgement, what is certain is what the log has now.
void DelayedModel::forget_what_was_lost() {
  std::set<std::string> there;
  const auto partition = machine_->topic.partition(0).value();
  auto scan = partition.scan(partition.offsets().start);
  for (const auto& record : scan) there.insert(record.value());
  for (auto& [value, sent] : sent_) {
    if (sent.fate != Fate::certain) continue;
    if (!there.contains(value)) {
      sent.fate = Fate::never;
    } else if (sent.is_transactional) {
      sent.fate = Fate::unknown;  // the marker behind it may be lost
    }
  }
}

std::vector<DelayedModel::Seen> DelayedModel::read() const {
  Consumer consumer{machine_->topic, {.max_records = 7}};
  std::vector<Seen> seen;
  for (bool any = true; any;) {
    auto records = consumer.poll(0s).value();
    any = !records.empty();
    for (const auto& record : records) {
      seen.push_back(
          {record.value(), record.offset(), record.timestamp(), delayed_offset(record.headers())});
    }
  }
  return seen;
}

void DelayedModel::check_seen(bool is_end) {
  std::map<std::string, int> times;
  const auto seen = read();
  for (const Seen& one : seen) {
    const auto known = sent_.find(one.value);
    if (known == sent_.end()) return blame(one.value + " was never sent");
    const Sent& sent = known->second;
    if (sent.fate == Fate::never) blame(one.value + " was aborted or lost, and is seen");
    if (++times[one.value] > 1) blame(one.value + " is seen twice");
    if (sent.deliver_at.has_value() != one.original.has_value()) {
      blame(one.value + " is seen where it was sent, or is a copy though it was not delayed");
    }
    if (sent.deliver_at && (clock_.now() < *sent.deliver_at || one.timestamp < *sent.deliver_at)) {
      blame(one.value + " is seen before its time");
    }
  }
  check_order(seen);
  for (const auto& [value, sent] : sent_) {
    const bool is_to_be_seen = sent.fate == Fate::certain && (is_end || !sent.deliver_at);
    // What is behind an open transaction is seen later.
    if (is_to_be_seen && (is_end || !machine_->transaction) && times[value] == 0) {
      blame(value + " is not seen");
    }
  }
}

/// A copy may follow one that should have come after it only if its record was not there yet.
void DelayedModel::check_order(const std::vector<Seen>& seen) {
  for (auto later = seen.begin(); later != seen.end(); ++later) {
    const Sent& of_later = sent_.at(later->value);
    if (!later->original || of_later.is_held_up || !of_later.deliver_at) continue;
    for (auto earlier = seen.begin(); earlier != later; ++earlier) {
      const Sent& of_earlier = sent_.at(earlier->value);
      if (!earlier->original || !of_earlier.deliver_at) continue;
      const bool is_swapped = std::pair(*of_later.deliver_at, *later->original) <
                              std::pair(*of_earlier.deliver_at, *earlier->original);
      if (is_swapped && *later->original < earlier->offset) {
        blame(later->value + " comes after " + earlier->value);
      }
    }
  }
}

void DelayedModel::step() {
  const auto before = sent_;
  const bool may_crash = draw(8) == 0;
  if (may_crash) disk_->moments.arm(static_cast<std::uint64_t>(1 + draw(12)));
  const bool may_fail = !may_crash && draw(12) == 0;
  const int action = draw(20);
  if (action < 6) {
    send();
  } else if (action < 8) {
    use_transaction();
  } else if (action < 10) {
    end_transaction(draw(3) != 0);
  } else if (action < 17) {
    if (may_fail) {
      disk_->io.fail({.nth = static_cast<std::uint64_t>(1 + draw(3)),
                      .os_code = ENOSPC,
                      .ops = {os::IoOp::write},
                      .path_suffix = ".log"});
    }
    advance();
    disk_->io.heal();
  } else if (action < 18) {
    reopen();
  } else {
    check_seen(false);
  }
  disk_->moments.disarm();
  if (auto moment = disk_->moments.take()) {
    for (auto& [value, sent] : sent_) {
      const auto known = before.find(value);
      if (known == before.end() || known->second.fate != sent.fate) sent.fate = Fate::unknown;
    }
    crash(*moment);
  }
}

std::string DelayedModel::run(int steps) {
  for (int i = 0; i < steps && wrong_.empty(); ++i) {
    step();
  }
  end_transaction(false);
  for (int opening = 0; opening < 2 && wrong_.empty(); ++opening) {
    clock_.advance(1h);
    run_all();
    check_seen(true);
    reopen();
  }
  return wrong_;
}

void DelayedModel::lie_of_aborted() {
  for (auto& [value, sent] : sent_) {
    if (sent.fate == Fate::certain) sent.fate = Fate::never;
  }
}

}  // namespace millrace::test
