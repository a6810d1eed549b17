#pragma once
#include <millrace/transactions.hpp>
#include <string>

#include "json_text.hpp"

namespace millrace::inline v0::cli {

/// Understands Kafka's names of states, `CompleteAbort`. invalid_argument says which there are.
Result<TransactionState> parse_transaction_state(std::string_view text);

std::string as_table(const std::vector<TransactionSummary>& transactions);
Json as_json(const TransactionSummary& transaction);

std::string as_text(const TransactionDescription& transaction);
Json as_json(const TransactionDescription& transaction);

/// Who has it and what is in it, in a few words.
std::string in_words(const TransactionSummary& transaction);

}  // namespace millrace::inline v0::cli
