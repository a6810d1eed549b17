#pragma once
#include "catch.hpp"
#include "support/bytes.hpp"
#include "support/vectors.hpp"

namespace millrace::test {

/// Calls `check(fields, bytes, version)` for each vector of a record; how many there were.
template <typename Check>
int for_each_vector(const std::string& record, Check check) {
  int count = 0;
  const auto file = load_vectors("internal-records.json");
  for (const auto& of_record : file.at("vectors")) {
    if (of_record.at("record") != record) continue;
    for (const auto& vector : of_record.at("vectors")) {
      INFO(record << " version " << vector.at("version") << " " << vector.at("variant"));
      check(vector.at("fields"), from_hex(vector.at("hex").get<std::string>()),
            vector.at("version").get<int>());
      ++count;
    }
  }
  return count;
}

}  // namespace millrace::test
