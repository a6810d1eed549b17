#pragma once
#include <string>
#include <vector>

namespace millrace::inline v0::cli {

/// Text in columns that are as wide as they need to be.
class Table {
 public:
  using Row = std::vector<std::string>;
  explicit Table(Row titles) : rows_{std::move(titles)} {}
  /// `row` has as many cells as there are titles.
  void add(Row row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::vector<Row> rows_;
};

}  // namespace millrace::inline v0::cli
