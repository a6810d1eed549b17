#pragma once
#include "server/security/credentials.hpp"

namespace millrace::inline v0::server {

/// How far a connection is with saying who is at its other end. For one thread at a time.
class SaslSession {
 public:
  enum class Stage : std::uint8_t {
    handshake,      ///< no mechanism has been agreed on
    exchange,       ///< tokens go back and forth
    authenticated,  ///< anything may be asked
    failed,         ///< nothing is answered any more
  };

  explicit SaslSession(std::shared_ptr<Credentials> credentials)
      : credentials_(std::move(credentials)) {}

  Stage stage() const noexcept { return stage_; }
  bool is_authenticated() const noexcept { return stage_ == Stage::authenticated; }
  /// Whether frames are tokens now, without any header: after a handshake of version 0.
  bool takes_bare_tokens() const noexcept { return stage_ == Stage::exchange && tokens_are_bare_; }
  const std::vector<SaslMechanism>& mechanisms() const noexcept {
    return credentials_->mechanisms();
  }

  /// False if the mechanism is not served; another one may be tried then.
  bool agree(std::string_view mechanism, bool tokens_are_bare);
  /// Only while tokens go back and forth.
  SaslExchange::Step take(std::string_view token);

  /// Who it is, as rules name it: "User:alice". Once authenticated.
  std::string principal() const { return "User:" + exchange_->user(); }
  /// Who it says it is, for people to read; the mechanism too.
  std::string claim() const;

 private:
  const std::shared_ptr<Credentials> credentials_;
  Stage stage_ = Stage::handshake;
  bool tokens_are_bare_ = false;
  std::string mechanism_;
  std::unique_ptr<SaslExchange> exchange_;
};

}  // namespace millrace::inline v0::server
