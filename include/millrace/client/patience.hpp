#pragma once
#include <chrono>
#include <millrace/client/errors.hpp>
#include <thread>

namespace millrace::inline v0::client {

/// How long to ask again while a broker refuses for now: it makes a coordinator, or ends the
/// transaction before.
struct Patience {
  int most_attempts = 100;
  std::chrono::milliseconds pause = std::chrono::milliseconds(100);
};

struct CodeOfAnswer {
  template <typename Response>
  protocol::WireError operator()(const Response& response) const {
    return response.error_code;
  }
};

/// Calls `ask`, which gives a Result of a response, until that is an error or `code_of` it is no
/// refusal that passes (see is_passing()), or the patience ends; the last result. Blocks meanwhile.
template <typename Ask, typename CodeOf = CodeOfAnswer>
auto ask_patiently(const Patience& patience, const Ask& ask, const CodeOf& code_of = {}) {
  auto answer = ask();
  for (int i = 1; i < patience.most_attempts && answer && is_passing(code_of(*answer)); ++i) {
    std::this_thread::sleep_for(patience.pause);
    answer = ask();
  }
  return answer;
}

}  // namespace millrace::inline v0::client
