#include <millrace/core/result.hpp>

millrace::Result<void> make_durable();

bool run() {
#if defined(MUST_NOT_COMPILE)
  make_durable();
  return true;
#else
  return make_durable().has_value();
#endif
}
