#include "function_lengths.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include "plain_code.hpp"

namespace millrace_test::layering {
namespace {

enum class Head { scope, function, other };

/// How much deeper a character leads; angles are brackets outside parentheses only.
int bracket_step(char c, char before, int& parentheses) {
  switch (c) {
    case '(':
      ++parentheses;
      return 1;
    case ')':
      --parentheses;
      return -1;
    case '[':
      return 1;
    case ']':
      return -1;
    case '<':
      return parentheses == 0 ? 1 : 0;
    case '>':
      return parentheses == 0 && before != '-' ? -1 : 0;
    default:
      return 0;
  }
}

/// What an opening brace after `head` opens.
Head classify(std::string_view head) {
  int depth = 0;
  int parentheses = 0;
  bool type_word = false;
  bool enum_word = false;
  bool call_after = false;
  std::string word;
  std::string before;
  for (std::size_t i = 0; i <= head.size(); ++i) {
    const char c = i < head.size() ? head[i] : ' ';
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word += c;
      continue;
    }
    if (depth == 0 && !word.empty()) {
      if (word == "namespace" || word == "extern") return Head::scope;
      if (word == "operator") return Head::function;
      if (word == "class" || word == "struct" || word == "union") {
        type_word = true;
        call_after = false;  // those before it belong to a requires-clause
      }
      enum_word |= word == "enum";
    }
    if (!word.empty()) before = word;
    word.clear();
    if (c == '(' && depth == 0 && before != "alignas") call_after = true;
    depth += bracket_step(c, i > 0 ? head[i - 1] : ' ', parentheses);
  }
  const std::size_t last = head.find_last_not_of(" \t\n");
  if (enum_word && !call_after) return Head::other;
  if (type_word && !call_after) return Head::scope;
  if (last != std::string_view::npos && head[last] == '=') return Head::other;
  return call_after ? Head::function : Head::other;
}

bool is_access(std::string_view text) {
  return text == "public" || text == "private" || text == "protected";
}

class Scanner {
 public:
  explicit Scanner(std::string_view code) : code_(code) {}

  bool run() {
    for (; at_ < code_.size() && balanced_; ++at_) step(code_[at_]);
    return balanced_ && scopes_ == 0;
  }
  std::vector<FunctionExtent> take() { return std::move(found_); }

 private:
  void step(char c) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) return;
    if (start_ == none && c != '}') start_ = at_;
    switch (c) {
      case '(':
        skip('(', ')');
        break;
      case '{':
        open();
        break;
      case '}':
        balanced_ &= scopes_-- > 0;
        end_item();
        break;
      case ';':
        end_item();
        break;
      case ':':
        if (is_access(code_.substr(start_, at_ - start_))) end_item();
        break;
      default:
        break;
    }
  }

  void open() {
    const Head head = is_function_ ? Head::function : classify(code_.substr(start_, at_ - start_));
    if (head == Head::scope) {
      ++scopes_;
      end_item();
      return;
    }
    is_function_ = head == Head::function;
    skip('{', '}');
    block_end_ = at_;
    const std::size_t next = code_.find_first_not_of(" \t\n", at_ + 1);
    if (next == std::string_view::npos ||
        std::string_view(",{;.=)").find(code_[next]) == std::string_view::npos) {
      end_item();
    }
  }

  /// Moves from an opening bracket to the one that closes it.
  void skip(char opening, char closing) {
    int depth = 0;
    for (; at_ < code_.size(); ++at_) {
      depth += static_cast<int>(code_[at_] == opening) - static_cast<int>(code_[at_] == closing);
      if (depth == 0) return;
    }
    balanced_ = false;
  }

  void end_item() {
    if (is_function_) {
      const auto line = [this](std::size_t at) {
        return 1 + static_cast<std::size_t>(std::count(
                       code_.begin(), code_.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
      };
      const std::size_t first = line(start_);
      found_.push_back({first, line(std::min(block_end_, code_.size())) - first + 1});
    }
    is_function_ = false;
    start_ = none;
  }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::string_view code_;
  std::size_t at_ = 0;
  std::size_t start_ = none;  // of the declaration being read
  std::size_t block_end_ = 0;
  int scopes_ = 0;
  bool is_function_ = false;
  bool balanced_ = true;
  std::vector<FunctionExtent> found_;
};

}  // namespace

std::optional<std::vector<FunctionExtent>> function_extents(std::string_view text) {
  const std::string plain = without_comments(text, Literals::blank);
  for (const bool first_branches : {false, true}) {
    const std::string code = without_directives(plain, first_branches);
    Scanner scanner(code);
    if (scanner.run()) return scanner.take();
  }
  return std::nullopt;
}

}  // namespace millrace_test::layering
