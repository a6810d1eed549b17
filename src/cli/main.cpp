#include <exception>

#include "bench_command.hpp"
#include "commands.hpp"
#include "standard_streams.hpp"

int main(int argc, char** argv) {
  using namespace millrace::cli;
  prepare_standard_streams();
  try {
    Program program;
    CLI::App& topic = *program.app().add_subcommand("topic", "Create, list and change topics");
    add_topic_create(program, topic);
    add_topic_list(program, topic);
    add_topic_describe(program, topic);
    add_topic_alter(program, topic);
    add_topic_delete(program, topic);
    add_produce(program);
    add_consume(program);
    CLI::App& group = *program.app().add_subcommand("group", "Look after consumer groups");
    add_group_list(program, group);
    add_group_describe(program, group);
    add_group_reset(program, group);
    add_group_delete(program, group);
    CLI::App& txn = *program.app().add_subcommand("txn", "Look after transactions");
    add_txn_list(program, txn);
    add_txn_describe(program, txn);
    add_txn_abort(program, txn);
    add_serve(program);
    add_bench(program);
    CLI::App& log = *program.app().add_subcommand("log", "Check, show and mend files");
    add_log_verify(program, log);
    add_log_dump(program, log);
    add_log_repair(program, log);
    set_main_help(program.app());
    return program.run(argc, argv);
  } catch (const std::exception& error) {
    complain(error.what());
    return exit_failed;
  }
}
