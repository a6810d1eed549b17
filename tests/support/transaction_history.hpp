#pragma once
#include <algorithm>
#include <cstdint>
#include <istream>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace millrace::test {

/// One thing that a client of transactions did, was told or saw, in the order in which it came.
struct HistoryEntry {
  enum class Kind : char {
    begin = 'b',      ///< transaction of the producer `value`
    send = 's',       ///< the transaction sent `value` to a partition
    offset = 'o',     ///< it moves the group's offset in an input partition to `value`
    committed = 'c',  ///< its client was told so
    aborted = 'a',    ///< the same
    read = 'r',       ///< a reader of committed records saw `value` of the transaction
    observed = 'g',   ///< the group's committed offset in an input partition was `value`
  };
  Kind kind = Kind::begin;
  std::int64_t transaction = 0;
  std::string partition = "-";
  std::int64_t value = 0;
};
using History = std::vector<HistoryEntry>;

inline std::ostream& operator<<(std::ostream& out, const HistoryEntry& entry) {
  return out << static_cast<char>(entry.kind) << ' ' << entry.transaction << ' ' << entry.partition
             << ' ' << entry.value << '\n';
}

/// What was written by `<<`, up to the first line that is not whole.
inline History read_history(std::istream& in) {
  History history;
  char kind = 0;
  HistoryEntry entry;
  while (in >> kind >> entry.transaction >> entry.partition >> entry.value && in.get() == '\n') {
    entry.kind = HistoryEntry::Kind{kind};
    history.push_back(entry);
  }
  return history;
}

/// Judges a history by nothing but what is in it. Its reads are those of one reader per partition,
/// from the first record to the last. The value that stands for offset `n` of the input partition
/// "in-i" is i * inputs + n.
class HistoryChecker {
 public:
  static constexpr std::int64_t inputs = 1'000'000;
  using Kind = HistoryEntry::Kind;

  explicit HistoryChecker(const History& history) {
    for (const HistoryEntry& entry : history) take(entry);
    check_ends();
  }
  /// Each begins with its class: lost, duplicate, reordered, aborted read, torn, non-monotonic.
  const std::vector<std::string>& problems() const noexcept { return problems_; }

 private:
  struct Sent {
    std::string partition;
    std::int64_t value;
    std::int64_t order;
  };
  struct Seen {
    std::int64_t producer = -1;
    std::vector<Sent> sent;
    std::set<std::pair<std::string, std::int64_t>> read;
    std::map<std::string, std::int64_t> offsets;
    bool is_committed = false;
    bool is_aborted = false;
  };

  void problem(const char* sort, const HistoryEntry& entry) {
    problems_.push_back(std::string(sort) + ": transaction " + std::to_string(entry.transaction) +
                        ", " + entry.partition + ", value " + std::to_string(entry.value));
  }

  void take(const HistoryEntry& entry) {
    Seen& seen = transactions_[entry.transaction];
    switch (entry.kind) {
      case Kind::begin:
        seen.producer = entry.value;
        return;
      case Kind::send:
        seen.sent.push_back({entry.partition, entry.value, ++order_});
        return;
      case Kind::offset:
        seen.offsets[entry.partition] = entry.value;
        return;
      case Kind::committed:
        seen.is_committed = true;
        return;
      case Kind::aborted:
        seen.is_aborted = true;
        return;
      case Kind::read:
        take_read(entry, seen);
        return;
      case Kind::observed:
        take_observed(entry);
        return;
    }
  }

  void take_read(const HistoryEntry& entry, Seen& seen) {
    if (!values_.insert(entry.value).second) problem("duplicate", entry);
    seen.read.insert({entry.partition, entry.value});
    const auto sent = std::find_if(seen.sent.begin(), seen.sent.end(), [&](const Sent& one) {
      return one.partition == entry.partition && one.value == entry.value;
    });
    if (sent == seen.sent.end()) return problem("aborted read (it was never sent)", entry);
    auto& last = last_read_[{seen.producer, entry.partition}];
    if (sent->order <= last) problem("reordered", entry);
    last = std::max(last, sent->order);
  }

  void take_observed(const HistoryEntry& entry) {
    auto& last = observed_[entry.partition];
    if (entry.value < last) problem("non-monotonic", entry);
    last = std::max(last, entry.value);
  }

  void check_ends() {
    for (const auto& [number, seen] : transactions_) {
      const std::size_t read = seen.read.size();
      const HistoryEntry all{Kind::begin, number, "all", static_cast<std::int64_t>(read)};
      if (seen.is_aborted && read > 0) problem("aborted read", all);
      if (seen.is_committed && read == 0 && !seen.sent.empty()) problem("lost", all);
      if (read > 0 && read < seen.sent.size()) problem("torn", all);
      if (read == 0 && !seen.is_committed) continue;
      for (const auto& [partition, offset] : seen.offsets) {
        if (observed_[partition] < offset) problem("torn (its offsets)", all);
      }
    }
    for (const auto& [partition, end] : observed_) {
      const std::int64_t first = std::stoll(partition.substr(3)) * inputs;
      for (std::int64_t value = first; value < first + end; ++value) {
        if (!values_.contains(value)) problem("lost", {Kind::read, -1, partition, value});
      }
    }
  }

  std::map<std::int64_t, Seen> transactions_;
  std::set<std::int64_t> values_;
  std::map<std::pair<std::int64_t, std::string>, std::int64_t> last_read_;
  std::map<std::string, std::int64_t> observed_;
  std::int64_t order_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace millrace::test
