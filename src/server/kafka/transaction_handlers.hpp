#pragma once
#include <millrace/protocol/messages/add_offsets_to_txn.hpp>
#include <millrace/protocol/messages/add_partitions_to_txn.hpp>
#include <millrace/protocol/messages/describe_producers.hpp>
#include <millrace/protocol/messages/describe_transactions.hpp>
#include <millrace/protocol/messages/end_txn.hpp>
#include <millrace/protocol/messages/init_producer_id.hpp>
#include <millrace/protocol/messages/list_transactions.hpp>
#include <millrace/protocol/messages/txn_offset_commit.hpp>
#include <millrace/protocol/messages/write_txn_markers.hpp>

#include "server/kafka/request.hpp"

/// What answers the APIs of transactions.
namespace millrace::inline v0::server {

protocol::InitProducerIdResponse init_producer_id(const protocol::InitProducerIdRequest& message,
                                                  const Request& request);
protocol::AddPartitionsToTxnResponse add_partitions_to_txn(
    const protocol::AddPartitionsToTxnRequest& message, const Request& request);
protocol::AddOffsetsToTxnResponse add_offsets_to_txn(
    const protocol::AddOffsetsToTxnRequest& message, const Request& request);
protocol::TxnOffsetCommitResponse txn_offset_commit(const protocol::TxnOffsetCommitRequest& message,
                                                    const Request& request);
protocol::EndTxnResponse end_txn(const protocol::EndTxnRequest& message, const Request& request);

protocol::DescribeProducersResponse describe_producers(
    const protocol::DescribeProducersRequest& message, const Request& request);
protocol::ListTransactionsResponse list_transactions(
    const protocol::ListTransactionsRequest& message, const Request& request);
protocol::DescribeTransactionsResponse describe_transactions(
    const protocol::DescribeTransactionsRequest& message, const Request& request);
protocol::WriteTxnMarkersResponse write_txn_markers(const protocol::WriteTxnMarkersRequest& message,
                                                    const Request& request);

}  // namespace millrace::inline v0::server
