#include "transaction_model.hpp"

#include <millrace/coordinator/group_records.hpp>
#include <millrace/coordinator/transaction_records.hpp>

namespace millrace_test {

using namespace millrace;
using storage::AppendOrigin;

namespace {

constexpr int programs = 4;
constexpr int without_offsets = 3;
constexpr int outputs = 3;
const TopicPartition offsets_log{"__consumer_offsets", 0};

std::vector<std::byte> batch_of(const record::BatchOptions& options, Bytes key,
                                std::optional<Bytes> value) {
  record::BatchBuilder builder(options);
  static_cast<void>(builder.add(Timestamp(1), key, value));
  const MutableBytes bytes = *builder.finish();
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> marker_of(const ProducerEpoch& producer, bool is_commit) {
  std::array<std::byte, 4> key{};
  key[3] = std::byte{is_commit};
  const std::array<std::byte, 6> value{};
  return batch_of(
      {.transactional = true, .control = true, .producer = {producer.id, producer.epoch, -1}},
      Bytes(key), Bytes(value));
}

template <typename Visit>
void for_each_record(const record::BatchView& batch, Visit visit) {
  std::vector<std::byte> scratch;
  auto cursor = *record::RecordCursor::open(batch, scratch);
  record::RecordView record;
  while (cursor.next(record) == record::RecordCursor::Step::record) visit(record);
}

std::string input_name(int program) {
  return "in-" + std::to_string(program);
}

}  // namespace

TransactionModel::TransactionModel(std::uint64_t seed, TransactionSabotage sabotage)
    : random_(seed), sabotage_(sabotage), by_os_(seed % 2 == 0) {
  for (int i = 0; i < outputs; ++i) logs_[{"out", i}];
  logs_[offsets_log];
  make_coordinators();
  for (int i = 0; i < programs; ++i) {
    clients_.push_back(std::make_unique<Client>());
    clients_.back()->program = i;
  }
}

coordinator::Group::Now TransactionModel::now() const {
  return {Clock::Steady(std::chrono::milliseconds(milliseconds_)),
          Timestamp(1'700'000'000'000 + milliseconds_)};
}

void TransactionModel::note(Kind kind, std::int64_t transaction, std::string partition,
                            std::int64_t value) {
  history_.push_back({kind, transaction, std::move(partition), value});
}

void TransactionModel::make_coordinators() {
  transactions_ = std::make_unique<coordinator::TransactionCoordinator>(
      coordinator::TransactionCoordinatorOptions(), [this]() -> Result<ProducerEpoch> {
        return ProducerEpoch{++last_producer_, 0};
      });
  groups_ = std::make_unique<coordinator::GroupCoordinator>(coordinator::GroupCoordinatorOptions(),
                                                            [] { return std::string("id"); });
}

/// The process ends; if the machine does too, what is not durable may be lost, in each log by
/// itself.
void TransactionModel::crash() {
  const bool loses_power = !by_os_ && roll(2) == 0;
  const auto cut = [&](ModelLog& log) {
    const auto unsynced = static_cast<int>(log.size() - log.durable());
    log.cut(loses_power ? log.durable() + static_cast<std::size_t>(roll(unsynced + 1))
                        : log.size());
  };
  for (auto& [partition, log] : logs_) cut(log);
  cut(transaction_log_);
  writes_.clear();
  late_.clear();
  deciding_.clear();
  group_writes_.clear();
  markers_.clear();
  clients_.clear();
  for (int i = 0; i < programs; ++i) {
    clients_.push_back(std::make_unique<Client>());
    clients_.back()->program = i;
  }
  recover();
}

void TransactionModel::recover() {
  make_coordinators();
  for (std::size_t i = 0; i < transaction_log_.size(); ++i) {
    for_each_record(transaction_log_.at(i), [&](const record::RecordView& record) {
      static_cast<void>(transactions_->load(*record.key, record.value));
    });
  }
  const ModelLog& offsets = logs_[offsets_log];
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const auto batch = offsets.at(i);
    if (const auto marker = batch.is_control() ? storage::read_marker(batch) : std::nullopt) {
      const bool forgets = sabotage_ == TransactionSabotage::forget_group_marker;
      groups_->end_transaction(batch.producer().id, marker->is_commit && !forgets,
                               [](std::string_view) { return true; });
      continue;
    }
    for_each_record(batch, [&](const record::RecordView& record) {
      static_cast<void>(batch.is_transactional()
                            ? groups_->load_pending(batch.producer().id, *record.key, record.value)
                            : groups_->load(*record.key, record.value, now()));
    });
  }
  coordinator::TransactionActions actions;
  transactions_->loaded(now(), actions);
  take(std::move(actions));
  abort_unknown();
}

void TransactionModel::abort_unknown() {
  for (auto& [partition, log] : logs_) {
    for (const auto& open : log.open()) {
      if (transactions_->owns(open.id, partition, *open.transaction)) continue;
      write_marker(partition, {{}, {open.id, open.epoch}, false, {partition}});
    }
  }
}

TransactionModel::Client* TransactionModel::waiting_for(Token token) {
  for (auto& client : clients_) {
    if (client->waits_for == token) return client.get();
  }
  return nullptr;
}

void TransactionModel::run_event(
    const std::function<void(Token, coordinator::TransactionActions&)>& event, Client* waits) {
  const Token token{++last_token_};
  if (waits != nullptr) waits->waits_for = token;
  coordinator::TransactionActions actions;
  event(token, actions);
  take(std::move(actions));
}

void TransactionModel::write_state(const coordinator::InternalRecord& record) {
  const auto value = record.value ? std::optional<Bytes>(*record.value) : std::nullopt;
  static_cast<void>(
      transaction_log_.append(batch_of({}, record.key, value), AppendOrigin::coordinator));
}

void TransactionModel::write_late() {
  if (late_.empty()) return;
  const auto node = late_.extract(std::next(late_.begin(), roll(static_cast<int>(late_.size()))));
  write_state(node.mapped());
}

void TransactionModel::take(coordinator::TransactionActions actions) {
  using Until = coordinator::TransactionWrite::Until;
  std::vector<std::pair<coordinator::WriteId, Result<void>>> ended;
  for (auto& write : actions.writes) {
    if (write.until == Until::eventually) {
      late_.insert_or_assign(write.transactional_id, std::move(write.record));
      ended.emplace_back(write.id, Result<void>());
      continue;
    }
    if (faults_ && roll(30) == 0) {
      ended.emplace_back(write.id, Error(Errc::no_space, "no space"));
      continue;
    }
    late_.erase(write.transactional_id);
    write_state(write.record);
    if (write.until == Until::appended) {
      ended.emplace_back(write.id, Result<void>());
    } else {
      const std::size_t end = transaction_log_.size();
      writes_.push_back({std::move(write), end});
    }
  }
  for (auto& one : actions.markers) {
    if (one.decides) {
      start_deciding(one);
    } else {
      markers_.push_back(std::move(one));
    }
  }
  for (auto& reply : actions.inits) {
    Client* const client = waiting_for(reply.token);
    if (client == nullptr) continue;
    client->waits_for.reset();
    client->phase = reply.answer ? Phase::idle : Phase::closed;
    if (reply.answer) client->producer = *reply.answer;
  }
  for (auto& reply : actions.replies) {
    if (Client* const client = waiting_for(reply.token)) answered(*client, reply.answer);
  }
  for (const auto& [id, result] : ended) {
    coordinator::TransactionActions next;
    transactions_->written(id, result, now(), next);
    take(std::move(next));
  }
}

void TransactionModel::take(coordinator::GroupActions actions) {
  for (auto& write : actions.writes) {
    const ModelLog& log = logs_[offsets_log];
    const auto producer = write.transaction_of.value_or(ProducerEpoch{});
    const auto& record = write.records.front();
    const auto appended = append(
        offsets_log,
        batch_of({.transactional = write.transaction_of.has_value(),
                  .producer = {producer.id, producer.epoch, -1}},
                 record.key, record.value ? std::optional<Bytes>(*record.value) : std::nullopt),
        AppendOrigin::coordinator);
    const bool is_early = write.transaction_of && group_writes_.empty();
    if (appended && !is_early) {
      group_writes_.push_back({write.id, log.size()});
      continue;
    }
    coordinator::GroupActions next;
    groups_->written(write.id, appended, now(), next);
    take(std::move(next));
  }
  for (auto& reply : actions.commits) {
    if (Client* const client = waiting_for(reply.token)) answered(*client, reply.answer);
  }
}

/// One that waits, whichever it is.
void TransactionModel::end_write() {
  if (writes_.empty()) return;
  const auto at = writes_.begin() + roll(static_cast<int>(writes_.size()));
  transaction_log_.sync_to(at->end);
  const auto id = at->write.id;
  writes_.erase(at);
  coordinator::TransactionActions actions;
  transactions_->written(id, {}, now(), actions);
  take(std::move(actions));
}

void TransactionModel::end_group_write() {
  if (group_writes_.empty()) return;
  const auto at = group_writes_.begin() + roll(static_cast<int>(group_writes_.size()));
  logs_[offsets_log].sync_to(at->end);
  const auto id = at->id;
  group_writes_.erase(at);
  coordinator::GroupActions actions;
  groups_->written(id, {}, now(), actions);
  take(std::move(actions));
}

Result<void> TransactionModel::append(const TopicPartition& partition, ModelLog::Bytes batch,
                                      AppendOrigin origin) {
  ModelLog& log = logs_[partition];
  auto appended = log.append(std::move(batch), origin);
  if (by_os_) log.sync();
  return appended;
}

Result<void> TransactionModel::append_marker(const TopicPartition& partition,
                                             const coordinator::MarkersToWrite& marker) {
  const auto end = marker.ends.find(partition);
  for (const auto& open : logs_[partition].open()) {
    const bool is_later = end != marker.ends.end() && *open.transaction >= end->second;
    if (open.id == marker.producer.id && is_later) return {};
  }
  MILLRACE_CHECK(
      append(partition, marker_of(marker.producer, marker.is_commit), AppendOrigin::coordinator));
  if (partition == offsets_log) {
    groups_->end_transaction(marker.producer.id, marker.is_commit,
                             [](std::string_view) { return true; });
  }
  return {};
}

bool TransactionModel::write_marker(const TopicPartition& partition,
                                    const coordinator::MarkersToWrite& marker) {
  const auto appended = append_marker(partition, marker);
  if (!appended) return appended.error().code() == Errc::invalid_producer_epoch;
  logs_[partition].sync();
  return true;
}

void TransactionModel::start_deciding(const coordinator::MarkersToWrite& marker) {
  const TopicPartition& partition = marker.partitions.front();
  const auto appended = faults_ && roll(20) == 0 ? Result<void>(Error(Errc::no_space, "no space"))
                                                 : append_marker(partition, marker);
  if (appended && marker.is_durable && sabotage_ != TransactionSabotage::decide_unsynced) {
    deciding_.push_back({marker.id, partition, logs_[partition].size()});
    return;
  }
  coordinator::TransactionActions actions;
  transactions_->written(marker.id, appended, now(), actions);
  take(std::move(actions));
}

void TransactionModel::end_deciding() {
  if (deciding_.empty()) return;
  const auto at = deciding_.begin() + roll(static_cast<int>(deciding_.size()));
  const auto [id, partition, end] = *at;
  deciding_.erase(at);
  logs_[partition].sync_to(end);
  coordinator::TransactionActions actions;
  transactions_->written(id, {}, now(), actions);
  take(std::move(actions));
}

void TransactionModel::write_markers() {
  if (markers_.empty()) return;
  const auto at = markers_.begin() + roll(static_cast<int>(markers_.size()));
  const auto to_write = *at;
  markers_.erase(at);
  std::vector<TopicPartition> missing;
  for (const TopicPartition& partition : to_write.partitions) {
    if (sabotage_ == TransactionSabotage::drop_marker && roll(4) == 0) continue;
    const bool fails = faults_ && roll(20) == 0;
    if (fails || !write_marker(partition, to_write)) {
      missing.push_back(partition);
    }
  }
  coordinator::TransactionActions actions;
  transactions_->marked(to_write.id, missing, now(), actions);
  take(std::move(actions));
}

void TransactionModel::answered(Client& client, const Result<void>& answer) {
  client.waits_for.reset();
  const bool is_over = !answer && answer.error().code() == Errc::producer_fenced;
  switch (client.phase) {
    case Phase::admitting:
      client.phase = Phase::sending;
      break;
    case Phase::offsets:
      client.has_sent_offsets = true;
      client.phase = Phase::sending;
      break;
    case Phase::ending:
      if (answer)
        note(client.commits ? Kind::committed : Kind::aborted, client.transaction, "-", 0);
      commits_ += answer && client.commits;
      client.phase = answer ? Phase::idle : Phase::sending;
      break;
    default:
      break;
  }
  if (!answer) {
    client.failed = true;
    client.left_to_send = 0;
  }
  if (is_over) {
    note(Kind::aborted, client.transaction, "-", 0);
    client.phase = Phase::over;
  }
}

/// Nothing if that depends on a transaction that is open.
std::optional<std::int64_t> TransactionModel::next_input(int program) {
  if (program != without_offsets) {
    const std::string input = input_name(program);
    if (groups_->has_pending("g", {input, 0})) return std::nullopt;
    const auto* const committed = groups_->committed("g", input, 0);
    return committed != nullptr ? committed->offset.value() : 0;
  }
  const ModelLog& log = logs_[{"out", outputs - 1}];
  if (log.stable_size() < log.size()) return std::nullopt;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < log.size(); ++i) {
    count += log.at(i).is_control() || log.is_aborted(i) ? 0 : 1;
  }
  return count;
}

void TransactionModel::begin(Client& client) {
  const auto next = next_input(client.program);
  if (!next) return;
  client.next_input = *next;
  client.transaction = ++last_transaction_;
  client.left_to_send = 1 + roll(4);
  client.failed = client.has_sent_offsets = false;
  client.admitted.clear();
  client.phase = Phase::sending;
  note(Kind::begin, client.transaction, "-", client.program);
}

void TransactionModel::admit(Client& client, const TopicPartition& partition) {
  client.phase = Phase::admitting;
  client.admitted.insert(partition);
  run_event(
      [&](Token token, coordinator::TransactionActions& actions) {
        transactions_->add_partitions({input_name(client.program), client.producer}, {partition},
                                      token, now(), actions);
      },
      &client);
}

void TransactionModel::send(Client& client) {
  const std::int64_t value = client.program * test::HistoryChecker::inputs + client.next_input;
  const bool is_single = client.program == without_offsets;
  const TopicPartition partition{"out", is_single ? outputs - 1 : static_cast<int>(value % 2)};
  if (!client.admitted.contains(partition)) {
    admit(client, partition);
    return;
  }
  --client.left_to_send;
  ++client.next_input;
  const std::string text = std::to_string(client.transaction) + " " + std::to_string(value);
  std::int32_t& sequence = client.sequences[partition];
  note(Kind::send, client.transaction, "out-" + std::to_string(partition.partition), value);
  const bool fails = faults_ && roll(40) == 0;
  const auto appended =
      fails ? Result<void>(Error(Errc::no_space, "no space"))
            : append(partition,
                     batch_of({.transactional = true,
                               .producer = {client.producer.id, client.producer.epoch, sequence}},
                              as_bytes(text), std::nullopt),
                     AppendOrigin::producer);
  if (appended) {
    ++sequence;
  } else {
    client.failed = true;
    client.left_to_send = 0;
  }
}

void TransactionModel::send_offsets(Client& client) {
  if (!client.admitted.contains(offsets_log)) {
    admit(client, offsets_log);
    return;
  }
  client.phase = Phase::offsets;
  note(Kind::offset, client.transaction, input_name(client.program), client.next_input);
  const Token token{++last_token_};
  client.waits_for = token;
  coordinator::GroupActions actions;
  groups_->commit_in_transaction(
      {{"g", {}, -1},
       {{{input_name(client.program), 0}, {Offset{client.next_input}, {}, "", now().wall, {}}}}},
      client.producer, token, now(), actions);
  take(std::move(actions));
}

void TransactionModel::end(Client& client) {
  client.commits = !client.failed && roll(4) != 0;
  client.phase = Phase::ending;
  coordinator::EndTransactionRequest request{
      {input_name(client.program), client.producer}, client.commits, true};
  if (client.commits) {
    for (const auto& partition : client.admitted) request.ends[partition] = logs_[partition].end();
    if (sabotage_ == TransactionSabotage::forget_ends) request.ends.clear();
    request.is_durable = !by_os_;
    request.marker_decides = client.admitted.size() == 1;
    const bool syncs = !request.marker_decides && sabotage_ != TransactionSabotage::commit_unsynced;
    for (const auto& partition : client.admitted) {
      if (syncs) logs_[partition].sync();
    }
  }
  run_event(
      [&](Token token, coordinator::TransactionActions& actions) {
        transactions_->end(request, token, now(), actions);
      },
      &client);
}

void TransactionModel::drive(Client& client) {
  if (client.waits_for) return;
  switch (client.phase) {
    case Phase::closed:
      client.phase = Phase::opening;
      run_event(
          [&](Token token, coordinator::TransactionActions& actions) {
            transactions_->init_producer(
                {input_name(client.program), std::chrono::seconds(2), {}, true}, token, now(),
                actions);
          },
          &client);
      return;
    case Phase::idle:
      begin(client);
      return;
    case Phase::sending: {
      const bool sends_offsets = !client.failed && !client.has_sent_offsets &&
                                 client.program != without_offsets &&
                                 sabotage_ != TransactionSabotage::forget_offsets;
      if (client.left_to_send > 0) {
        send(client);
      } else if (sends_offsets) {
        send_offsets(client);
      } else {
        end(client);
      }
      return;
    }
    case Phase::over: {
      const int program = client.program;
      client = Client();
      client.program = program;
      return;
    }
    default:
      return;
  }
}

void TransactionModel::read_some() {
  for (int id = 0; id < outputs; ++id) {
    const ModelLog& log = logs_[{"out", id}];
    auto& position = positions_[{"out", id}];
    const std::size_t end = log.stable_size();
    for (; position < end; ++position) {
      const auto batch = log.at(position);
      const bool is_hidden =
          sabotage_ != TransactionSabotage::read_aborted && log.is_aborted(position);
      if (batch.is_control() || is_hidden) continue;
      for_each_record(batch, [&](const record::RecordView& record) {
        const std::string text(as_text(*record.key));
        note(Kind::read, std::stoll(text), "out-" + std::to_string(id),
             std::stoll(text.substr(text.find(' '))));
      });
      const std::size_t last = history_.size() - 1;
      if (sabotage_ == TransactionSabotage::swap_reads && last > 0 && roll(5) == 0 &&
          history_[last - 1].kind == Kind::read) {
        std::swap(history_[last], history_[last - 1]);
      }
    }
  }
}

void TransactionModel::observe(int program) {
  if (program == without_offsets) return;
  if (groups_->has_pending("g", {input_name(program), 0})) return;
  const auto* const committed = groups_->committed("g", input_name(program), 0);
  note(Kind::observed, 0, input_name(program),
       committed != nullptr ? committed->offset.value() : 0);
}

void TransactionModel::pass(int milliseconds) {
  milliseconds_ += milliseconds;
  run_event(
      [&](Token, coordinator::TransactionActions& actions) { transactions_->tick(now(), actions); },
      nullptr);
}

void TransactionModel::step() {
  const int what = roll(200);
  if (what < 120) {
    drive(*clients_[static_cast<std::size_t>(roll(static_cast<int>(clients_.size())))]);
  } else if (what < 145) {
    end_write();
  } else if (what < 160) {
    end_group_write();
  } else if (what < 178) {
    const int which = roll(4);
    which == 0 ? end_deciding() : which == 1 ? write_late() : write_markers();
  } else if (what < 182) {
    std::next(logs_.begin(), roll(static_cast<int>(logs_.size())))->second.sync();
  } else if (what < 188) {
    read_some();
  } else if (what < 192) {
    observe(roll(programs));
  } else if (what < 195) {
    pass(roll(1'500));
  } else if (what < 198) {
    // Another instance, while the one before may still be there.
    std::erase_if(clients_, [](const auto& client) { return client->phase == Phase::over; });
    if (clients_.size() > 2 * programs) clients_.erase(clients_.begin());
    clients_.push_back(std::make_unique<Client>());
    clients_.back()->program = roll(programs);
  } else if (what < 199) {
    crash();
  }
}

void TransactionModel::run(int steps) {
  for (int i = 0; i < steps; ++i) step();
  faults_ = false;
  crash();
  for (int i = 0; i < 100; ++i) {
    end_write();
    end_deciding();
    write_markers();
    pass(100);
  }
  for (auto& [partition, log] : logs_) log.sync();
  read_some();
  for (int program = 0; program < programs; ++program) observe(program);
}

}  // namespace millrace_test
