#pragma once
/// Everything an application needs. Guide: broker.hpp opens a directory; topic.hpp and
/// partition.hpp are what it holds; producer.hpp and consumer.hpp move records, consumer_group.hpp
/// shares them out, transactional_producer.hpp makes several of them one, key_value_store.hpp keeps
/// state with them, exactly_once.hpp is the loop around all that; delayed.hpp has records be seen
/// later; serde.hpp, partitioner.hpp and flush.hpp are where your own types plug in.
#include <millrace/broker.hpp>
#include <millrace/consumer.hpp>
#include <millrace/consumer_group.hpp>
#include <millrace/delayed.hpp>
#include <millrace/exactly_once.hpp>
#include <millrace/flush.hpp>
#include <millrace/groups.hpp>
#include <millrace/key_value_store.hpp>
#include <millrace/partition.hpp>
#include <millrace/partitioner.hpp>
#include <millrace/producer.hpp>
#include <millrace/record.hpp>
#include <millrace/serde.hpp>
#include <millrace/topic.hpp>
#include <millrace/transactional_producer.hpp>
#include <millrace/transactions.hpp>
