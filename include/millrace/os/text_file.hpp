#pragma once
#include <millrace/core/result.hpp>
#include <string>

namespace millrace::inline v0::os {

/// All that a file of settings, or a pipe until its end, has. The error names the path. Not for
/// what is in a data directory: no hooks are told.
Result<std::string> read_text(const std::string& path);

}  // namespace millrace::inline v0::os
