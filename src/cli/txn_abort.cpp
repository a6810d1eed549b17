#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "commands.hpp"
#include "data_directory.hpp"
#include "remote/remote_transactions.hpp"
#include "standard_streams.hpp"
#include "time_text.hpp"
#include "txn_text.hpp"

namespace millrace::inline v0::cli {
namespace {

using Summaries = std::vector<TransactionSummary>;

const TransactionSummary* find(const Summaries& all, const std::string& id) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const TransactionSummary& one) {
    return one.transactional_id == id;
  });
  return found == all.end() ? nullptr : &*found;
}

/// Whether there is something to abort.
Result<void> check_open(const TransactionSummary& wanted) {
  const TransactionState state = wanted.state;
  const std::string& id = wanted.transactional_id;
  if (!wanted.is_open()) {
    return Error(
        Errc::invalid_transaction_state,
        fmt::format("transactional id {} has no open transaction: it is {}", id, to_string(state)));
  }
  if (state == TransactionState::prepare_commit) {
    return Error(Errc::invalid_transaction_state,
                 fmt::format("the transaction of {} is decided: it will be committed by the owner "
                             "of the directory, or by the next one that opens it",
                             id));
  }
  return {};
}

/// What is open, before an owner changes that.
Result<Summaries> look_first(const std::string& data, const std::string& id) {
  MILLRACE_TRY(const Broker broker, open_for_reading(data));
  const Transactions transactions(broker);
  MILLRACE_TRY(const auto wanted, transactions.describe(id));
  MILLRACE_CHECK(check_open(wanted.summary));
  return transactions.list();
}

Error not_ours(const Error& locked, const TransactionSummary& wanted) {
  return {locked.code(),
          fmt::format("{}; while that one runs it alone can abort the transaction of {}, and does "
                      "at {} if it is not over by then",
                      locked.message(), wanted.transactional_id,
                      format_time(wanted.started + wanted.timeout))};
}

/// Whoever opens a directory ends what nobody can go on with: so that is said of each.
void tell(const Summaries& before, const Summaries& after, const std::string& wanted,
          std::string& out) {
  for (const TransactionSummary& was : before) {
    const TransactionSummary* const now = find(after, was.transactional_id);
    if (!was.is_open() || now == nullptr || now->is_open()) continue;
    const bool is_commit = now->state == TransactionState::complete_commit;
    out += fmt::format("{} {}{}: {}\n", is_commit ? "committed" : "aborted", was.transactional_id,
                       was.transactional_id == wanted ? "" : ", which was open too", in_words(was));
  }
}

Result<void> abort_remotely(const Program& program, const std::string& id) {
  MILLRACE_TRY(const auto cluster, client::Cluster::connect(program.bootstrap()));
  MILLRACE_TRY(const auto before, remote::describe_transaction(*cluster, id));
  MILLRACE_CHECK(check_open(before.summary));
  MILLRACE_CHECK(remote::abort_transaction(*cluster, before.summary));
  MILLRACE_TRY(const auto after, remote::describe_transaction(*cluster, id));
  Output output;
  tell({before.summary}, {after.summary}, id, output.buffer());
  return output.flush();
}

Result<void> abort(const Program& program, const std::string& id) {
  if (program.is_remote()) return abort_remotely(program, id);
  MILLRACE_TRY(const Summaries before, look_first(program.data(), id));
  auto opened = open_as_owner(program.data(), false);
  if (!opened && opened.error().code() == Errc::directory_locked) {
    return not_ours(opened.error(), *find(before, id));
  }
  if (!opened) return std::move(opened).error();
  const Broker broker = *std::move(opened);
  const Transactions transactions(broker);
  MILLRACE_TRY(Summaries after, transactions.list());
  if (const auto* const wanted = find(after, id); wanted != nullptr && wanted->is_open()) {
    // Opening could not end it, so that says why.
    MILLRACE_CHECK(transactions.abort(id));
    MILLRACE_TRY(after, transactions.list());
  }
  Output output;
  tell(before, after, id, output.buffer());
  MILLRACE_CHECK(output.flush());
  return broker.close();
}

}  // namespace

void add_txn_abort(Program& program, CLI::App& txn) {
  const auto id = std::make_shared<std::string>();
  CLI::App& command = *txn.add_subcommand(
      "abort", "Abort the open transaction that a process which is gone has left behind");
  command.add_option("ID", *id, "The transactional id")->required();
  command.footer(
      "Needs the directory for itself, and nobody can open a directory without ending ALL that is\n"
      "open in it: the programs that began it are gone. So this aborts the other open "
      "transactions,\n"
      "too, commits those that were decided, and says so of each; any other command that owns the\n"
      "directory does the same without a word. If ID has no open transaction nothing is opened.\n\n"
      "While another process owns the directory, only that one can abort: it does when the\n"
      "transaction takes longer than its timeout (millrace txn describe ID says when), or when\n"
      "its program calls Transactions::abort(); or end that process.");
  program.on(
      command, [&program, id] { return abort(program, *id); }, WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
