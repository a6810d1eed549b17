#include <millrace/coordinator/group_records.hpp>
#include <millrace/coordinator/transaction_records.hpp>

#include "catch.hpp"
#include "record_vectors.hpp"

using namespace millrace;
using namespace millrace::test;
using coordinator::Transaction;
using coordinator::TransactionState;

namespace {

Transaction sample() {
  Transaction sample;
  sample.producer = {4000, 7};
  sample.timeout = std::chrono::milliseconds(60'000);
  sample.state = TransactionState::ongoing;
  sample.partitions = {{"a", 0}, {"a", 3}, {"b", 1}};
  sample.started = Timestamp(1'700'000'000'000);
  sample.updated = Timestamp(1'700'000'000'001);
  return sample;
}

}  // namespace

TEST_CASE("A transactional id's key is Kafka's bytes", "[transaction_records]") {
  CHECK(for_each_vector("TransactionLogKey", [](const auto& fields, const auto& bytes, int) {
          const auto id = coordinator::parse_transaction_key(bytes).value();
          REQUIRE(id);
          CHECK(*id == fields.at("TransactionalId").template get<std::string>());
          const auto record = coordinator::transaction_tombstone(*id);
          CHECK(record.key == bytes);
          CHECK_FALSE(record.value);
        }) == 2);
}

TEST_CASE("A transaction's state is Kafka's bytes", "[transaction_records]") {
  CHECK(for_each_vector("TransactionLogValue", [](const auto& fields, const auto& bytes,
                                                  int version) {
          const Transaction read = coordinator::parse_transaction(bytes).value();
          CHECK(read.producer.id == fields.at("ProducerId").template get<std::int64_t>());
          CHECK(read.producer.epoch == fields.at("ProducerEpoch").template get<int>());
          CHECK(read.timeout.count() == fields.at("TransactionTimeoutMs").template get<int>());
          CHECK(static_cast<int>(read.state) == fields.at("TransactionStatus").template get<int>());
          CHECK(read.updated.milliseconds() ==
                fields.at("TransactionLastUpdateTimestampMs").template get<std::int64_t>());
          CHECK(read.started.milliseconds() ==
                fields.at("TransactionStartTimestampMs").template get<std::int64_t>());
          std::set<coordinator::TopicPartition> partitions;
          if (!fields.at("TransactionPartitions").is_null()) {
            for (const auto& topic : fields.at("TransactionPartitions")) {
              for (const auto& id : topic.at("PartitionIds")) {
                partitions.insert(
                    {topic.at("Topic").template get<std::string>(), id.template get<int>()});
              }
            }
          }
          CHECK(read.partitions == partitions);
          const auto again =
              coordinator::parse_transaction(*coordinator::transaction_record("x", read).value);
          if (version == 0 && !partitions.empty()) {
            CHECK(*again == read);
            CHECK(coordinator::transaction_record("x", read).value->size() == bytes.size());
          }
        }) >= 4);
}

TEST_CASE("A state comes back as it was written", "[transaction_records]") {
  const Transaction written = sample();
  const auto record = coordinator::transaction_record("p", written);
  CHECK(coordinator::parse_transaction(*record.value).value() == written);
  Transaction decided = sample();
  decided.state = TransactionState::prepare_commit;
  decided.ends = {{{"a", 0}, Offset{5}}, {{"a", 3}, Offset{0}}, {{"b", 1}, Offset{1LL << 40}}};
  CHECK(coordinator::parse_transaction(*coordinator::transaction_record("p", decided).value)
            .value() == decided);
  Transaction empty = sample();
  empty.state = TransactionState::empty;
  empty.partitions.clear();
  CHECK(
      coordinator::parse_transaction(*coordinator::transaction_record("p", empty).value).value() ==
      empty);
}

TEST_CASE("A state that is cut short or of a later version is refused", "[transaction_records]") {
  const auto bytes = *coordinator::transaction_record("p", sample()).value;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto read = coordinator::parse_transaction(Bytes(bytes).first(size));
    REQUIRE_FALSE(read);
    CHECK(read.error().code() == Errc::corrupt_data);
  }
  auto later = bytes;
  later[1] = std::byte{2};
  CHECK(coordinator::parse_transaction(later).error().code() == Errc::newer_format);
}
