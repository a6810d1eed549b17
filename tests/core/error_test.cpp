#include <cerrno>
#include <millrace/core/error.hpp>
#include <set>

#include "catch.hpp"

using namespace millrace;

TEST_CASE("every code has a text of its own", "[error]") {
  std::set<std::string> texts;
  const int last = static_cast<int>(Errc::transaction_coordinator_fenced);
  for (int code = 1; code <= last; ++code) {
    const std::string text = error_category().message(code);
    INFO(text);
    CHECK(text != error_category().message(last + 1));
    CHECK(texts.insert(text).second);
  }
  CHECK(std::string(error_category().name()) == "millrace");
}

TEST_CASE("codes are error codes", "[error]") {
  const std::error_code code = Errc::no_space;
  CHECK(code.category() == error_category());
  CHECK(code == Errc::no_space);
  CHECK(code != Errc::io_error);
  const std::error_code from_error = Error(Errc::closed, "closed");
  CHECK(from_error == Errc::closed);
}

TEST_CASE("errors of the system keep their number and say what to do", "[error]") {
  const Error full = Error::from_os("writing 4096 bytes at 0 of t-0/x.log", ENOSPC);
  CHECK(full.code() == Errc::no_space);
  CHECK(full.os_code() == ENOSPC);
  CHECK(full.message().starts_with("writing 4096 bytes at 0 of t-0/x.log: "));
  CHECK(full.message().find("free some space") != std::string::npos);
  CHECK(Error::from_os("x", EDQUOT).code() == Errc::no_space);
  CHECK(Error::from_os("x", EROFS).code() == Errc::read_only);
  CHECK(Error::from_os("x", EACCES).code() == Errc::read_only);
  CHECK(Error::from_os("x", EIO).code() == Errc::io_error);
  CHECK(Error::from_os("x", EIO).os_code() == EIO);
}

TEST_CASE("context is added to copies", "[error]") {
  const Error plain(Errc::corrupt_data, "bad batch");
  CHECK(plain.topic().empty());
  CHECK(plain.partition() == -1);
  CHECK(plain.offsets() == OffsetRange{});
  CHECK(plain.os_code() == 0);

  const OffsetRange range{Offset{5}, Offset{9}};
  const Error placed = plain.with_offsets(range).at("orders", 3);
  CHECK(placed.code() == Errc::corrupt_data);
  CHECK(placed.message() == "orders-3: bad batch");
  CHECK(placed.topic() == "orders");
  CHECK(placed.partition() == 3);
  CHECK(placed.offsets() == range);
  // The first place counts: outer layers do not add theirs.
  CHECK(placed.at("other", 1).message() == "orders-3: bad batch");
  CHECK(plain.message() == "bad batch");
  // A partition that cannot exist is not written as if it did.
  const Error nowhere = plain.at("orders", -1);
  CHECK(nowhere.message() == "orders: bad batch");
  CHECK(nowhere.topic() == "orders");
  CHECK(nowhere.partition() == -1);
}
