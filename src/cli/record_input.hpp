#pragma once
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "deliveries.hpp"
#include "line_reader.hpp"
#include "producer_settings.hpp"
#include "settings.hpp"
#include "stop_signals.hpp"

namespace millrace::inline v0::cli {

/// What the command line of `produce` says.
struct ProduceOptions {
  std::string topic;
  std::string record_separator = "\\n";
  std::optional<std::string> key_separator;
  std::optional<std::string> null_value;
  std::vector<std::string> header;
  std::vector<std::string> headers;
  std::optional<PartitionId> partition;
  std::vector<std::string> settings;
  std::string idempotent;
  std::string transactional_id;
  std::optional<std::int64_t> transaction_records;
  bool report = false;
};

/// `name=value,name=value`.
Result<std::vector<NamedValue>> parse_headers(std::string_view text);
ProducerSettings settings_of(const ProduceOptions& options);

/// Makes records of lines.
class RecordMaker {
 public:
  explicit RecordMaker(const ProduceOptions& options);
  /// Points into `line`, and into this.
  OutgoingRecord make(std::string_view line) const;

 private:
  void add(NamedValue header) { named_.push_back(std::move(header)); }

  const ProduceOptions& options_;
  std::string key_separator_;
  std::deque<NamedValue> named_;
  std::vector<Header> headers_;  // of named_, which stays in place
};

/// Where records come from.
struct RecordInput {
  explicit RecordInput(const ProduceOptions& options);

  StopSignals stop;
  LineReader lines;
  RecordMaker maker;
};

/// Gives records to `send` until the end of the input, a stop signal, a record that fails, or an
/// error of `send`.
Result<void> send_all(const std::function<Result<void>(const OutgoingRecord&)>& send,
                      RecordInput& input, Deliveries& deliveries);

/// What a stop signal did to records that are acknowledged one by one.
Result<void> outcome_of_stop(const Deliveries& deliveries);
/// The same as `error`, and what became of the transaction. `committed` records were before it.
Error not_committed(const Error& error, std::uint64_t committed);

}  // namespace millrace::inline v0::cli
