#pragma once
#include <string>
#include <string_view>

#include <millrace/core/result.hpp>
#include <millrace/os/file.hpp>

namespace millrace::inline v0::os {

/// invalid_argument unless `name` can be a plain entry of `directory`.
Result<void> check_name(std::string_view name, const std::string& directory);

/// Takes the flock(2) of an open file and writes `holder` into it; directory_locked, with the
/// present holder's words, if another open file description has it.
Result<void> take_lock(File& file, std::string_view holder);

}  // namespace millrace::inline v0::os
