#include <millrace/storage/file_names.hpp>

#include "catch.hpp"

using namespace millrace;
using namespace millrace::storage;

TEST_CASE("names have twenty digits and go back to their offset", "[storage][names]") {
  CHECK(file_name(Offset{42}, log_suffix) == "00000000000000000042.log");
  for (const std::int64_t offset : {std::int64_t{0}, std::int64_t{9'223'372'036'854'775'807}}) {
    CHECK(parse_file_name(file_name(Offset{offset}, time_index_suffix), time_index_suffix) ==
          Offset{offset});
  }
}

TEST_CASE("other names are none of ours", "[storage][names]") {
  for (const char* name :
       {"", ".log", "42.log", "0000000000000000004x.log", "00000000000000000042.index",
        "00000000000000000042.log.deleted", "-0000000000000000042.log", "+0000000000000000042.log",
        "99999999999999999999.log", "000000000000000000042.log"}) {
    INFO(name);
    CHECK_FALSE(parse_file_name(name, log_suffix));
  }
}
