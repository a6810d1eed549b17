#include <fmt/format.h>
#include <unistd.h>

#include <deque>
#include <memory>

#include "commands.hpp"
#include "data_directory.hpp"
#include "deliveries.hpp"
#include "escapes.hpp"
#include "line_reader.hpp"
#include "producer_settings.hpp"
#include "progress.hpp"
#include "settings.hpp"
#include "stop_signals.hpp"
#include "transactional_sender.hpp"

namespace millrace::inline v0::cli {
namespace {

struct Options {
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

Error bad_header(std::string_view header, std::size_t number, std::string_view text) {
  const std::string problem = header.empty()
                                  ? fmt::format("header {} of \"{}\" is empty", number, text)
                                  : fmt::format("\"{}\" is not of the form name=value", header);
  return {Errc::invalid_argument,
          problem + "; give name=value,name=value and, for a value with commas, --header"};
}

/// `name=value,name=value`.
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

ProducerSettings settings_of(const Options& options) {
  ProducerSettings settings = to_producer_settings(options.settings);
  if (!options.idempotent.empty()) settings.producer.idempotent = options.idempotent == "true";
  return settings;
}

/// Makes records of lines.
class RecordMaker {
 public:
  explicit RecordMaker(const Options& options) : options_(options) {
    if (options.key_separator) key_separator_ = unescape(*options.key_separator).value();
    for (const std::string& text : options.headers) {
      for (NamedValue& header : parse_headers(text).value()) add(std::move(header));
    }
    for (const std::string& text : options.header) add(parse_named_value(text).value());
    for (const NamedValue& header : named_) {
      headers_.push_back({header.name, as_bytes(header.value)});
    }
  }

  OutgoingRecord make(std::string_view line) const {
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

 private:
  void add(NamedValue header) { named_.push_back(std::move(header)); }

  const Options& options_;
  std::string key_separator_;
  std::deque<NamedValue> named_;
  std::vector<Header> headers_;  // of named_, which stays in place
};

/// Gives records to `send` until the end of the input, a stop signal, a record that fails, or an
/// error of `send`.
template <typename Send>
Result<void> send_all(const Send& send, const RecordMaker& maker, LineReader& lines,
                      Deliveries& deliveries) {
  Progress progress("appending");
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
  while (deliveries.may_go_on()) {
    MILLRACE_TRY(const auto line, lines.next());
    if (!line) break;
    ++number;
    bytes += line->size();
    OutgoingRecord record = maker.make(*line);
    record.callback = [&deliveries, number](const Result<Receipt>& outcome) {
      deliveries.add(number, outcome);
    };
    MILLRACE_CHECK(send(record));
    progress.update(number, bytes);
  }
  return {};
}

/// Where records come from and what is to become of them.
struct Input {
  explicit Input(const Options& options)
      : lines(STDIN_FILENO, stop.descriptor(), unescape(options.record_separator).value()),
        maker(options) {}

  StopSignals stop;
  LineReader lines;
  RecordMaker maker;
};

Result<void> append(const Topic<Bytes, Bytes>& topic, const Options& options, Input& input) {
  Deliveries deliveries(options.report);
  Result<void> sent;
  Result<void> flushed;
  {
    ProducerCore producer(topic.broker(), topic.core(), settings_of(options).producer);
    const auto send = [&](const OutgoingRecord& record) -> Result<void> {
      while (producer.send(record).status() == SendStatus::back_pressure) {
        if (StopSignals::is_stopped()) break;
      }
      return {};
    };
    sent = send_all(send, input.maker, input.lines, deliveries);
    flushed = producer.flush();
  }
  MILLRACE_CHECK(deliveries.finish());
  MILLRACE_CHECK(sent);
  MILLRACE_CHECK(flushed);
  if (!StopSignals::is_stopped()) return {};
  return Error(Errc::closed, fmt::format("stopped by a signal; the {} records read so far are "
                                         "acknowledged",
                                         deliveries.acknowledged()));
}

/// The same as `error`, and what became of the transaction.
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

Result<void> append_in_transactions(const Topic<Bytes, Bytes>& topic, const Options& options,
                                    Input& input) {
  const ProducerSettings settings = settings_of(options);
  TransactionalProducerOptions with{.producer = settings.producer};
  if (settings.transaction_timeout) with.timeout = *settings.transaction_timeout;
  MILLRACE_TRY(auto producer,
               TransactionalProducer::open(topic.broker(), options.transactional_id, with));
  Deliveries deliveries(options.report, true);
  TransactionalSender sender(std::move(producer), topic, options.transaction_records, deliveries);
  Result<void> outcome = send_all([&](const OutgoingRecord& record) { return sender.send(record); },
                                  input.maker, input.lines, deliveries);
  if (outcome && StopSignals::is_stopped()) outcome = Error(Errc::closed, "stopped by a signal");
  const bool is_good = outcome && deliveries.may_go_on();
  const auto ended = is_good ? sender.commit() : sender.abort();
  if (outcome) outcome = ended;
  // What happened to a record says more than that its transaction could not be committed.
  if (auto delivered = deliveries.finish(); !delivered) outcome = std::move(delivered);
  if (outcome) return {};
  return not_committed(outcome.error(), deliveries.acknowledged());
}

Result<void> append_input(const Broker& broker, const Options& options) {
  MILLRACE_TRY(const auto topic, find_topic(broker, options.topic));
  if (options.partition) MILLRACE_CHECK(topic.partition(*options.partition));
  Input input(options);
  return options.transactional_id.empty() ? append(topic, options, input)
                                          : append_in_transactions(topic, options, input);
}

Result<void> produce(const Program& program, const Options& options) {
  MILLRACE_TRY(const Broker broker, open_as_owner(program.data(), false));
  const auto appended = append_input(broker, options);
  const auto closed = broker.close();
  return appended ? closed : appended;
}

/// What each option alone does not show.
void check_together(const Options& options) {
  const ProducerSettings settings = settings_of(options);
  if (options.transactional_id.empty()) {
    if (!settings.transaction_timeout) return;
    throw CLI::ValidationError("--config", "transaction.timeout.ms needs --transactional-id");
  }
  if (settings.producer.idempotent) return;
  throw CLI::ValidationError("--transactional-id",
                             "a transaction's batches must be idempotent; leave out --idempotent "
                             "and enable.idempotence");
}

void add_input_options(CLI::App& command, Options& options) {
  command
      .add_option("--key-separator", options.key_separator,
                  "What ends the key at the front of a line; a line without it has no key")
      ->type_name("TEXT")
      ->check(checked_by(parse_separator));
  command
      .add_option("--record-separator", options.record_separator, "What ends a record in the input")
      ->type_name("TEXT")
      ->capture_default_str()
      ->check(checked_by(parse_separator));
  command
      .add_option("--null-value", options.null_value,
                  "A value that is exactly this is null, which deletes the key from a compacted "
                  "topic")
      ->type_name("TEXT");
}

void add_record_options(CLI::App& command, Options& options) {
  command.add_option("--headers", options.headers, "Headers for every record; may be repeated")
      ->type_name("K=V,...")
      ->allow_extra_args(false)
      ->check(checked_by(parse_headers));
  command
      .add_option("--header", options.header,
                  "One header for every record, whose value may have commas; may be repeated")
      ->type_name("K=V")
      ->allow_extra_args(false)
      ->check(checked_by(parse_named_value));
  command.add_option("--partition", options.partition, "Where to, whatever the key")
      ->type_name("N")
      ->check(partition_number());
}

void add_transaction_options(CLI::App& command, Options& options) {
  command
      .add_option("--idempotent", options.idempotent,
                  "Whether a batch handed in twice is stored once; short for --config "
                  "enable.idempotence (true)")
      ->type_name("true|false")
      ->check([](const std::string& text) {
        return text == "true" || text == "false" ? "" : "give true or false";
      });
  CLI::Option& id =
      *command
           .add_option("--transactional-id", options.transactional_id,
                       "Append all in one transaction under this id, committed at the end of the "
                       "input; aborted by an error or Ctrl-C")
           ->type_name("ID")
           ->check([](const std::string& text) {
             return text.empty() ? "a transactional id must not be empty" : "";
           });
  command
      .add_option("--transaction-records", options.transaction_records,
                  "Commit after every so many records, and begin the next transaction")
      ->type_name("N")
      ->check(whole_number(1))
      ->needs(&id);
}

}  // namespace

void add_produce(Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      *program.app().add_subcommand("produce", "Append standard input to a topic, a record a line");
  command.add_option("TOPIC", options->topic, "The topic")->required()->check(topic_name());
  add_input_options(command, *options);
  add_record_options(command, *options);
  command.add_option("--config", options->settings, "A producer setting; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->check(checked_by([](const std::string& text) {
        ProducerSettings ignored;
        return apply_producer_setting(ignored, text);
      }));
  add_transaction_options(command, *options);
  command.add_flag("--report", options->report,
                   "Print \"partition offset\" for each record when it is acknowledged; of a "
                   "transaction, when it is committed");
  command.footer(
      "Separators may have the escapes \\n \\r \\t \\0 \\a \\e \\\\ \\xHH. Any bytes may be in a "
      "record.\n\n" +
      producer_settings_help() +
      "\nExamples:\n"
      "  seq 1000 | millrace --data d produce numbers\n"
      "  printf 'alice\\t9.99\\n' | millrace --data d produce orders --key-separator '\\t'\n"
      "  tail -F app.log | millrace --data d produce app --headers host=web1,level=info --report\n"
      "  millrace --data d produce orders --transactional-id import-7 <orders.txt");
  program.on(command, [&program, options] {
    check_together(*options);
    return produce(program, *options);
  });
}

}  // namespace millrace::inline v0::cli
