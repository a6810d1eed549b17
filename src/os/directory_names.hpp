#pragma once
#include <millrace/core/result.hpp>
#include <millrace/os/file.hpp>
#include <string>
#include <string_view>

namespace millrace::inline v0::os {

/// invalid_argument unless `name` can be a plain entry of `directory`.
Result<void> check_name(std::string_view name, const std::string& directory);

/// Takes the flock(2) of an open file; directory_locked, with the present holder's words, if
/// another open file description has it.
Result<void> take_lock(File& file);
/// The same, and writes `holder` into the file.
Result<void> take_lock(File& file, std::string_view holder);

}  // namespace millrace::inline v0::os
