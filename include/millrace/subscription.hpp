#pragma once
#include <functional>
#include <millrace/core/result.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0 {

/// The topics that a member of a group wants to read. A value; thread-safe.
class Subscription {
 public:
  using Matcher = std::function<bool(const std::string& topic)>;

  /// These. Those that do not exist are read as soon as they do.
  static Subscription topics(std::vector<std::string> names);
  /// All whose whole name matches a regular expression (POSIX extended: `orders-(eu|us)`, `.*`),
  /// those that are made later too; never internal ones like `__consumer_offsets`.
  static Subscription pattern(std::string expression);

  bool is_pattern() const noexcept { return is_pattern_; }
  /// The names that were given; none for a pattern.
  const std::vector<std::string>& names() const noexcept { return names_; }
  /// For a pattern. invalid_argument if it is not a regular expression.
  Result<Matcher> matcher() const;
  /// Whether it can be subscribed to: invalid_argument (no names, a name that no topic can have, a
  /// pattern that is none).
  Result<void> check() const;
  /// For people: "topics a, b".
  std::string text() const;

 private:
  bool is_pattern_ = false;
  std::vector<std::string> names_;
  std::string expression_;
};

}  // namespace millrace::inline v0
