#pragma once
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace millrace::test {

/// One of the shared files of protocol vectors. MILLRACE_SHARED_DIR comes from the build.
inline nlohmann::json load_vectors(const std::string& file) {
  const std::string path = std::string(MILLRACE_SHARED_DIR) + "/kafka-protocol/vectors/" + file;
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path + "; set -DMILLRACE_SHARED_DIR");
  return nlohmann::json::parse(in);
}

}  // namespace millrace::test
