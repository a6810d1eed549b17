#include <millrace/storage/transaction_index.hpp>
#include <millrace/testing/faulty_io.hpp>

#include "catch.hpp"
#include "storage/producer_fixture.hpp"
#include "support/bytes.hpp"
#include "support/vectors.hpp"

using namespace millrace;
using namespace millrace::test;
using Catch::Matchers::Contains;
using storage::AbortedTransaction;

namespace {

using Transactions = std::vector<AbortedTransaction>;

const AbortedTransaction first{4001, Offset{9}, Offset{11}, Offset{12}};
const AbortedTransaction second{4002, Offset{10}, Offset{20}, Offset{15}};

std::vector<std::byte> encoded(const Transactions& transactions) {
  std::vector<std::byte> content(transactions.size() * storage::transaction_entry_bytes);
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    storage::encode_transaction(content.data() + i * storage::transaction_entry_bytes,
                                transactions[i]);
  }
  return content;
}

bool is_refused(const std::vector<std::byte>& content) {
  const auto decoded = storage::decode_transactions(content, "x.txnindex");
  return !decoded && decoded.error().code() == Errc::corrupt_data;
}

}  // namespace

TEST_CASE("a transaction index has Kafka's bytes", "[storage][transactions]") {
  const auto vectors = load_vectors("log-directory.json");
  const auto content =
      from_hex(vectors.at("files").at("00000000000000000000.txnindex").get<std::string>());
  CHECK(storage::decode_transactions(content, "x").value() == Transactions{first});
  CHECK(encoded({first}) == content);
}

TEST_CASE("what is no entry of a transaction index is refused", "[storage][transactions]") {
  CHECK(storage::decode_transactions(encoded({first, second}), "x").value() ==
        Transactions{first, second});
  CHECK(storage::decode_transactions({}, "x").value().empty());
  CHECK(is_refused(encoded({second, first})));
  CHECK(is_refused(encoded({first, first})));
  auto content = encoded({first});
  content.pop_back();
  CHECK(is_refused(content));
  CHECK(is_refused(std::vector<std::byte>(storage::transaction_entry_bytes)));
  content = encoded({first});
  content[1] = std::byte{1};  // the version
  CHECK(is_refused(content));
  CHECK(is_refused(encoded({{-1, Offset{9}, Offset{11}, Offset{12}}})));
  CHECK(is_refused(encoded({{1, Offset{-1}, Offset{11}, Offset{12}}})));
  CHECK(is_refused(encoded({{1, Offset{11}, Offset{11}, Offset{12}}})));
  CHECK(is_refused(encoded({{1, Offset{9}, Offset{11}, Offset{-1}}})));
  CHECK_THAT(storage::decode_transactions(Bytes(content).first(20), "x.txnindex").error().message(),
             Contains("x.txnindex") && Contains("delete it"));
}

TEST_CASE("entries are added to a transaction index", "[storage][transactions]") {
  testing::FaultyIo io;
  const Place place(false, &io);
  const Offset base{8};
  CHECK(storage::read_transaction_index(place.directory, base).value().empty());
  storage::append_transaction(place.directory, base, first).value();
  io.fail({.os_code = ENOSPC, .ops = {os::IoOp::write}, .short_write_bytes = 20});
  CHECK(storage::append_transaction(place.directory, base, second).error().code() ==
        Errc::no_space);
  CHECK(storage::read_transaction_index(place.directory, base).value() == Transactions{first});
  storage::append_transaction(place.directory, base, second).value();
  CHECK(storage::read_transaction_index(place.directory, base).value() ==
        Transactions{first, second});
  storage::write_transaction_index(place.directory, base, {second}).value();
  CHECK(storage::read_transaction_index(place.directory, base).value() == Transactions{second});
  storage::write_transaction_index(place.directory, base, {}).value();
  CHECK(place.directory->list().value().empty());
}

TEST_CASE("aborted transactions are found for a range of offsets", "[storage][transactions]") {
  const Place place(GENERATE(true, false));
  const auto log = open_log(place.directory, {.visible_on_append = true});
  try_append(*log, ProducerBatch{.id = 1, .count = 10, .transactional = true}).value();  // [0, 10)
  try_append(*log, ProducerBatch{.id = 2, .count = 10, .transactional = true}).value();  // [10, 20)
  try_append(*log, Marker{.id = 2, .commit = false}).value();                            // 20
  log->roll().value();
  try_append(*log, ProducerBatch{.id = 2, .sequence = 10, .transactional = true}).value();  // 21
  try_append(*log, Marker{.id = 1, .commit = false}).value();                               // 22
  try_append(*log, Marker{.id = 2, .commit = true}).value();                                // 23
  log->roll().value();
  try_append(*log, ProducerBatch{.id = 3, .count = 6, .transactional = true}).value();  // [24, 30)
  try_append(*log, Marker{.id = 3, .commit = false}).value();                           // 30
  const auto producers = [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> ids;
    for (const auto& one : storage::find_aborted(*log, {Offset{begin}, Offset{end}}).value()) {
      ids.push_back(one.producer_id);
    }
    return ids;
  };
  using Ids = std::vector<std::int64_t>;
  CHECK(producers(0, 31) == Ids{2, 1, 3});
  CHECK(producers(0, 10) == Ids{1});
  CHECK(producers(0, 11) == Ids{2, 1});
  CHECK(producers(21, 22) == Ids{1});
  CHECK(producers(22, 24) == Ids{1});
  CHECK(producers(23, 24) == Ids{});
  CHECK(producers(23, 25) == Ids{3});
  CHECK(storage::find_aborted(*log, {Offset{0}, Offset{31}}).value()[0] ==
        AbortedTransaction{2, Offset{10}, Offset{20}, Offset{0}});
}
