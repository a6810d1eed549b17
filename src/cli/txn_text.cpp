#include "txn_text.hpp"

#include <fmt/format.h>

#include "table.hpp"
#include "time_text.hpp"

namespace millrace::inline v0::cli {
namespace {

// Those that stand in the log.
constexpr TransactionState states[] = {
    TransactionState::empty,           TransactionState::ongoing,
    TransactionState::prepare_commit,  TransactionState::prepare_abort,
    TransactionState::complete_commit, TransactionState::complete_abort,
};

std::string time_or_dash(Timestamp time) {
  return time == Timestamp::none() ? "-" : format_time(time);
}

Json time_or_null(Timestamp time) {
  return time == Timestamp::none() ? Json(nullptr) : Json(time.milliseconds());
}

}  // namespace

Result<TransactionState> parse_transaction_state(std::string_view text) {
  std::string names;
  for (const TransactionState state : states) {
    if (to_string(state) == text) return state;
    names += (names.empty() ? "" : ", ") + std::string(to_string(state));
  }
  return Error(Errc::invalid_argument,
               fmt::format("\"{}\" is no state of a transaction; there are {}", text, names));
}

std::string as_table(const std::vector<TransactionSummary>& transactions) {
  Table table(
      {"TRANSACTIONAL-ID", "STATE", "PRODUCER-ID", "EPOCH", "TIMEOUT-MS", "PARTITIONS", "SINCE"});
  for (const TransactionSummary& one : transactions) {
    table.add({one.transactional_id, std::string(to_string(one.state)),
               std::to_string(one.producer_id), std::to_string(one.producer_epoch),
               std::to_string(one.timeout.count()), std::to_string(one.partitions),
               time_or_dash(one.since())});
  }
  return table.text();
}

Json as_json(const TransactionSummary& one) {
  return {{"transactional_id", one.transactional_id}, {"state", to_string(one.state)},
          {"producer_id", one.producer_id},           {"producer_epoch", one.producer_epoch},
          {"timeout_ms", one.timeout.count()},        {"partition_count", one.partitions},
          {"started", time_or_null(one.started)},     {"updated", time_or_null(one.updated)}};
}

std::string in_words(const TransactionSummary& one) {
  return fmt::format("producer {} at epoch {}, {} partition{}, begun at {}", one.producer_id,
                     one.producer_epoch, one.partitions, one.partitions == 1 ? "" : "s",
                     time_or_dash(one.started));
}

std::string as_text(const TransactionDescription& transaction) {
  const TransactionSummary& one = transaction.summary;
  std::string out = fmt::format(
      "transactional id {}, {} since {}\nproducer {} at epoch {}, timeout {} ms\n"
      "last transaction begun at {}\n",
      one.transactional_id, to_string(one.state), time_or_dash(one.since()), one.producer_id,
      one.producer_epoch, one.timeout.count(), time_or_dash(one.started));
  if (one.state == TransactionState::ongoing) {
    out += fmt::format("its owner aborts it at {}\n", format_time(one.started + one.timeout));
  }
  if (transaction.partitions.empty()) return out;
  Table table({"TOPIC", "PARTITION", "FIRST-OFFSET"});
  for (const TransactionPartition& part : transaction.partitions) {
    table.add({part.partition.topic, std::to_string(part.partition.partition),
               part.first_offset ? std::to_string(part.first_offset->value()) : "-"});
  }
  return out + "\n" + table.text();
}

Json as_json(const TransactionDescription& transaction) {
  Json one = as_json(transaction.summary);
  one["partitions"] = Json::array();
  for (const TransactionPartition& part : transaction.partitions) {
    Json row{{"topic", part.partition.topic},
             {"partition", part.partition.partition},
             {"first_offset", nullptr}};
    if (part.first_offset) row["first_offset"] = part.first_offset->value();
    one["partitions"].push_back(std::move(row));
  }
  return one;
}

}  // namespace millrace::inline v0::cli
