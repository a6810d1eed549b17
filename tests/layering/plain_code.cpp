#include "plain_code.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace millrace_test::layering {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Walks a text and blanks ranges of its copy.
class Blanker {
 public:
  Blanker(std::string_view text, Literals literals)
      : text_(text), result_(text), blank_literals_(literals == Literals::blank) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (text_.substr(at_, 2) == "//") {
        blank_to(text_.find('\n', at_));
      } else if (text_.substr(at_, 2) == "/*") {
        const std::size_t end = text_.find("*/", at_ + 2);
        blank_to(end == std::string_view::npos ? end : end + 2);
      } else if (text_[at_] == '"') {
        is_raw() ? raw_literal() : literal('"');
      } else if (text_[at_] == '\'' && !in_number()) {
        literal('\'');
      } else {
        ++at_;
      }
    }
    return std::move(result_);
  }

 private:
  void blank_to(std::size_t end) {
    end = std::min(end, text_.size());
    for (; at_ < end; ++at_) {
      if (text_[at_] != '\n') result_[at_] = ' ';
    }
  }

  /// Moves past [at_, end), which is the inside of a literal, and past `tail` more characters.
  void literal_inside(std::size_t end, std::size_t tail) {
    if (blank_literals_) blank_to(end);
    at_ = std::min(end, text_.size()) + tail;
  }

  void literal(char quote) {
    std::size_t end = ++at_;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
      end += text_[end] == '\\' ? 2 : 1;
    }
    literal_inside(end, 1);
  }

  void raw_literal() {
    const std::size_t open = text_.find('(', at_);
    if (open == std::string_view::npos) {
      ++at_;
      return;
    }
    const std::string close = ")" + std::string(text_.substr(at_ + 1, open - at_ - 1)) + "\"";
    ++at_;
    literal_inside(text_.find(close, open), close.size());
  }

  std::size_t word_start() const {
    std::size_t start = at_;
    while (start > 0 && (is_word(text_[start - 1]) || text_[start - 1] == '\'')) --start;
    return start;
  }
  bool is_raw() const {
    const std::string_view prefix = text_.substr(word_start(), at_ - word_start());
    return prefix == "R" || prefix == "u8R" || prefix == "uR" || prefix == "LR" || prefix == "UR";
  }
  /// Whether the quote at at_ separates digits.
  bool in_number() const {
    return word_start() < at_ && std::isdigit(static_cast<unsigned char>(text_[word_start()])) != 0;
  }

  std::string_view text_;
  std::string result_;
  bool blank_literals_;
  std::size_t at_ = 0;
};

std::string_view directive_of(std::string_view line) {
  const std::size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string_view::npos || line[hash] != '#') return {};
  const std::size_t start = line.find_first_not_of(" \t", hash + 1);
  if (start == std::string_view::npos) return "#";
  std::size_t end = start;
  while (end < line.size() && is_word(line[end])) ++end;
  return line.substr(start, end - start);
}

}  // namespace

std::string without_comments(std::string_view text, Literals literals) {
  return Blanker(text, literals).run();
}

std::string without_directives(std::string text, bool first_branches) {
  std::vector<bool> in_other_branch;
  bool continued = false;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string line = text.substr(start, end - start);
    const std::string_view directive = continued ? "#" : directive_of(line);
    if (directive.starts_with("if")) in_other_branch.push_back(false);
    if (directive.starts_with("el") && !in_other_branch.empty()) in_other_branch.back() = true;
    const bool skipped = first_branches && std::find(in_other_branch.begin(), in_other_branch.end(),
                                                     true) != in_other_branch.end();
    if (directive == "endif" && !in_other_branch.empty()) in_other_branch.pop_back();
    if (!directive.empty() || skipped) std::fill(&text[start], &text[end], ' ');
    continued = !directive.empty() && line.ends_with('\\');
    start = end + 1;
  }
  return text;
}

}  // namespace millrace_test::layering
