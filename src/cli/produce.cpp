#include <fmt/format.h>

#include <memory>

#include "commands.hpp"
#include "data_directory.hpp"
#include "escapes.hpp"
#include "record_input.hpp"
#include "remote/remote_append.hpp"
#include "transactional_sender.hpp"

namespace millrace::inline v0::cli {
namespace {

Result<void> append(const Topic<Bytes, Bytes>& topic, const ProduceOptions& options,
                    RecordInput& input) {
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
    sent = send_all(send, input, deliveries);
    flushed = producer.flush();
  }
  MILLRACE_CHECK(deliveries.finish());
  MILLRACE_CHECK(sent);
  MILLRACE_CHECK(flushed);
  return outcome_of_stop(deliveries);
}

Result<void> append_in_transactions(const Topic<Bytes, Bytes>& topic, const ProduceOptions& options,
                                    RecordInput& input) {
  const ProducerSettings settings = settings_of(options);
  TransactionalProducerOptions with{.producer = settings.producer};
  if (settings.transaction_timeout) with.timeout = *settings.transaction_timeout;
  MILLRACE_TRY(auto producer,
               TransactionalProducer::open(topic.broker(), options.transactional_id, with));
  Deliveries deliveries(options.report, true);
  TransactionalSender sender(std::move(producer), topic, options.transaction_records, deliveries);
  Result<void> outcome = send_all([&](const OutgoingRecord& record) { return sender.send(record); },
                                  input, deliveries);
  if (outcome && StopSignals::is_stopped()) outcome = Error(Errc::closed, "stopped by a signal");
  const bool is_good = outcome && deliveries.may_go_on();
  const auto ended = is_good ? sender.commit() : sender.abort();
  if (outcome) outcome = ended;
  // What happened to a record says more than that its transaction could not be committed.
  if (auto delivered = deliveries.finish(); !delivered) outcome = std::move(delivered);
  if (outcome) return {};
  return not_committed(outcome.error(), deliveries.acknowledged());
}

Result<void> append_input(const Broker& broker, const ProduceOptions& options) {
  MILLRACE_TRY(const auto topic, find_topic(broker, options.topic));
  if (options.partition) MILLRACE_CHECK(topic.partition(*options.partition));
  RecordInput input(options);
  return options.transactional_id.empty() ? append(topic, options, input)
                                          : append_in_transactions(topic, options, input);
}

Result<void> produce(const Program& program, const ProduceOptions& options) {
  if (program.is_remote()) return remote::append(program.bootstrap(), options);
  // Transactions are the owner's alone.
  MILLRACE_TRY(const Broker broker, options.transactional_id.empty()
                                        ? open_for_appending(program.data())
                                        : open_as_owner(program.data(), false));
  const auto appended = append_input(broker, options);
  const auto closed = broker.close();
  return appended ? closed : appended;
}

/// What each option alone does not show.
void check_together(const ProduceOptions& options) {
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

void add_input_options(CLI::App& command, ProduceOptions& options) {
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

void add_record_options(CLI::App& command, ProduceOptions& options) {
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

void add_transaction_options(CLI::App& command, ProduceOptions& options) {
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
  const auto options = std::make_shared<ProduceOptions>();
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
  program.on(
      command,
      [&program, options] {
        check_together(*options);
        return produce(program, *options);
      },
      WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
