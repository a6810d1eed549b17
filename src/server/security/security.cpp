#include "server/security/security.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::inline v0::server {
namespace {

/// A name may lead anywhere, but for the one that never does.
bool is_of_this_host(std::string_view address) {
  const std::string_view host = address.substr(0, address.rfind(':'));
  if (address.starts_with("unix:") || host == "localhost" || host == "[::1]") return true;
  return host.starts_with("127.") &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Result<void> check_plain(const KafkaServerOptions& options) {
  const auto& mechanisms = options.sasl->mechanisms;
  const bool has_plain = std::ranges::count(mechanisms, SaslMechanism::plain) > 0;
  if (!has_plain || options.sasl->allow_plain_unencrypted) return {};
  for (const auto& address : options.listener.addresses) {
    if (address.is_encrypted || is_of_this_host(address.text)) continue;
    return Error(Errc::invalid_argument,
                 fmt::format("cannot listen at {} with SASL PLAIN and without TLS: passwords would "
                             "cross the network for all to read. Use SCRAM-SHA-256, or TLS, or set "
                             "allow_plain_unencrypted (millrace.sasl.plain.unencrypted=true)",
                             address.text));
  }
  return {};
}

Result<void> add_authorizer(const KafkaServerOptions& options, Security& security) {
  if (options.authorizer != nullptr && !options.acl_file.empty()) {
    return Error(Errc::invalid_argument,
                 "cannot listen: give an authorizer or a file with rules of access, not both");
  }
  Authorizer ask = options.authorizer;
  if (!options.acl_file.empty()) {
    auto rules = AclRules::read(options.acl_file);
    if (!rules) return rules.error();
    security.rules = std::make_shared<const AclRules>(*std::move(rules));
    ask = [rules = security.rules](const AccessRequest& wanted) { return rules->allows(wanted); };
  }
  if (ask == nullptr) return {};
  security.authorizer = [ask = std::move(ask),
                         supers = options.super_users](const AccessRequest& wanted) {
    return std::ranges::find(supers, wanted.principal) != supers.end() || ask(wanted);
  };
  return {};
}

}  // namespace

Result<Security> make_security(const KafkaServerOptions& options) {
  Security security;
  if (auto done = add_authorizer(options, security); !done) return done.error();
  if (!options.sasl) return security;
  if (auto plain = check_plain(options); !plain) return plain.error();
  auto credentials = Credentials::make(*options.sasl);
  if (!credentials) return credentials.error();
  security.credentials = *std::move(credentials);
  return security;
}

}  // namespace millrace::inline v0::server
