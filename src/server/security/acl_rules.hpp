#pragma once
#include <millrace/core/result.hpp>
#include <millrace/server/access.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::server {

/// Kafka's numbers.
enum class PatternType : std::int8_t { literal = 3, prefixed = 4 };
enum class Permission : std::int8_t { deny = 2, allow = 3 };

struct AclRule {
  Permission permission = Permission::deny;
  std::string principal;  ///< "User:alice"; "User:*" is everybody
  std::string host;       ///< "*" is anywhere
  Operation operation = Operation::all;
  ResourceType resource_type = ResourceType::topic;
  PatternType pattern = PatternType::literal;
  std::string resource_name;  ///< literally "*" is all of the type
};

/// Who may do what. What no rule allows is denied, what one denies too, whatever allows it. As in
/// Kafka, who may read, write, remove or alter something may describe it, and who may alter its
/// settings may describe those.
class AclRules {
 public:
  /// Understands the text of a file. invalid_argument names the file, the line, the word that is
  /// not understood and what would be.
  static Result<AclRules> parse(std::string_view text, std::string_view file);
  static Result<AclRules> read(const std::string& file);

  bool allows(const AccessRequest& request) const;
  /// In the order of the file; one for each operation.
  const std::vector<AclRule>& rules() const noexcept { return rules_; }
  const std::vector<std::string>& super_users() const noexcept { return super_users_; }

 private:
  bool has(Permission permission, const AccessRequest& request, Operation operation) const;

  std::vector<AclRule> rules_;
  std::vector<std::string> super_users_;
};

}  // namespace millrace::inline v0::server
