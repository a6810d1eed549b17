#include <algorithm>
#include <memory>

#include "commands.hpp"
#include "data_directory.hpp"
#include "remote/remote_transactions.hpp"
#include "standard_streams.hpp"
#include "txn_text.hpp"

namespace millrace::inline v0::cli {
namespace {

struct Options {
  std::vector<std::string> states;
  bool json = false;
};

Result<std::vector<TransactionSummary>> transactions_of(const Program& program) {
  if (!program.is_remote()) {
    MILLRACE_TRY(const Broker broker, open_for_reading(program.data()));
    return Transactions(broker).list();
  }
  MILLRACE_TRY(const auto cluster, client::Cluster::connect(program.bootstrap()));
  return remote::list_transactions(*cluster);
}

Result<void> list(const Program& program, const Options& options) {
  std::vector<TransactionState> wanted;
  for (const std::string& name : options.states) {
    MILLRACE_TRY(const TransactionState state, parse_transaction_state(name));
    wanted.push_back(state);
  }
  MILLRACE_TRY(auto transactions, transactions_of(program));
  std::erase_if(transactions, [&](const TransactionSummary& one) {
    return !wanted.empty() && std::find(wanted.begin(), wanted.end(), one.state) == wanted.end();
  });
  Output output;
  if (options.json) {
    Json all = Json::array();
    for (const TransactionSummary& one : transactions) all.push_back(as_json(one));
    output.buffer() = line_of(all) + "\n";
  } else {
    output.buffer() = as_table(transactions);
  }
  return output.flush();
}

}  // namespace

void add_txn_list(Program& program, CLI::App& txn) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      *txn.add_subcommand("list", "List the transactional ids, each with its last transaction");
  command
      .add_option("--state", options->states,
                  "Only those that are Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit "
                  "or CompleteAbort; may be repeated")
      ->type_name("STATE")
      ->allow_extra_args(false)
      ->check(checked_by(parse_transaction_state));
  command.add_flag("--json", options->json, "Print one JSON array; times are milliseconds");
  command.footer(
      "SINCE is when an Ongoing transaction began, and when any other came to its state. Changes\n"
      "nothing: what a process that was killed had begun is Ongoing until the directory is next\n"
      "opened by an owner, who aborts it.");
  program.on(
      command, [&program, options] { return list(program, *options); },
      WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
