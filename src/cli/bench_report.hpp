#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench_rows.hpp"

namespace millrace::inline v0::cli::bench {

/// A figure to reach. Ratios are taken within a round and their median counts.
struct Target {
  std::string row;
  std::string against;  ///< the row that divides it; empty: the value itself counts
  double bound = 0;
  bool at_least = true;  ///< false: at most
};
std::vector<Target> all_targets();

/// The values of all rows, by round.
class Samples {
 public:
  void add(int round, const std::string& row, double value, const char* unit);

  struct Row {
    std::string name;
    std::string unit;
    std::map<int, double> by_round;
    std::vector<double> values() const;
  };
  const std::vector<Row>& rows() const { return rows_; }
  const Row* find(const std::string& name) const;
  /// The target's figure; nothing if a row is missing.
  std::optional<double> figure(const Target& target) const;

 private:
  std::vector<Row> rows_;
};

double median(std::vector<double> values);

/// Lines for people, or one JSON object.
std::string text_report(const Samples& samples, int rounds);
std::string json_report(const Samples& samples, int rounds);

}  // namespace millrace::inline v0::cli::bench
