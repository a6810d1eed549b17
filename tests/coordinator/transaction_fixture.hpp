#pragma once
#include <algorithm>
#include <deque>
#include <millrace/coordinator/transaction_coordinator.hpp>
#include <millrace/coordinator/transaction_records.hpp>

#include "catch.hpp"

namespace millrace_test {

namespace coordinator = millrace::coordinator;
using coordinator::ProducerEpoch;
using coordinator::Token;
using coordinator::TopicPartition;
using coordinator::TransactionActions;
using coordinator::TransactionCoordinator;
using coordinator::TransactionState;
using millrace::Errc;
using std::chrono::milliseconds;

/// A coordinator in a world where time stands still unless told to go on, and where writes and
/// markers end at once unless they are held.
class TransactionWorld {
 public:
  using Marker = std::pair<TopicPartition, bool>;

  explicit TransactionWorld(coordinator::TransactionCoordinatorOptions options = {})
      : options_(options), coordinator_(make()) {}

  TransactionCoordinator* operator->() { return coordinator_.get(); }
  TransactionCoordinator::Now now() const {
    return {millrace::Clock::Steady(std::chrono::seconds(100)) + passed_,
            millrace::Timestamp(1'700'000'000'000) + passed_};
  }
  void pass(milliseconds time) {
    passed_ += time;
    call([&](Token, TransactionActions& actions) { coordinator_->tick(now(), actions); });
  }

  Token init(const coordinator::InitProducerRequest& request) {
    return call([&](Token token, TransactionActions& actions) {
      coordinator_->init_producer(request, token, now(), actions);
    });
  }
  Token add(const ProducerEpoch& from, std::vector<TopicPartition> partitions) {
    return call([&](Token token, TransactionActions& actions) {
      coordinator_->add_partitions({"p", from}, partitions, token, now(), actions);
    });
  }
  Token end(const ProducerEpoch& from, bool is_commit, bool waits = true) {
    return end(coordinator::EndTransactionRequest{{"p", from}, is_commit, waits});
  }
  Token end(const coordinator::EndTransactionRequest& request) {
    return call([&](Token token, TransactionActions& actions) {
      coordinator_->end(request, token, now(), actions);
    });
  }
  Token abort(const std::string& id) {
    return call([&](Token token, TransactionActions& actions) {
      coordinator_->abort(id, token, now(), actions);
    });
  }

  /// The producer that a new instance of "p" gets.
  ProducerEpoch open() {
    const auto* reply = init_reply(init({"p", std::chrono::seconds(10), {}, true}));
    REQUIRE(reply != nullptr);
    return reply->answer.value();
  }
  /// The answer to a request; null as long as there is none.
  const coordinator::InitProducerReply* init_reply(Token token) const { return find(inits, token); }
  const coordinator::TransactionReply* reply(Token token) const { return find(replies, token); }
  bool is_good(Token token) const {
    const auto* found = reply(token);
    return found != nullptr && found->answer.has_value();
  }
  Errc code(Token token) const {
    const auto* found = reply(token);
    REQUIRE(found != nullptr);
    REQUIRE_FALSE(found->answer.has_value());
    return found->answer.error().code();
  }
  TransactionState state() const { return coordinator_->transaction("p")->state; }

  /// Ends the writes that were held.
  void end_writes(const millrace::Result<void>& result = {}) {
    for (auto& write : std::exchange(held, {})) end_write(std::move(write), result);
  }
  /// Ends the markers that were held; those in `missing` could not be written.
  void end_markers(const std::vector<TopicPartition>& missing = {}) {
    for (auto& one : std::exchange(held_markers, {})) mark(one, missing);
  }
  /// The same records, taken up by a coordinator that knows nothing yet.
  void restart() {
    coordinator_ = make();
    held.clear();
    held_markers.clear();
    for (const auto& record : log) {
      const auto value =
          record.value ? std::optional<millrace::Bytes>(*record.value) : std::nullopt;
      REQUIRE(coordinator_->load(record.key, value));
    }
    call([&](Token, TransactionActions& actions) { coordinator_->loaded(now(), actions); });
  }

  bool holds_writes = false;
  bool holds_markers = false;
  std::vector<coordinator::TransactionWrite> held;
  std::vector<coordinator::MarkersToWrite> held_markers;
  std::vector<coordinator::InternalRecord> log;
  std::vector<coordinator::TransactionWrite::Until> untils;
  std::vector<coordinator::InitProducerReply> inits;
  std::vector<coordinator::TransactionReply> replies;
  std::vector<Marker> markers;
  std::vector<ProducerEpoch> marked_by;
  std::int64_t last_producer_id = 1000;

 private:
  std::unique_ptr<TransactionCoordinator> make() {
    return std::make_unique<TransactionCoordinator>(options_,
                                                    [this]() -> millrace::Result<ProducerEpoch> {
                                                      return ProducerEpoch{++last_producer_id, 0};
                                                    });
  }
  template <typename Call>
  Token call(Call call) {
    const Token token{++tokens_};
    TransactionActions actions;
    call(token, actions);
    take(std::move(actions));
    return token;
  }
  template <typename Reply>
  static const Reply* find(const std::vector<Reply>& replies, Token token) {
    const auto found = std::find_if(replies.begin(), replies.end(),
                                    [&](const Reply& reply) { return reply.token == token; });
    return found == replies.end() ? nullptr : &*found;
  }
  void end_write(coordinator::TransactionWrite write, const millrace::Result<void>& result) {
    if (result) log.push_back(std::move(write.record));
    TransactionActions actions;
    coordinator_->written(write.id, result, now(), actions);
    take(std::move(actions));
  }
  void mark(const coordinator::MarkersToWrite& to_write,
            const std::vector<TopicPartition>& missing) {
    for (const auto& partition : to_write.partitions) {
      if (std::find(missing.begin(), missing.end(), partition) != missing.end()) continue;
      markers.emplace_back(partition, to_write.is_commit);
      marked_by.push_back(to_write.producer);
    }
    TransactionActions actions;
    if (to_write.decides) {
      const millrace::Error full(Errc::no_space, "the disk is full");
      coordinator_->written(to_write.id, missing.empty() ? millrace::Result<void>() : full, now(),
                            actions);
    } else {
      coordinator_->marked(to_write.id, missing, now(), actions);
    }
    take(std::move(actions));
  }
  void take(TransactionActions actions) {
    for (auto& reply : actions.inits) inits.push_back(std::move(reply));
    for (auto& reply : actions.replies) replies.push_back(std::move(reply));
    for (auto& write : actions.writes) {
      untils.push_back(write.until);
      if (holds_writes) {
        held.push_back(std::move(write));
      } else {
        end_write(std::move(write), {});
      }
    }
    for (auto& to_write : actions.markers) {
      if (holds_markers) {
        held_markers.push_back(std::move(to_write));
      } else {
        mark(to_write, {});
      }
    }
  }

  coordinator::TransactionCoordinatorOptions options_;
  std::uint64_t tokens_ = 0;
  milliseconds passed_{0};
  std::unique_ptr<TransactionCoordinator> coordinator_;
};

}  // namespace millrace_test
