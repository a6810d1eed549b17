#include <limits>
#include <millrace/storage/producer_state.hpp>

#include "catch.hpp"
#include "storage/producer_fixture.hpp"

using namespace millrace;
using namespace millrace::test;
using Catch::Matchers::Contains;
using storage::AbortedTransaction;
using storage::AppendOrigin;
using storage::DuplicateBatch;
using storage::ProducerState;

namespace {

constexpr std::int32_t last_sequence = std::numeric_limits<std::int32_t>::max();

/// A state that is told of batches as a log would, which gives them their offsets.
struct Told {
  ProducerState state;
  Offset next{100};

  template <typename Batch>
  std::optional<AbortedTransaction> apply(const Batch& batch) {
    auto bytes = bytes_of(batch);
    record::stamp_batch(bytes, next, LeaderEpoch{0});
    const auto view = record::BatchView::trusted(bytes);
    next = view.next_offset();
    return state.apply(view);
  }
  template <typename Batch>
  Result<std::optional<DuplicateBatch>> check(const Batch& batch,
                                              AppendOrigin origin = AppendOrigin::producer) {
    const auto bytes = bytes_of(batch);
    return state.check(record::BatchView::trusted(bytes), origin);
  }
  bool is_new(const ProducerBatch& batch) {
    const auto checked = check(batch);
    return checked && !*checked;
  }
  template <typename Batch>
  Errc refusal(const Batch& batch, AppendOrigin origin = AppendOrigin::producer) {
    const auto checked = check(batch, origin);
    return checked ? Errc{} : checked.error().code();
  }
};

}  // namespace

TEST_CASE("sequences go from the largest to 0 and back", "[storage][producers]") {
  CHECK(storage::sequence_plus(5, 3) == 8);
  CHECK(storage::sequence_plus(last_sequence, 0) == last_sequence);
  CHECK(storage::sequence_plus(last_sequence, 1) == 0);
  CHECK(storage::sequence_plus(last_sequence, last_sequence) == last_sequence - 1);
  CHECK(storage::sequence_minus(8, 3) == 5);
  CHECK(storage::sequence_minus(0, 1) == last_sequence);
  CHECK(storage::sequence_minus(2, 5) == last_sequence - 2);
}

TEST_CASE("a producer that is unknown may begin with any sequence", "[storage][producers]") {
  Told told;
  CHECK(told.is_new({.sequence = 0}));
  CHECK(told.is_new({.epoch = 5, .sequence = 1234}));
  told.apply(ProducerBatch{.id = 8});
  CHECK(told.is_new({.sequence = 1234}));
}

TEST_CASE("the next batch follows the last one", "[storage][producers]") {
  Told told;
  told.apply(ProducerBatch{.sequence = 10, .count = 3});
  CHECK(told.is_new({.sequence = 13, .count = 2}));
  CHECK(told.refusal(ProducerBatch{.sequence = 14}) == Errc::out_of_order_sequence);
  CHECK(told.refusal(ProducerBatch{.sequence = 12}) == Errc::out_of_order_sequence);
  CHECK(told.refusal(ProducerBatch{.sequence = 0}) == Errc::out_of_order_sequence);
  CHECK_THAT(told.check(ProducerBatch{.sequence = 20, .count = 2}).error().message(),
             Contains("producer 7 at epoch 0") && Contains("sequences 20 to 21") &&
                 Contains("13 is the next") && Contains("send the batches before it"));
}

TEST_CASE("after the largest sequence comes 0", "[storage][producers]") {
  Told told;
  told.apply(ProducerBatch{.sequence = last_sequence - 1, .count = 2});
  CHECK(told.refusal(ProducerBatch{.sequence = 1}) == Errc::out_of_order_sequence);
  CHECK(told.is_new({.sequence = 0}));
  // Within a batch too, and such a batch is known again.
  Told within;
  within.apply(ProducerBatch{.sequence = last_sequence - 1, .count = 5});
  CHECK(within.is_new({.sequence = 3}));
  CHECK(within.refusal(ProducerBatch{.sequence = 2}) == Errc::out_of_order_sequence);
  const ProducerBatch again{.sequence = last_sequence - 1, .count = 5};
  CHECK(within.check(again).value() ==
        DuplicateBatch{Offset{100}, Offset{105}, Timestamp{again.time + 4}});
}

TEST_CASE("the last five batches are known again, and no others", "[storage][producers]") {
  Told told;
  for (std::int32_t i = 0; i < 7; ++i) {
    told.apply(ProducerBatch{.sequence = i * 2, .count = 2, .time = 1000 + i});
  }
  for (std::int32_t i = 0; i < 7; ++i) {
    const ProducerBatch batch{.sequence = i * 2, .count = 2};
    if (i < 2) {
      CHECK(told.refusal(batch) == Errc::out_of_order_sequence);
    } else {
      const Offset base{100 + i * 2};
      CHECK(told.check(batch).value() == DuplicateBatch{base, base + 2, Timestamp{1000 + i + 1}});
    }
  }
  // Both ends count, and the epoch.
  CHECK(told.refusal(ProducerBatch{.sequence = 12, .count = 1}) == Errc::out_of_order_sequence);
  CHECK(told.refusal(ProducerBatch{.sequence = 11, .count = 3}) == Errc::out_of_order_sequence);
  CHECK(told.refusal(ProducerBatch{.epoch = 1, .sequence = 12, .count = 2}) ==
        Errc::out_of_order_sequence);
}

TEST_CASE("a duplicate is one of the same producer", "[storage][producers]") {
  Told told;
  told.apply(ProducerBatch{.id = 1, .sequence = 0, .count = 2});
  told.apply(ProducerBatch{.id = 2, .sequence = 0, .count = 2});
  CHECK(told.check(ProducerBatch{.id = 1, .count = 2}).value()->base_offset == Offset{100});
  CHECK(told.check(ProducerBatch{.id = 2, .count = 2}).value()->base_offset == Offset{102});
  CHECK(told.is_new({.id = 3, .count = 2}));
}

TEST_CASE("an older epoch is refused, a newer one begins at 0", "[storage][producers]") {
  Told told;
  told.apply(ProducerBatch{.epoch = 3, .sequence = 0, .count = 4});
  CHECK(told.refusal(ProducerBatch{.epoch = 2, .sequence = 4}) == Errc::invalid_producer_epoch);
  CHECK_THAT(told.check(ProducerBatch{.epoch = 2, .sequence = 4}).error().message(),
             Contains("producer 7") && Contains("epoch 2 after one at epoch 3") &&
                 Contains("close this one"));
  CHECK(told.refusal(ProducerBatch{.epoch = 4, .sequence = 4}) == Errc::out_of_order_sequence);
  CHECK(told.is_new({.epoch = 4, .sequence = 0}));
  told.apply(ProducerBatch{.epoch = 4, .sequence = 0});
  // What was sent at the old epoch is forgotten.
  CHECK(told.refusal(ProducerBatch{.epoch = 3, .sequence = 0, .count = 4}) ==
        Errc::invalid_producer_epoch);
  CHECK(told.is_new({.epoch = 4, .sequence = 1}));
}

TEST_CASE("fields that make no sense are refused", "[storage][producers]") {
  Told told;
  CHECK(told.refusal(ProducerBatch{.epoch = -1}) == Errc::invalid_record);
  CHECK(told.refusal(ProducerBatch{.sequence = -1}) == Errc::invalid_record);
  CHECK(told.refusal(Marker{}) == Errc::invalid_record);
  CHECK_THAT(told.check(Marker{}).error().message(), Contains("only coordinators"));
  CHECK(told.check(Marker{}, AppendOrigin::coordinator).has_value());
}

TEST_CASE("a coordinator's batches have no sequence to check, but an epoch",
          "[storage][producers]") {
  Told told;
  told.apply(ProducerBatch{.epoch = 1, .sequence = 0, .count = 4, .transactional = true});
  const auto coordinator = AppendOrigin::coordinator;
  const ProducerBatch offsets{.epoch = 1, .sequence = 0, .count = 4, .transactional = true};
  CHECK_FALSE(told.check(offsets, coordinator).value().has_value());  // no duplicate
  CHECK(told.refusal(ProducerBatch{.epoch = 0, .sequence = 4, .transactional = true},
                     coordinator) == Errc::invalid_producer_epoch);
  CHECK(told.refusal(Marker{.epoch = 0}, coordinator) == Errc::invalid_producer_epoch);
  CHECK(told.refusal(Marker{.epoch = 1}, coordinator) == Errc{});
  CHECK(told.refusal(Marker{.epoch = 2}, coordinator) == Errc{});
}

TEST_CASE("a marker of a coordinator that was replaced is refused", "[storage][producers]") {
  Told told;
  told.apply(ProducerBatch{.transactional = true});
  told.apply(Marker{.coordinator_epoch = 5});
  told.apply(ProducerBatch{.sequence = 1, .transactional = true});
  const auto coordinator = AppendOrigin::coordinator;
  CHECK(told.refusal(Marker{.coordinator_epoch = 5}, coordinator) == Errc{});
  const auto refused = told.check(Marker{.coordinator_epoch = 4}, coordinator);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::transaction_coordinator_fenced);
  CHECK_THAT(refused.error().message(), Contains("epoch 4 after one at epoch 5"));
}

TEST_CASE("within a transaction everything is transactional", "[storage][producers]") {
  Told told;
  told.apply(ProducerBatch{.transactional = true});
  CHECK(told.refusal(ProducerBatch{.sequence = 1}) == Errc::invalid_transaction_state);
  CHECK_THAT(told.check(ProducerBatch{.sequence = 1}).error().message(),
             Contains("began at offset 100 is open; commit or abort"));
  CHECK(told.is_new({.sequence = 1, .transactional = true}));
  told.apply(Marker{});
  CHECK(told.is_new({.sequence = 1}));
}

TEST_CASE("a marker takes over its epoch and restarts sequences if it rose",
          "[storage][producers]") {
  Told told;
  told.apply(ProducerBatch{.sequence = 0, .count = 3, .transactional = true});
  SECTION("the same epoch") {
    told.apply(Marker{});
    CHECK(told.is_new({.sequence = 3, .transactional = true}));
    CHECK(told.check(ProducerBatch{.count = 3, .transactional = true}).value().has_value());
  }
  SECTION("a higher one") {
    told.apply(Marker{.epoch = 1});
    CHECK(told.refusal(ProducerBatch{.sequence = 3}) == Errc::invalid_producer_epoch);
    CHECK(told.refusal(ProducerBatch{.epoch = 1, .sequence = 3}) == Errc::out_of_order_sequence);
    CHECK(told.is_new({.epoch = 1, .sequence = 0}));
  }
}

TEST_CASE("a marker without a transaction changes nothing for readers", "[storage][producers]") {
  Told told;
  CHECK_FALSE(told.apply(Marker{.commit = false}).has_value());
  CHECK_FALSE(told.state.first_unstable_offset().has_value());
  CHECK(told.refusal(ProducerBatch{.sequence = 5}) == Errc::out_of_order_sequence);
  CHECK(told.is_new({.sequence = 0}));
}

TEST_CASE("the first open transaction is where readers of committed records stop",
          "[storage][producers]") {
  Told told;
  told.apply(ProducerBatch{.id = 1, .count = 5});
  CHECK_FALSE(told.state.first_unstable_offset().has_value());
  told.apply(ProducerBatch{.id = 1, .sequence = 5, .transactional = true});  // 105
  told.apply(ProducerBatch{.id = 2, .transactional = true});                 // 106
  told.apply(ProducerBatch{.id = 1, .sequence = 6, .transactional = true});  // 107
  CHECK(told.state.first_unstable_offset() == Offset{105});
  told.apply(Marker{.id = 1});  // 108
  // Until its marker can be read, too.
  told.state.advance(Offset{108});
  CHECK(told.state.first_unstable_offset() == Offset{105});
  told.state.advance(Offset{109});
  CHECK(told.state.first_unstable_offset() == Offset{106});
  told.apply(Marker{.id = 2, .commit = false});  // 109
  CHECK(told.state.first_unstable_offset() == Offset{106});
  told.state.advance(Offset{110});
  CHECK_FALSE(told.state.first_unstable_offset().has_value());
}

TEST_CASE("an abort marker tells what it aborted", "[storage][producers]") {
  Told told;
  told.apply(ProducerBatch{.id = 1, .count = 2, .transactional = true});  // 100
  told.apply(ProducerBatch{.id = 2, .count = 2, .transactional = true});  // 102
  told.apply(ProducerBatch{.id = 3, .count = 2, .transactional = true});  // 104
  CHECK(told.apply(Marker{.id = 2, .commit = false}) ==
        AbortedTransaction{2, Offset{102}, Offset{106}, Offset{100}});
  CHECK_FALSE(told.apply(Marker{.id = 1, .commit = true}).has_value());
  CHECK(told.apply(Marker{.id = 3, .commit = false}) ==
        AbortedTransaction{3, Offset{104}, Offset{108}, Offset{109}});
  CHECK_FALSE(told.apply(Marker{.id = 3, .commit = false}).has_value());
}

TEST_CASE("batches are applied whatever check() says", "[storage][producers]") {
  Told told;
  told.apply(ProducerBatch{.epoch = 3, .sequence = 10});
  told.apply(ProducerBatch{.epoch = 3, .sequence = 50});  // a gap
  CHECK(told.is_new({.epoch = 3, .sequence = 51}));
  told.apply(ProducerBatch{.epoch = 2, .sequence = 9});  // an older epoch
  CHECK(told.is_new({.epoch = 2, .sequence = 10}));
}

TEST_CASE("a producer is forgotten a day after it wrote", "[storage][producers]") {
  Told told;
  const auto day = std::chrono::hours(24);
  const Timestamp start{5'000'000'000'000};
  told.apply(ProducerBatch{.id = 1, .time = 1});  // what its records say does not count
  CHECK(told.state.expire(start, day) == 0);
  CHECK(told.state.expire(start + day - std::chrono::milliseconds(1), day) == 0);
  told.apply(ProducerBatch{.id = 2});
  CHECK(told.state.expire(start + day, day) == 1);
  CHECK(told.state.size() == 1);
  CHECK(told.is_new({.id = 1, .sequence = 77}));
  CHECK(told.refusal(ProducerBatch{.id = 2, .sequence = 77}) == Errc::out_of_order_sequence);
}

TEST_CASE("a producer is not forgotten within a transaction", "[storage][producers]") {
  Told told;
  const auto day = std::chrono::hours(24);
  const Timestamp start{5'000'000'000'000};
  told.apply(ProducerBatch{.transactional = true});
  CHECK(told.state.expire(start, day) == 0);
  CHECK(told.state.expire(start + 3 * day, day) == 0);
  told.apply(Marker{});
  CHECK(told.state.expire(start + 3 * day, day) == 0);
  CHECK(told.state.expire(start + 4 * day, day) == 1);
}

TEST_CASE("what was saved counts from the times of its batches", "[storage][producers]") {
  Told told;
  const auto day = std::chrono::hours(24);
  told.apply(ProducerBatch{.id = 1, .time = 1'000'000'000});
  told.apply(ProducerBatch{.id = 2, .time = 9'000'000'000});  // in the future
  ProducerState restored;
  restored.restore(told.state.summaries());
  const Timestamp now{1'000'000'000 + 86'400'000};
  CHECK(restored.expire(now, day) == 1);
  CHECK(restored.expire(now + day, day) == 1);
  told.state.age();
  CHECK(told.state.expire(now, day) == 1);
}

TEST_CASE("what is saved brings back all but the older batches", "[storage][producers]") {
  Told told;
  told.apply(ProducerBatch{.id = 1, .epoch = 4, .sequence = last_sequence, .count = 3});
  told.apply(ProducerBatch{.id = 1, .epoch = 4, .sequence = 2, .count = 4});
  told.apply(ProducerBatch{.id = 2, .transactional = true});
  told.apply(Marker{.id = 3, .epoch = 6, .coordinator_epoch = 9});
  const auto saved = told.state.summaries();
  REQUIRE(saved.size() == 3);
  Told again;
  again.state.restore(saved);
  CHECK(again.state.summaries() == saved);
  CHECK(again.state.first_unstable_offset() == Offset{107});
  CHECK(again.check(ProducerBatch{.id = 1, .epoch = 4, .sequence = 2, .count = 4}).value() ==
        DuplicateBatch{Offset{103}, Offset{107}, saved[0].timestamp});
  CHECK(again.refusal(ProducerBatch{.id = 1, .epoch = 4, .sequence = last_sequence, .count = 3}) ==
        Errc::out_of_order_sequence);
  CHECK(again.is_new({.id = 1, .epoch = 4, .sequence = 6}));
  CHECK(again.refusal(Marker{.id = 3, .epoch = 6, .coordinator_epoch = 8},
                      AppendOrigin::coordinator) == Errc::transaction_coordinator_fenced);
  CHECK(again.refusal(Marker{.id = 3, .epoch = 5}, AppendOrigin::coordinator) ==
        Errc::invalid_producer_epoch);
  again.state.clear();
  CHECK(again.state.size() == 0);
  CHECK_FALSE(again.state.first_unstable_offset().has_value());
}

TEST_CASE("other control records are no markers", "[storage][producers]") {
  const auto read = [](std::size_t key_bytes, std::int16_t type, std::size_t value_bytes) {
    std::vector<std::byte> key(key_bytes);
    if (key_bytes >= 4) store_big(key.data() + 2, type);
    std::vector<std::byte> value(value_bytes);
    if (value_bytes >= 6) store_big(value.data() + 2, std::int32_t{12});
    record::BatchBuilder builder({.transactional = true, .control = true, .producer = {7, 0, -1}});
    builder.add(Timestamp{1}, Bytes(key), Bytes(value)).value();
    const auto bytes = builder.finish().value();
    return storage::read_marker(record::BatchView::trusted(bytes));
  };
  CHECK(read(4, 0, 6)->coordinator_epoch == 12);
  CHECK_FALSE(read(4, 0, 6)->is_commit);
  CHECK(read(4, 1, 6)->is_commit);
  CHECK(read(4, 1, 0)->coordinator_epoch == -1);
  CHECK_FALSE(read(4, 2, 6).has_value());  // a change of leader
  CHECK_FALSE(read(3, 0, 6).has_value());
}
