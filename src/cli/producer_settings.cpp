#include "producer_settings.hpp"

#include <fmt/format.h>

#include <charconv>
#include <millrace/record/compression.hpp>

#include "settings.hpp"

namespace millrace::inline v0::cli {
namespace {

Result<std::int64_t> whole_number(std::string_view text, std::int64_t most) {
  std::int64_t value = -1;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || value < 0 ||
      value > most) {
    return Error(Errc::invalid_argument, fmt::format("a whole number from 0 to {}", most));
  }
  return value;
}

constexpr std::int64_t longest_transaction_ms = 900'000;

Result<void> set_bytes(std::size_t& option, std::string_view text) {
  MILLRACE_TRY(const std::int64_t value, whole_number(text, std::int64_t{1} << 40));
  option = static_cast<std::size_t>(value);
  return {};
}

Result<void> set_time(std::chrono::milliseconds& option, std::string_view text) {
  MILLRACE_TRY(const std::int64_t value, whole_number(text, std::int64_t{1} << 31));
  option = std::chrono::milliseconds(value);
  return {};
}

Result<void> set_compression(ProducerSettings& settings, std::string_view text) {
  const auto codec = record::parse_codec(text);
  if (codec) settings.producer.compression = *codec;
  if (codec && record::codec_available(*codec)) return {};
  return Error(Errc::invalid_argument,
               "none, gzip, snappy, lz4 or zstd, as far as they were found "
               "when this program was built");
}

Result<void> set_flag(bool& option, std::string_view text) {
  if (text != "true" && text != "false") return Error(Errc::invalid_argument, "true or false");
  option = text == "true";
  return {};
}

Result<void> set_partitioner(ProducerSettings& settings, std::string_view text) {
  ProducerOptions& options = settings.producer;
  if (text == "murmur2") {
    options.partitioner = partitioner::murmur2();
  } else if (text == "sticky") {
    options.partitioner = partitioner::sticky();
  } else if (text == "round_robin") {
    options.partitioner = partitioner::round_robin();
  } else if (text == "random") {
    options.partitioner = partitioner::random();
  } else {
    return Error(Errc::invalid_argument, "murmur2, sticky, round_robin or random");
  }
  return {};
}

Result<void> set_transaction_timeout(ProducerSettings& settings, std::string_view text) {
  MILLRACE_TRY(const std::int64_t value, whole_number(text, longest_transaction_ms));
  settings.transaction_timeout = std::chrono::milliseconds(value);
  return {};
}

struct ProducerSetting {
  const char* name;
  const char* help;
  Result<void> (*apply)(ProducerSettings&, std::string_view);
};

constexpr ProducerSetting producer_settings[] = {
    {"batch.size", "bytes gathered for a partition before they are appended (65536)",
     [](ProducerSettings& s, std::string_view v) { return set_bytes(s.producer.batch_bytes, v); }},
    {"linger.ms", "how long a record may wait for company (5)",
     [](ProducerSettings& s, std::string_view v) { return set_time(s.producer.linger, v); }},
    {"buffer.memory", "bytes sent but not yet acknowledged (33554432)",
     [](ProducerSettings& s, std::string_view v) { return set_bytes(s.producer.buffer_bytes, v); }},
    {"compression.type", "none, gzip, snappy, lz4, zstd (the topic's)", set_compression},
    {"enable.idempotence", "whether a batch handed in twice is stored once (true)",
     [](ProducerSettings& s, std::string_view v) { return set_flag(s.producer.idempotent, v); }},
    {"transaction.timeout.ms", "how long a transaction may take before it is aborted (60000)",
     set_transaction_timeout},
    {"partitioner", "murmur2 (by key), sticky, round_robin, random (murmur2)", set_partitioner},
};

}  // namespace

Result<void> apply_producer_setting(ProducerSettings& settings, std::string_view text) {
  MILLRACE_TRY(const NamedValue setting, parse_named_value(text));
  std::string names;
  for (const ProducerSetting& known : producer_settings) {
    if (setting.name != known.name) {
      names += (names.empty() ? "" : ", ") + std::string(known.name);
      continue;
    }
    const auto applied = known.apply(settings, setting.value);
    if (applied) return {};
    return Error(Errc::invalid_argument, fmt::format("{} takes {}, not \"{}\"", setting.name,
                                                     applied.error().message(), setting.value));
  }
  if (setting.name == "acks") {
    return Error(
        Errc::invalid_argument,
        "when a record is acknowledged is a matter of its topic: millrace topic alter NAME "
        "--config millrace.flush.policy=before_ack (or every, by_os)");
  }
  return Error(Errc::invalid_argument, fmt::format("there is no producer setting \"{}\"; there are "
                                                   "{} (those of a topic are set with millrace "
                                                   "topic alter)",
                                                   setting.name, names));
}

ProducerSettings to_producer_settings(const std::vector<std::string>& texts) {
  ProducerSettings settings;
  // What does not apply was refused when the command line was read.
  for (const std::string& text : texts) static_cast<void>(apply_producer_setting(settings, text));
  return settings;
}

std::string producer_settings_help() {
  std::string help = "Producer settings for --config (in brackets the default):\n";
  for (const ProducerSetting& known : producer_settings) {
    help += fmt::format("  {:<23}{}\n", known.name, known.help);
  }
  return help;
}

}  // namespace millrace::inline v0::cli
