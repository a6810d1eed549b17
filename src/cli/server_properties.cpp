#include "server_properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <millrace/engine/topic_config.hpp>
#include <millrace/server/broker_settings.hpp>
#include <millrace/transport/host_port.hpp>

#include "checks.hpp"

namespace millrace::inline v0::cli {
namespace {

using Text = const std::string&;

/// What is gathered before it can be put together.
struct Draft {
  ServerSettings settings;
  bool is_encrypted = false;
  bool asks_who = false;
  TlsOptions tls;
  std::string client_auth = "none";
  SaslOptions sasl;
  QuotaOptions quotas;
  bool has_quotas = false;
  std::map<std::string, std::chrono::milliseconds, std::less<>> units;  // of topics' settings
};

Error takes(std::string_view what) {
  return {Errc::invalid_argument, std::string(what)};
}

std::vector<std::string> split(std::string_view list, char separator) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(separator), list.size());
    std::string_view word = list.substr(0, end);
    word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
    word.remove_suffix(word.size() - (word.find_last_not_of(' ') + 1));
    if (!word.empty()) words.emplace_back(word);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return words;
}

template <typename Number>
Result<void> set_number(Text text, std::int64_t least, std::int64_t most, Number& to) {
  const auto number = parse_whole_number(text, least, most);
  if (!number) return takes(fmt::format("a whole number from {} to {}", least, most));
  to = static_cast<Number>(*number);
  return {};
}

Result<void> set_milliseconds(Text text, std::chrono::milliseconds& to) {
  std::int64_t number = 0;
  constexpr std::int64_t longest = std::chrono::milliseconds(std::chrono::years(1)).count();
  MILLRACE_CHECK(set_number(text, 1, longest, number));
  to = std::chrono::milliseconds(number);
  return {};
}

Result<void> set_flag(Text text, bool& to) {
  if (text != "true" && text != "false") return takes("true or false");
  to = text == "true";
  return {};
}

constexpr std::int64_t int_max = std::numeric_limits<std::int32_t>::max();

/// `PROTOCOL://HOST:PORT`, taken apart.
struct NamedAddress {
  std::string protocol;
  transport::HostPort at;
};

Result<NamedAddress> parse_address(Text text) {
  const auto refused =
      takes("one of PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL, then ://HOST:PORT; one listener");
  const std::size_t end = text.find("://");
  if (end == std::string::npos || text.find(',') != std::string::npos) return refused;
  NamedAddress address{.protocol = text.substr(0, end), .at = {}};
  constexpr std::array protocols = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};
  if (std::ranges::count(protocols, address.protocol) == 0) return refused;
  std::string at = text.substr(end + 3);
  if (at.starts_with(':')) at = "0.0.0.0" + at;
  auto parsed = transport::parse_host_port(at);
  if (!parsed) return refused;
  address.at = *std::move(parsed);
  return address;
}

Result<void> set_listeners(Draft& draft, Text text) {
  MILLRACE_TRY(const NamedAddress address, parse_address(text));
  draft.settings.listen.address = address.at.host;
  draft.settings.listen.port = address.at.port;
  draft.is_encrypted = address.protocol.ends_with("SSL");
  draft.asks_who = address.protocol.starts_with("SASL");
  return {};
}

Result<void> set_advertised(Draft& draft, Text text) {
  MILLRACE_TRY(const NamedAddress address, parse_address(text));
  draft.settings.listen.advertised_address = address.at.host;
  draft.settings.listen.advertised_port = address.at.port;
  return {};
}

Result<void> set_pem(Draft&, Text text) {
  return text == "PEM" ? Result<void>() : takes("PEM; convert other stores with openssl");
}

Result<void> set_client_auth(Draft& draft, Text text) {
  if (text != "none" && text != "required") return takes("none or required");
  draft.client_auth = text;
  return {};
}

Result<void> set_mechanisms(Draft& draft, Text text) {
  draft.sasl.mechanisms.clear();
  for (const std::string& name : split(text, ',')) {
    const auto mechanism = server::parse_mechanism(name);
    if (!mechanism) return takes("a list of PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512");
    draft.sasl.mechanisms.push_back(*mechanism);
  }
  return draft.sasl.mechanisms.empty() ? takes("at least one mechanism") : Result<void>();
}

Result<void> set_super_users(Draft& draft, Text text) {
  draft.settings.listen.super_users = split(text, ';');
  for (const std::string& user : draft.settings.listen.super_users) {
    if (!user.starts_with("User:")) return takes("principals like User:ann, separated by ;");
  }
  return {};
}

Result<void> set_rate(Draft& draft, Text text, std::uint64_t& rate) {
  draft.has_quotas = true;
  return set_number(text, 1, any_number, rate);
}

Result<void> set_data(Draft& draft, Text text) {
  if (text.empty() || text.find(',') != std::string::npos) return takes("one directory");
  draft.settings.data = text;
  return {};
}

Result<void> set_check_interval(Draft& draft, Text text) {
  std::chrono::milliseconds interval{};
  MILLRACE_CHECK(set_milliseconds(text, interval));
  draft.settings.retention_check_interval = interval;
  return {};
}

struct Setting {
  std::string_view name;
  Result<void> (*apply)(Draft& draft, Text text);
};

constexpr auto settings = std::to_array<Setting>({
    {"listeners", set_listeners},
    {"advertised.listeners", set_advertised},
    {"num.network.threads",
     [](Draft& d, Text t) { return set_number(t, 1, 1024, d.settings.listen.network_threads); }},
    {"num.io.threads",
     [](Draft& d, Text t) { return set_number(t, 1, 1024, d.settings.listen.worker_threads); }},
    {"socket.request.max.bytes",
     [](Draft& d, Text t) {
       return set_number(t, 1024, int_max, d.settings.listen.most_request_bytes);
     }},
    {"queued.max.request.bytes",
     [](Draft& d, Text t) {
       return set_number(t, 1024, any_number, d.settings.listen.request_memory_bytes);
     }},
    {"max.connections",
     [](Draft& d, Text t) {
       return set_number(t, 0, int_max, d.settings.listen.most_connections);
     }},
    {"connections.max.idle.ms",
     [](Draft& d, Text t) { return set_milliseconds(t, d.settings.listen.idle_timeout); }},
    {"auto.create.topics.enable",
     [](Draft& d, Text t) { return set_flag(t, d.settings.listen.auto_create_topics); }},
    {"num.partitions",
     [](Draft& d, Text t) {
       return set_number(t, 1, 100'000, d.settings.listen.default_partitions);
     }},
    {"log.dirs", set_data},
    {"log.dir", set_data},
    {"log.retention.check.interval.ms", set_check_interval},
    {"ssl.keystore.type", set_pem},
    {"ssl.truststore.type", set_pem},
    {"ssl.keystore.location",
     [](Draft& d, Text t) {
       d.tls.certificate_chain = d.tls.private_key = t;
       return Result<void>();
     }},
    {"ssl.truststore.location",
     [](Draft& d, Text t) {
       d.tls.client_authority = t;
       return Result<void>();
     }},
    {"ssl.client.auth", set_client_auth},
    {"sasl.enabled.mechanisms", set_mechanisms},
    {"super.users", set_super_users},
    {"quota.producer.default",
     [](Draft& d, Text t) { return set_rate(d, t, d.quotas.of_each.producer); }},
    {"quota.consumer.default",
     [](Draft& d, Text t) { return set_rate(d, t, d.quotas.of_each.consumer); }},
    {"millrace.acl.file",
     [](Draft& d, Text t) {
       d.settings.listen.acl_file = t;
       return t.empty() ? takes("the path of a file") : Result<void>();
     }},
    {"millrace.sasl.plain.unencrypted",
     [](Draft& d, Text t) { return set_flag(t, d.sasl.allow_plain_unencrypted); }},
});

using Applied = std::optional<Result<void>>;  // nothing: it is not known

/// What has a name of a client or user in it.
Applied apply_named(Draft& draft, std::string_view name, Text value) {
  constexpr std::string_view of_user = "millrace.user.";
  constexpr std::string_view of_client = "millrace.quota.";
  if (name.starts_with(of_user) && name.size() > of_user.size()) {
    draft.sasl.users.insert_or_assign(std::string(name.substr(of_user.size())), value);
    return value.empty() ? takes("a password") : Result<void>();
  }
  if (!name.starts_with(of_client)) return std::nullopt;
  name.remove_prefix(of_client.size());
  constexpr std::string_view producer = ".producer_byte_rate";
  constexpr std::string_view consumer = ".consumer_byte_rate";
  if (name.size() <= producer.size()) return std::nullopt;
  const bool is_producer = name.ends_with(producer);
  if (!is_producer && !name.ends_with(consumer)) return std::nullopt;
  name.remove_suffix(is_producer ? producer.size() : consumer.size());
  ByteRates& rates = draft.quotas.by_client_id[std::string(name)];
  return set_rate(draft, value, is_producer ? rates.producer : rates.consumer);
}

/// A longer unit of a topic's setting in milliseconds.
struct LongerUnit {
  std::string_view name;
  std::string_view topic_setting;
  std::chrono::milliseconds unit;
};
constexpr std::array longer_units = {
    LongerUnit{"log.retention.minutes", "retention.ms", std::chrono::minutes(1)},
    LongerUnit{"log.retention.hours", "retention.ms", std::chrono::hours(1)},
    LongerUnit{"log.roll.hours", "segment.ms", std::chrono::hours(1)}};

/// Of two that mean the same the finer unit holds, of two of one unit the last.
void set_default(Draft& draft, const std::string& name, const std::string& value,
                 std::chrono::milliseconds unit) {
  const auto known = draft.units.try_emplace(name, unit).first;
  if (known->second < unit) return;
  known->second = unit;
  draft.settings.listen.topic_defaults.insert_or_assign(name, value);
}

/// What topics have unless they say otherwise.
Applied apply_topic_default(Draft& draft, std::string_view name, Text value) {
  const auto longer = std::ranges::find(longer_units, name, &LongerUnit::name);
  if (longer != longer_units.end()) {
    const std::int64_t unit = longer->unit.count();
    std::int64_t count = 0;
    const auto done = set_number(value, -1, any_number / unit, count);
    if (!done) return done;
    set_default(draft, std::string(longer->topic_setting),
                std::to_string(count < 0 ? count : count * unit), longer->unit);
    return Result<void>();
  }
  for (const auto& entry : engine::describe_topic_config({})) {
    if (server::broker_setting_name(entry.name) != name) continue;
    if (auto parsed = engine::parse_topic_config({{entry.name, value}}); !parsed) {
      const std::string why = parsed.error().message();
      constexpr std::string_view before = "it takes ";
      const std::size_t at = why.find(before);
      return Result<void>(takes(at == std::string::npos ? why : why.substr(at + before.size())));
    }
    set_default(draft, entry.name, value, std::chrono::milliseconds(1));
    return Result<void>();
  }
  return std::nullopt;
}

Applied apply(Draft& draft, Text name, Text value) {
  const auto found = std::ranges::find(settings, name, &Setting::name);
  if (found != settings.end()) return found->apply(draft, value);
  if (auto applied = apply_named(draft, name, value)) return applied;
  return apply_topic_default(draft, name, value);
}

Result<void> settle(Draft& draft, Text file) {
  ListenOptions& listen = draft.settings.listen;
  if (draft.is_encrypted) {
    if (draft.tls.certificate_chain.empty()) {
      return takes(
          fmt::format("{}: the listener encrypts, but ssl.keystore.location is missing: "
                      "a PEM file with the private key and the certificates",
                      file));
    }
    if (draft.client_auth == "none") draft.tls.client_authority.clear();
    listen.tls = draft.tls;
  }
  if (draft.asks_who) {
    if (draft.sasl.users.empty()) {
      return takes(
          fmt::format("{}: the listener asks clients who they are, but there are no "
                      "users: add lines like millrace.user.NAME=PASSWORD",
                      file));
    }
    listen.sasl = draft.sasl;
  }
  if (draft.has_quotas) listen.quotas = draft.quotas;
  return {};
}

}  // namespace

Result<ServerSettings> understand(const std::vector<Property>& properties,
                                  const std::string& file) {
  Draft draft;
  for (const Property& property : properties) {
    const Applied applied = apply(draft, property.name, property.value);
    if (!applied) {
      draft.settings.unknown.push_back(fmt::format("{}:{}: {} is not known here and has no effect",
                                                   file, property.line, property.name));
    } else if (!*applied) {
      const bool is_secret = property.name.starts_with("millrace.user.");
      return Error(
          Errc::invalid_argument,
          fmt::format("{}:{}: {}={} is not valid: it takes {}", file, property.line, property.name,
                      is_secret ? "" : property.value, applied->error().message()));
    }
  }
  if (auto settled = settle(draft, file); !settled) return settled.error();
  return std::move(draft.settings);
}

}  // namespace millrace::inline v0::cli
