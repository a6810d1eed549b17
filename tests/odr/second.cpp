#include "identity.hpp"

Identity identity_in_second() {
  return {};
}
