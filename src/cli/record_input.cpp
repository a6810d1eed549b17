#include "record_input.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "escapes.hpp"
#include "progress.hpp"

namespace millrace::inline v0::cli {
namespace {

Error bad_header(std::string_view header, std::size_t number, std::string_view text) {
  const std::string problem = header.empty()
                                  ? fmt::format("header {} of \"{}\" is empty", number, text)
                                  : fmt::format("\"{}\" is not of the form name=value", header);
  return {Errc::invalid_argument,
          problem + "; give name=value,name=value and, for a value with commas, --header"};
}

}  // namespace

Result<std::vector<NamedValue>> parse_headers(std::string_view text) {
  std::vector<NamedValue> headers;
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    const std::string_view one = rest.substr(0, comma);
    auto header = parse_named_value(one);
    if (!header) return bad_header(one, headers.size() + 1, text);
    headers.push_back(*std::move(header));
    if (comma == std::string_view::npos) return headers;
    rest.remove_prefix(comma + 1);
  }
}

ProducerSettings settings_of(const ProduceOptions& options) {
  ProducerSettings settings = to_producer_settings(options.settings);
  if (!options.idempotent.empty()) settings.producer.idempotent = options.idempotent == "true";
  return settings;
}

RecordMaker::RecordMaker(const ProduceOptions& options) : options_(options) {
  if (options.key_separator) key_separator_ = unescape(*options.key_separator).value();
  for (const std::string& text : options.headers) {
    for (NamedValue& header : parse_headers(text).value()) add(std::move(header));
  }
  for (const std::string& text : options.header) add(parse_named_value(text).value());
  for (const NamedValue& header : named_) {
    headers_.push_back({header.name, as_bytes(header.value)});
  }
}

OutgoingRecord RecordMaker::make(std::string_view line) const {
  OutgoingRecord record;
  record.headers = headers_;
  record.partition = options_.partition;
  const std::size_t at =
      key_separator_.empty() ? std::string_view::npos : line.find(key_separator_);
  if (at != std::string_view::npos) {
    record.key = as_bytes(line.substr(0, at));
    line.remove_prefix(at + key_separator_.size());
  }
  if (line != options_.null_value) record.value = as_bytes(line);
  return record;
}

RecordInput::RecordInput(const ProduceOptions& options)
    : lines(STDIN_FILENO, stop.descriptor(), unescape(options.record_separator).value()),
      maker(options) {}

Result<void> send_all(const std::function<Result<void>(const OutgoingRecord&)>& send,
                      RecordInput& input, Deliveries& deliveries) {
  Progress progress("appending");
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
  while (deliveries.may_go_on()) {
    MILLRACE_TRY(const auto line, input.lines.next());
    if (!line) break;
    ++number;
    bytes += line->size();
    OutgoingRecord record = input.maker.make(*line);
    record.callback = [&deliveries, number](const Result<Receipt>& outcome) {
      deliveries.add(number, outcome);
    };
    MILLRACE_CHECK(send(record));
    progress.update(number, bytes);
  }
  return {};
}

Result<void> outcome_of_stop(const Deliveries& deliveries) {
  if (!StopSignals::is_stopped()) return {};
  return Error(Errc::closed, fmt::format("stopped by a signal; the {} records read so far are "
                                         "acknowledged",
                                         deliveries.acknowledged()));
}

Error not_committed(const Error& error, std::uint64_t committed) {
  const bool may_be_late =
      error.code() == Errc::producer_fenced || error.code() == Errc::invalid_producer_epoch;
  const bool is_in_doubt = error.code() == Errc::log_failed;
  return {
      error.code(),
      fmt::format("{}; the transaction is {}, {} records of those before it are "
                  "committed{}",
                  error.message(), is_in_doubt ? "not known to be committed" : "aborted", committed,
                  may_be_late ? "; if it took too long, give a longer --config "
                                "transaction.timeout.ms, or fewer --transaction-records"
                              : "")};
}

}  // namespace millrace::inline v0::cli
