#include <millrace/protocol/messages/fetch.hpp>

#include "server/kafka/handlers.hpp"
#include "server/kafka/partition_fetch.hpp"
#include "server/kafka/server_state.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;

/// A fetch, from the request until it is answered.
class FetchUnderWay final : public ParkedFetch {
 public:
  FetchUnderWay(Request request, FetchRequest message)
      : request_(std::move(request)), message_(std::move(message)) {
    find_partitions();
  }

  bool try_answer(bool is_last) override {
    FetchResponse response;
    Request::Pins pins;
    FetchTotal total{.bytes_left = most_bytes()};
    auto partition = found_.begin();
    for (const auto& topic : message_.topics) {
      auto& answers = response.responses.emplace_back();
      answers.topic = topic.topic;
      answers.topic_id = topic.topic_id;
      for (const auto& from : topic.partitions) {
        auto& answer = answers.partitions.emplace_back();
        answer.partition_index = from.partition;
        fetch_partition(*partition++, shape_of(from), total, answer, pins);
      }
    }
    const auto least = static_cast<std::size_t>(std::max(message_.min_bytes, 0));
    if (!is_last && !total.has_error && total.bytes < least) return false;
    response.throttle_time_ms = request_.charge(Quotas::Direction::consumer, total.bytes);
    request_.respond(response, std::move(pins));
    return true;
  }
  const std::vector<engine::PartitionPtr>& partitions() const noexcept override { return watched_; }
  const void* owner() const noexcept override { return &request_.client(); }

  ParkedFetches& parked() const noexcept { return *request_.client().parked; }
  std::chrono::milliseconds wait() const noexcept {
    return std::chrono::milliseconds(std::max(message_.max_wait_ms, 0));
  }

 private:
  void find_partitions() {
    for (auto& topic : message_.topics) {
      auto unknown_id = WireError::none;
      if (request_.version() >= 13) {
        const auto by_id = request_.state().topic_of(topic.topic_id);
        if (by_id)
          topic.topic = (*by_id)->entry.name;
        else
          unknown_id = WireError::unknown_topic_id;
      }
      auto refused = unknown_id;
      if (refused == WireError::none && !request_.may_topic(Operation::read, topic.topic)) {
        refused = WireError::topic_authorization_failed;
      }
      for (const auto& from : topic.partitions) {
        FoundPartition found{.error = refused};
        if (refused == WireError::none) {
          const auto partition = request_.state().partition(topic.topic, from.partition);
          found.error = to_wire(partition);
          if (partition) watched_.push_back(found.partition = *partition);
        }
        found_.push_back(std::move(found));
      }
    }
  }
  std::size_t most_bytes() const {
    const std::size_t ours =
        std::min(request_.state().options().most_fetch_bytes,
                 request_.state().quotas().most_fetch_bytes(request_.client_id()));
    if (message_.max_bytes < 0) return ours;
    return std::min(ours, static_cast<std::size_t>(message_.max_bytes));
  }
  PartitionFetch shape_of(const FetchRequest::Partition& from) const {
    return {.offset = Offset{from.fetch_offset},
            .leader_epoch = from.current_leader_epoch,
            .max_bytes = static_cast<std::size_t>(std::max(from.partition_max_bytes, 0)),
            .is_committed_only = message_.isolation_level == 1,
            .version = request_.version()};
  }

  Request request_;
  FetchRequest message_;
  std::vector<FoundPartition> found_;
  std::vector<engine::PartitionPtr> watched_;
};

}  // namespace

void fetch(Request request) {
  auto message = request.read<FetchRequest>();
  if (!message) return request.refuse(message.error());
  const auto under_way = std::make_shared<FetchUnderWay>(std::move(request), *std::move(message));
  const auto wait = under_way->wait();
  if (under_way->try_answer(wait.count() == 0)) return;
  under_way->parked().park(under_way, std::chrono::steady_clock::now() + wait);
}

}  // namespace millrace::inline v0::server
