#include "bench_report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace millrace::inline v0::cli::bench {
namespace {

bool is_met(const Target& target, double figure) {
  return target.at_least ? figure >= target.bound : figure <= target.bound;
}

const Target* target_of(const std::vector<Target>& targets, const std::string& row) {
  const auto it = std::find_if(targets.begin(), targets.end(),
                               [&](const Target& target) { return target.row == row; });
  return it == targets.end() ? nullptr : &*it;
}

/// The row of the machine's limit with the same name; of nobody, for limits.
std::string limit_of(const std::string& row) {
  return row.starts_with("millrace/") ? "limit/" + row.substr(row.find('/') + 1) : std::string();
}

std::string number(double value) {
  return value >= 10'000 ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

std::string text_line(const Samples& samples, const Samples::Row& row,
                      const std::vector<Target>& targets) {
  const auto values = row.values();
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  std::string line = fmt::format("{:44} {:>12} {:6} {:>12} {:>12}", row.name,
                                 number(median(values)), row.unit, number(*least), number(*most));
  const Target* target = target_of(targets, row.name);
  if (target != nullptr) {
    if (const auto figure = samples.figure(*target)) {
      line +=
          fmt::format("  {:>8}{} {} {:<6} {}", number(*figure), target->against.empty() ? " " : "x",
                      target->at_least ? ">=" : "<=", number(target->bound),
                      is_met(*target, *figure) ? "met" : "MISSED");
    }
  }
  const Target against_limit{row.name, limit_of(row.name), 0};
  if (!against_limit.against.empty() &&
      (target == nullptr || target->against != against_limit.against)) {
    if (const auto figure = samples.figure(against_limit)) {
      line += fmt::format("  {:>8}x limit", number(*figure));
    }
  }
  return line;
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const std::size_t half = values.size() / 2;
  std::sort(values.begin(), values.end());
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void Samples::add(int round, const std::string& row, double value, const char* unit) {
  auto it = std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return r.name == row; });
  if (it == rows_.end()) it = rows_.insert(rows_.end(), {row, unit, {}});
  it->by_round[round] = value;
}

std::vector<double> Samples::Row::values() const {
  std::vector<double> values;
  for (const auto& [round, value] : by_round) values.push_back(value);
  return values;
}

const Samples::Row* Samples::find(const std::string& name) const {
  const auto it =
      std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return r.name == name; });
  return it == rows_.end() ? nullptr : &*it;
}

std::optional<double> Samples::figure(const Target& target) const {
  const Row* row = find(target.row);
  if (row == nullptr) return std::nullopt;
  if (target.against.empty()) return median(row->values());
  const Row* against = find(target.against);
  if (against == nullptr) return std::nullopt;
  std::vector<double> ratios;
  for (const auto& [round, value] : row->by_round) {
    const auto other = against->by_round.find(round);
    if (other != against->by_round.end()) ratios.push_back(value / other->second);
  }
  if (ratios.empty()) return std::nullopt;
  return median(std::move(ratios));
}

std::string text_report(const Samples& samples, int rounds) {
  const auto targets = all_targets();
  std::string text = fmt::format("{:44} {:>12} {:6} {:>12} {:>12}  {}\n",
                                 fmt::format("{} rounds", rounds), "median", "", "least", "most",
                                 "median ratio to the limit of the round, and target");
  int met = 0;
  int known = 0;
  for (const auto& row : samples.rows()) text += text_line(samples, row, targets) + "\n";
  for (const auto& target : targets) {
    const auto figure = samples.figure(target);
    if (!figure) continue;
    ++known;
    met += is_met(target, *figure) ? 1 : 0;
  }
  return text + fmt::format("{} of {} targets met\n", met, known);
}

std::string json_report(const Samples& samples, int rounds) {
  const auto targets = all_targets();
  std::string json = fmt::format("{{\"rounds\": {}, \"rows\": [", rounds);
  const char* separator = "\n";
  for (const auto& row : samples.rows()) {
    const auto values = row.values();
    json +=
        fmt::format("{}  {{\"row\": \"{}\", \"unit\": \"{}\", \"median\": {}, \"samples\": [{}]",
                    separator, row.name, row.unit, median(values), fmt::join(values, ", "));
    const Target* target = target_of(targets, row.name);
    const auto figure = target != nullptr ? samples.figure(*target) : std::nullopt;
    if (figure) {
      json += fmt::format(", \"against\": \"{}\", \"figure\": {}, \"{}\": {}, \"met\": {}",
                          target->against, *figure, target->at_least ? "at_least" : "at_most",
                          target->bound, is_met(*target, *figure));
    }
    json += "}";
    separator = ",\n";
  }
  return json + "\n]}\n";
}

}  // namespace millrace::inline v0::cli::bench
