#include <array>
#include <millrace/coordinator/assignor.hpp>

namespace millrace::inline v0::coordinator {

const Assignor* find_assignor(std::string_view name) noexcept {
  const std::array known = {&range_assignor(), &round_robin_assignor(), &sticky_assignor(),
                            &cooperative_sticky_assignor()};
  for (const Assignor* assignor : known) {
    if (assignor->name() == name) return assignor;
  }
  return nullptr;
}

}  // namespace millrace::inline v0::coordinator
