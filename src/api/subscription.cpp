#include <regex.h>

#include <algorithm>
#include <memory>
#include <millrace/engine/topic_name.hpp>
#include <millrace/subscription.hpp>

namespace millrace::inline v0 {
namespace {

struct Expression {
  regex_t compiled;
  explicit Expression(const regex_t& from) : compiled(from) {}
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;
  ~Expression() { ::regfree(&compiled); }
};

}  // namespace

Subscription Subscription::topics(std::vector<std::string> names) {
  Subscription made;
  made.names_ = std::move(names);
  std::sort(made.names_.begin(), made.names_.end());
  made.names_.erase(std::unique(made.names_.begin(), made.names_.end()), made.names_.end());
  return made;
}

Subscription Subscription::pattern(std::string expression) {
  Subscription made;
  made.is_pattern_ = true;
  made.expression_ = std::move(expression);
  return made;
}

Result<Subscription::Matcher> Subscription::matcher() const {
  regex_t compiled;
  const int failed =
      ::regcomp(&compiled, ("^(" + expression_ + ")$").c_str(), REG_EXTENDED | REG_NOSUB);
  if (failed != 0) {
    char why[200] = "";
    ::regerror(failed, &compiled, why, sizeof why);
    return Error(Errc::invalid_argument, "subscribing to topics that match \"" + expression_ +
                                             "\": it is not an extended regular expression (" +
                                             why + "); write for example orders-.*");
  }
  return Matcher(
      [expression = std::make_shared<const Expression>(compiled)](const std::string& topic) {
        return !engine::is_internal_topic(topic) &&
               ::regexec(&expression->compiled, topic.c_str(), 0, nullptr, 0) == 0;
      });
}

Result<void> Subscription::check() const {
  if (is_pattern_) {
    MILLRACE_CHECK(matcher());
    return {};
  }
  if (names_.empty()) {
    return Error(Errc::invalid_argument,
                 "a member of a group has no topics to read; name at least one, or a pattern");
  }
  for (const std::string& name : names_) MILLRACE_CHECK(engine::check_topic_name(name));
  return {};
}

std::string Subscription::text() const {
  if (is_pattern_) return "topics that match " + expression_;
  std::string text = names_.size() == 1 ? "topic " : "topics ";
  for (const std::string& name : names_) text += (text.ends_with(' ') ? "" : ", ") + name;
  return text;
}

}  // namespace millrace::inline v0
