#include "commands.hpp"

namespace millrace::inline v0::cli {

void set_main_help(CLI::App& app) { static_cast<void>(app); }

}  // namespace millrace::inline v0::cli
