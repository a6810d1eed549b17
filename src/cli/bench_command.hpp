#pragma once
#include "program.hpp"

namespace millrace::inline v0::cli {

/// `millrace bench`: measures this machine's limits and the engine, in turn.
void add_bench(Program& program);

}  // namespace millrace::inline v0::cli
