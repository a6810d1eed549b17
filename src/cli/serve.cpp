#include <fmt/format.h>
#include <poll.h>

#include <iostream>
#include <memory>
#include <millrace/listener.hpp>

#include "commands.hpp"
#include "data_directory.hpp"
#include "stop_signals.hpp"
#include "usage_error.hpp"

namespace millrace::inline v0::cli {
namespace {

struct Serving {
  std::string listen = "127.0.0.1:9092";
  std::string advertise;
  TlsOptions tls;
  std::string metrics;
  bool no_auto_create = false;
  std::int32_t partitions = 1;
};

Result<ListenOptions> options_of(const Serving& from) {
  ListenOptions options;
  const std::size_t colon = from.listen.rfind(':');
  const std::string port = colon == std::string::npos ? "" : from.listen.substr(colon + 1);
  if (port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535) {
    return Error(Errc::invalid_argument,
                 fmt::format("--listen {}: give HOST:PORT, for example 127.0.0.1:9092 or [::1]:0",
                             from.listen));
  }
  options.port = static_cast<std::uint16_t>(std::stoi(port));
  options.address = from.listen.substr(0, colon);
  if (options.address.starts_with('[') && options.address.ends_with(']')) {
    options.address = options.address.substr(1, options.address.size() - 2);
  }
  options.metrics_address = from.metrics;
  if (!from.advertise.empty()) options.advertised_address = from.advertise;
  if (!from.tls.certificate_chain.empty()) options.tls = from.tls;
  options.auto_create_topics = !from.no_auto_create;
  options.default_partitions = from.partitions;
  options.on_problem = [](const Error& error) { complain(error.message()); };
  return options;
}

void wait_for(const StopSignals& stop) {
  pollfd waiting{.fd = stop.descriptor(), .events = POLLIN, .revents = 0};
  while (!StopSignals::is_stopped()) ::poll(&waiting, 1, -1);
}

Result<void> serve(const Program& program, const Serving& serving) {
  MILLRACE_TRY(const ListenOptions options, options_of(serving));
  const StopSignals stop;
  MILLRACE_TRY(const Broker broker, open_as_owner(program.data(), true));
  MILLRACE_TRY(Listener listener, broker.listen(options));
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
  command.add_option("--listen", serving->listen, "Where: HOST:PORT; port 0 is any that is free")
      ->capture_default_str();
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
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  program.on(command, [&program, serving] { return serve(program, *serving); });
}

}  // namespace millrace::inline v0::cli
