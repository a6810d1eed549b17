#include <fmt/format.h>
#include <poll.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <millrace/listener.hpp>
#include <millrace/transport/host_port.hpp>

#include "commands.hpp"
#include "data_directory.hpp"
#include "server_properties.hpp"
#include "stop_signals.hpp"
#include "usage_error.hpp"

namespace millrace::inline v0::cli {
namespace {

/// What the command line says; empty or nothing: nothing.
struct Serving {
  std::string config;
  std::string listen;
  std::string advertise;
  TlsOptions tls;
  std::string metrics;
  bool no_auto_create = false;
  std::optional<std::int32_t> partitions;
};

/// What the command line says holds, whatever the file does.
Result<void> override_with(const Serving& from, ListenOptions& options) {
  if (!from.listen.empty()) {
    const auto address = transport::parse_host_port(from.listen);
    if (!address) {
      return Error(Errc::invalid_argument,
                   fmt::format("--listen {}: give HOST:PORT, for example 127.0.0.1:9092 or [::1]:0",
                               from.listen));
    }
    options.address = address->host;
    options.port = address->port;
  }
  if (!from.metrics.empty()) options.metrics_address = from.metrics;
  if (!from.advertise.empty()) options.advertised_address = from.advertise;
  if (!from.tls.certificate_chain.empty()) options.tls = from.tls;
  if (from.no_auto_create) options.auto_create_topics = false;
  if (from.partitions) options.default_partitions = *from.partitions;
  options.on_problem = [](const Error& error) { complain(error.message()); };
  return {};
}

Result<ServerSettings> settings_of(const Serving& serving) {
  ServerSettings settings;
  if (!serving.config.empty()) {
    MILLRACE_TRY(const auto properties, read_properties(serving.config));
    MILLRACE_TRY(settings, understand(properties, serving.config));
    for (const std::string& unknown : settings.unknown) complain(unknown);
  }
  MILLRACE_CHECK(override_with(serving, settings.listen));
  return settings;
}

/// The directory that the command line or the file names.
Result<std::string> data_of(const std::string& given, const ServerSettings& settings) {
  if (!settings.data) return given;
  std::error_code ignored;
  const auto whole = [&](const std::string& path) {
    return std::filesystem::weakly_canonical(path, ignored);
  };
  if (given.empty() || whole(given) == whole(*settings.data)) return *settings.data;
  return Error(Errc::invalid_argument,
               fmt::format("--data says {}, and log.dirs in the file {}: give one of them, or the "
                           "same",
                           given, *settings.data));
}

void wait_for(const StopSignals& stop) {
  pollfd waiting{.fd = stop.descriptor(), .events = POLLIN, .revents = 0};
  while (!StopSignals::is_stopped()) ::poll(&waiting, 1, -1);
}

Result<void> serve(const Program& program, const Serving& serving) {
  MILLRACE_TRY(const ServerSettings settings, settings_of(serving));
  MILLRACE_TRY(const std::string data, data_of(program.data(), settings));
  if (data.empty()) {
    return Error(
        Errc::invalid_argument,
        fmt::format("no data directory: give --data DIR, or log.dirs in {}", serving.config));
  }
  BrokerOptions options;
  if (settings.retention_check_interval) {
    options.retention_check_interval = *settings.retention_check_interval;
  }
  const StopSignals stop;
  MILLRACE_TRY(const Broker broker, open_as_owner(data, options));
  MILLRACE_TRY(Listener listener, broker.listen(settings.listen));
  if (!listener.metrics_address().empty()) {
    std::cout << "metrics at http://" << listener.metrics_address() << "/metrics" << std::endl;
  }
  std::cout << "listening at " << listener.address() << std::endl;
  wait_for(stop);
  listener.close();
  return broker.close();
}

}  // namespace

void add_serve(Program& program) {
  const auto serving = std::make_shared<Serving>();
  CLI::App& command =
      *program.app().add_subcommand("serve", "Let Kafka clients in until Ctrl-C or SIGTERM");
  command.add_option_function<std::string>(
      "--config",
      [&program, &command, serving](const std::string& file) {
        serving->config = file;
        // Which may say where the data is.
        program.on(
            command, [&program, serving] { return serve(program, *serving); }, WorksOn::nothing);
      },
      "A file with settings by the names of Kafka's server.properties, and millrace.*; what stands "
      "on the command line holds before it");
  command.add_option("--listen", serving->listen, "Where: HOST:PORT; port 0 is any that is free")
      ->default_str("127.0.0.1:9092");
  command.add_option("--advertise", serving->advertise,
                     "What clients are told to connect to; else the address where they came in");
  auto* certificate = command.add_option("--tls-cert", serving->tls.certificate_chain,
                                         "Encrypt: the certificate, with its chain, as PEM");
  auto* key = command.add_option("--tls-key", serving->tls.private_key, "Its private key");
  certificate->needs(key);
  key->needs(certificate);
  command
      .add_option("--tls-client-ca", serving->tls.client_authority,
                  "Only clients whose certificate this one signed")
      ->needs(certificate);
  command.add_option("--metrics", serving->metrics,
                     "HOST:PORT of an HTTP server with GET /metrics for Prometheus");
  command.add_flag("--no-auto-create", serving->no_auto_create,
                   "Clients do not make topics by asking for them");
  command.add_option("--partitions", serving->partitions, "Of topics that they do make")
      ->default_str("1")
      ->check(CLI::Range(1, 100000));
  program.on(command, [&program, serving] { return serve(program, *serving); });
}

}  // namespace millrace::inline v0::cli
