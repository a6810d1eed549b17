#pragma once
#include <millrace/server/kafka_server.hpp>

#include "server/security/acl_rules.hpp"
#include "server/security/credentials.hpp"

namespace millrace::inline v0::server {

/// Who may come in, and what they may do there.
struct Security {
  std::shared_ptr<Credentials> credentials;  ///< null: anybody
  Authorizer authorizer;                     ///< null: everything
  std::shared_ptr<const AclRules> rules;     ///< what it goes by, if that is a file
};

/// invalid_argument for options that make no sense, or that would give passwords away.
Result<Security> make_security(const KafkaServerOptions& options);

}  // namespace millrace::inline v0::server
