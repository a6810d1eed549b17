#pragma once
#include "../record_input.hpp"

namespace millrace::inline v0::cli::remote {

/// Sends standard input to a topic of a broker that runs, as `produce` does to a directory.
Result<void> append(const std::string& bootstrap, const ProduceOptions& options);

}  // namespace millrace::inline v0::cli::remote
