#pragma once
#include <string>
#include <string_view>

namespace millrace_test::layering {

enum class Literals { keep, blank };

/// The text with every character of a comment (and, if asked, of what stands between the quotes of
/// a string or character literal) replaced by a space. Line breaks stay, so lines keep their
/// number.
std::string without_comments(std::string_view text, Literals literals);

/// Further blanks preprocessor lines; with `first_branches` also whatever stands between an #else
/// or #elif and its #endif.
std::string without_directives(std::string text, bool first_branches);

}  // namespace millrace_test::layering
