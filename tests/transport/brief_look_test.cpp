#include <millrace/transport/brief_look.hpp>

#include "catch.hpp"

using namespace millrace;
using transport::BriefLook;

namespace {

/// How many times it sleeps at once before it looks again.
int skipped(BriefLook& look) {
  int count = 0;
  while (!look.is_due()) ++count;
  return count;
}

}  // namespace

TEST_CASE("who looks in vain looks more seldom, until it finds something") {
  BriefLook look;
  REQUIRE(skipped(look) == 0);
  for (const int expected : {1, 3, 7, 15, 31, 63, 63, 63}) {
    look.missed();
    CHECK(skipped(look) == expected);
  }
  look.found();
  CHECK(skipped(look) == 0);
  look.missed();
  CHECK(skipped(look) == 1);
}
