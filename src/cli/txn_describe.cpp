#include <memory>

#include "commands.hpp"
#include "data_directory.hpp"
#include "remote/remote_transactions.hpp"
#include "standard_streams.hpp"
#include "txn_text.hpp"

namespace millrace::inline v0::cli {
namespace {

struct Options {
  std::string id;
  bool json = false;
};

Result<TransactionDescription> look_at(const Program& program, const std::string& id) {
  if (!program.is_remote()) {
    MILLRACE_TRY(const Broker broker, open_for_reading(program.data()));
    return Transactions(broker).describe(id);
  }
  MILLRACE_TRY(const auto cluster, client::Cluster::connect(program.bootstrap()));
  return remote::describe_transaction(*cluster, id);
}

Result<void> describe(const Program& program, const Options& options) {
  MILLRACE_TRY(const auto transaction, look_at(program, options.id));
  Output output;
  output.buffer() = options.json ? line_of(as_json(transaction)) + "\n" : as_text(transaction);
  return output.flush();
}

}  // namespace

void add_txn_describe(Program& program, CLI::App& txn) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = *txn.add_subcommand(
      "describe", "Show a transactional id, its producer, and the partitions of its transaction");
  command.add_option("ID", options->id, "The transactional id")->required();
  command.add_flag("--json", options->json, "Print one JSON object; times are milliseconds");
  command.footer(
      "FIRST-OFFSET is where the open transaction begins in a partition: readers of committed\n"
      "records see nothing from there on. A \"-\" there: it has no record, or is over in that\n"
      "partition. Changes nothing, and may run beside the owner.");
  program.on(
      command, [&program, options] { return describe(program, *options); },
      WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
