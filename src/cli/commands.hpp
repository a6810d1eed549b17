#pragma once
#include "program.hpp"

namespace millrace::inline v0::cli {

/// Each adds one subcommand, or one of `millrace topic ...`, `group ...`, `txn ...`, `log ...`.
void add_topic_create(Program& program, CLI::App& topic);
void add_topic_list(Program& program, CLI::App& topic);
void add_topic_describe(Program& program, CLI::App& topic);
void add_topic_alter(Program& program, CLI::App& topic);
void add_topic_delete(Program& program, CLI::App& topic);
void add_produce(Program& program);
void add_consume(Program& program);
void add_group_list(Program& program, CLI::App& group);
void add_group_describe(Program& program, CLI::App& group);
void add_group_reset(Program& program, CLI::App& group);
void add_group_delete(Program& program, CLI::App& group);
void add_txn_list(Program& program, CLI::App& txn);
void add_txn_describe(Program& program, CLI::App& txn);
void add_txn_abort(Program& program, CLI::App& txn);
void add_serve(Program& program);
void add_log_verify(Program& program, CLI::App& log);
void add_log_dump(Program& program, CLI::App& log);
void add_log_repair(Program& program, CLI::App& log);

/// Replaces the help of `millrace --help` by the whole story.
void set_main_help(CLI::App& app);

}  // namespace millrace::inline v0::cli
