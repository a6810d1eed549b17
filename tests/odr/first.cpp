#include "identity.hpp"

int main() {
  return Identity{} == identity_in_second() ? 0 : 1;
}
