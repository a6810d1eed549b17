#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <millrace/os/text_file.hpp>

#include "server/security/acl_rules.hpp"

namespace millrace::inline v0::server {
namespace {

constexpr std::string_view form =
    "a line is: allow|deny PRINCIPAL [from HOST] OPERATION,... topic|group|transactional-id NAME, "
    "or ... cluster, or: super PRINCIPAL";

template <typename Value>
struct Word {
  std::string_view text;
  Value value;
};
using enum Operation;
constexpr std::array operations = {Word<Operation>{"all", all},
                                   Word<Operation>{"read", read},
                                   Word<Operation>{"write", write},
                                   Word<Operation>{"create", create},
                                   Word<Operation>{"delete", remove},
                                   Word<Operation>{"alter", alter},
                                   Word<Operation>{"describe", describe},
                                   Word<Operation>{"cluster-action", cluster_action},
                                   Word<Operation>{"describe-configs", describe_configs},
                                   Word<Operation>{"alter-configs", alter_configs},
                                   Word<Operation>{"idempotent-write", idempotent_write}};
constexpr std::array resource_types = {
    Word<ResourceType>{"topic", ResourceType::topic},
    Word<ResourceType>{"group", ResourceType::group},
    Word<ResourceType>{"cluster", ResourceType::cluster},
    Word<ResourceType>{"transactional-id", ResourceType::transactional_id}};
constexpr std::array permissions = {Word<Permission>{"allow", Permission::allow},
                                    Word<Permission>{"deny", Permission::deny}};

template <typename Words>
std::string list_of(const Words& words) {
  std::string list;
  for (const auto& word : words) {
    if (!list.empty()) list += ", ";
    list += word.text;
  }
  return list;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0;;) {
    at = text.find_first_not_of(separators, at);
    if (at == std::string_view::npos) return parts;
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end;
  }
}

/// Reads the words of one line, first to last.
class Line {
 public:
  Line(std::string_view text, std::string_view where)
      : words_(split(text.substr(0, text.find('#')), " \t\r")), where_(where) {}

  bool is_empty() const noexcept { return words_.empty(); }
  bool has_more() const noexcept { return at_ < words_.size(); }
  bool take_if(std::string_view word) {
    if (!has_more() || words_[at_] != word) return false;
    ++at_;
    return true;
  }
  Result<std::string_view> take(std::string_view what) {
    if (has_more()) return words_[at_++];
    return refuse(fmt::format("the line ends where {} should follow; {}", what, form));
  }
  template <typename Words>
  auto take_one_of(const Words& words, std::string_view what)
      -> Result<decltype(words.front().value)> {
    auto text = take(what);
    if (!text) return text.error();
    return find(words, *text, what);
  }
  template <typename Words>
  auto find(const Words& words, std::string_view text, std::string_view what) const
      -> Result<decltype(words.front().value)> {
    for (const auto& word : words) {
      if (word.text == text) return word.value;
    }
    return refuse(fmt::format("'{}' is no {}: give one of {}", text, what, list_of(words)));
  }
  Result<std::string> take_principal() {
    auto text = take("a principal");
    if (!text) return text.error();
    constexpr std::string_view prefix = "User:";
    if (text->starts_with(prefix) && text->size() > prefix.size()) return std::string(*text);
    return refuse(
        fmt::format("'{}' is no principal: give User: and a name, or User:* for "
                    "everybody",
                    *text));
  }
  Result<void> end() const {
    if (!has_more()) return {};
    return refuse(fmt::format("'{}' is one word too many; {}", words_[at_], form));
  }
  Error refuse(std::string_view why) const {
    return Error(Errc::invalid_argument, fmt::format("{}: {}", where_, why));
  }

 private:
  std::vector<std::string_view> words_;
  std::size_t at_ = 0;
  std::string where_;
};

Result<void> read_resource(Line& line, AclRule& rule) {
  const auto type = line.take_one_of(resource_types, "type of resource");
  if (!type) return type.error();
  rule.resource_type = *type;
  if (rule.resource_type == ResourceType::cluster) {
    rule.resource_name = cluster_name;
    return line.end();
  }
  const auto name = line.take("a name, prefix:TEXT or *");
  if (!name) return name.error();
  constexpr std::string_view prefix = "prefix:";
  const bool is_prefix = name->starts_with(prefix);
  rule.pattern = is_prefix ? PatternType::prefixed : PatternType::literal;
  rule.resource_name = name->substr(is_prefix ? prefix.size() : 0);
  return line.end();
}

Result<void> read_rule(Line& line, std::vector<AclRule>& rules) {
  AclRule rule;
  const auto permission = line.take_one_of(permissions, "beginning of a rule");
  if (!permission) return permission.error();
  rule.permission = *permission;
  auto principal = line.take_principal();
  if (!principal) return principal.error();
  rule.principal = *std::move(principal);
  rule.host = "*";
  if (line.take_if("from")) {
    const auto host = line.take("an address or *");
    if (!host) return host.error();
    rule.host = *host;
  }
  const auto list = line.take("an operation");
  if (!list) return list.error();
  if (auto done = read_resource(line, rule); !done) return done;
  const auto words = split(*list, ",");
  if (words.empty()) return line.refuse(fmt::format("'{}' names no operation", *list));
  for (const std::string_view word : words) {
    const auto operation = line.find(operations, word, "operation");
    if (!operation) return operation.error();
    rule.operation = *operation;
    rules.push_back(rule);
  }
  return {};
}

}  // namespace

Result<AclRules> AclRules::parse(std::string_view text, std::string_view file) {
  AclRules all_rules;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    Line line(text.substr(0, end), fmt::format("{}:{}", file, number));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.is_empty()) continue;
    if (line.take_if("super")) {
      auto principal = line.take_principal();
      if (!principal) return principal.error();
      all_rules.super_users_.push_back(*std::move(principal));
      if (auto done = line.end(); !done) return done.error();
    } else if (auto done = read_rule(line, all_rules.rules_); !done) {
      return done.error();
    }
  }
  return all_rules;
}

Result<AclRules> AclRules::read(const std::string& file) {
  const auto text = os::read_text(file);
  if (text) return parse(*text, file);
  return Error(Errc::invalid_argument,
               fmt::format("cannot read the rules of access: {}. Give a readable file",
                           text.error().message()));
}

}  // namespace millrace::inline v0::server
