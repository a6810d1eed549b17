#include "server/security/sasl_exchange.hpp"

namespace millrace::inline v0::server {
namespace {

class PlainExchange final : public SaslExchange {
 public:
  explicit PlainExchange(IsPassword is_password) : is_password_(std::move(is_password)) {}

  Step take(std::string_view token) override {
    if (std::exchange(has_ended_, true)) return {};
    // For whom, a zero, who, a zero, the password.
    const std::size_t first = token.find('\0');
    if (first == std::string_view::npos) return {};
    const std::size_t second = token.find('\0', first + 1);
    if (second == std::string_view::npos) return {};
    const std::string_view on_behalf_of = token.substr(0, first);
    const std::string_view password = token.substr(second + 1);
    user_ = token.substr(first + 1, second - first - 1);
    if (user_.empty() || password.empty() || password.find('\0') != std::string_view::npos) {
      return {};
    }
    // Nobody acts for somebody else; clients may still say their own name.
    if (!on_behalf_of.empty() && on_behalf_of != user_) return {};
    return {is_password_(user_, password) ? State::done : State::failed};
  }

 private:
  const IsPassword is_password_;
  bool has_ended_ = false;
};

}  // namespace

std::unique_ptr<SaslExchange> plain_exchange(IsPassword is_password) {
  return std::make_unique<PlainExchange>(std::move(is_password));
}

}  // namespace millrace::inline v0::server
