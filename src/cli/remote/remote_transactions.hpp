#pragma once
#include <millrace/client/cluster.hpp>
#include <millrace/transactions.hpp>

namespace millrace::inline v0::cli::remote {

// The same as millrace::Transactions, of a broker that runs.
Result<std::vector<TransactionSummary>> list_transactions(client::Cluster& cluster);
Result<TransactionDescription> describe_transaction(client::Cluster& cluster,
                                                    const std::string& transactional_id);
/// Takes the id from its producer, which ends what that has open.
Result<void> abort_transaction(client::Cluster& cluster, const TransactionSummary& transaction);

}  // namespace millrace::inline v0::cli::remote
