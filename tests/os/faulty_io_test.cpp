#include <millrace/os/directory.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <thread>

#include "catch.hpp"

using namespace millrace;
using os::IoOp;
using os::OpenMode;
using testing::FaultyIo;

namespace {

/// A small program: what it returns is what it claims to have done.
bool save(os::Directory& directory) {
  auto file = directory.open("save", OpenMode::replace);
  return file && file->write_at(as_bytes("12345678"), 0) && file->sync() && directory.sync();
}

}  // namespace

TEST_CASE("a fault strikes the n-th call of its kind, once", "[os][faulty_io]") {
  FaultyIo io;
  const auto directory = os::make_memory_directory(&io);
  auto a = directory->open("a.log", OpenMode::create).value();
  auto b = directory->open("b.index", OpenMode::create).value();
  io.fail({.nth = 2, .os_code = ENOSPC, .ops = {IoOp::write, IoOp::resize}, .path_suffix = ".log"});
  a.write_at(as_bytes("x"), 0).value();
  b.write_at(as_bytes("x"), 0).value();
  b.write_at(as_bytes("x"), 0).value();
  a.sync().value();
  CHECK(a.resize(10).error().os_code() == ENOSPC);
  a.resize(10).value();
  REQUIRE(io.failures().size() == 1);
  const auto failure = io.failures()[0];
  CHECK(failure.op == IoOp::resize);
  CHECK(failure.path == "a.log");
  CHECK(failure.length == 10);
  CHECK(failure.os_code == ENOSPC);
  CHECK(failure.number == io.calls() - 1);
  CHECK(describe(failure) ==
        "call " + std::to_string(failure.number) + ", resize of 10 bytes at 0 of a.log: errno 28");
  CHECK(io.calls(IoOp::write) == 3);
  CHECK(io.calls(IoOp::rename) == 0);
}

TEST_CASE("a fault for ever lasts until it is healed", "[os][faulty_io]") {
  FaultyIo io;
  const auto directory = os::make_memory_directory(&io);
  auto file = directory->open("x", OpenMode::create).value();
  io.fail({.nth = 2, .ops = {IoOp::sync_data}, .for_ever = true});
  file.sync().value();
  for (int i = 0; i < 3; ++i) CHECK(file.sync().error().os_code() == EIO);
  io.heal();
  file.sync().value();
  CHECK(io.failures().size() == 3);
}

TEST_CASE("a campaign sees every call of a program fail once", "[os][faulty_io]") {
  std::vector<IoOp> failed;
  for (std::uint64_t nth = 1; nth < 100; ++nth) {
    FaultyIo io;
    io.fail({.nth = nth});
    const auto directory = os::make_memory_directory(&io);
    const bool claimed = save(*directory);
    if (io.failures().empty()) {
      CHECK(claimed);
      break;
    }
    CHECK_FALSE(claimed);
    failed.push_back(io.failures()[0].op);
  }
  CHECK(failed == std::vector{IoOp::create, IoOp::write, IoOp::sync_data, IoOp::sync_directory});
}

TEST_CASE("a chosen short write stays in the file, each thread's own", "[os][faulty_io]") {
  FaultyIo io;
  const auto directory = os::make_memory_directory(&io);
  auto a = directory->open("a", OpenMode::create).value();
  auto b = directory->open("b", OpenMode::create).value();
  io.fail({.ops = {IoOp::write}, .path_suffix = "a", .for_ever = true, .short_write_bytes = 3});
  io.fail({.ops = {IoOp::write}, .path_suffix = "b", .for_ever = true, .short_write_bytes = 5});
  std::thread other([&] {
    for (std::uint64_t i = 0; i < 200; ++i) static_cast<void>(b.write_at(as_bytes("12345678"), 0));
  });
  for (std::uint64_t i = 0; i < 200; ++i) static_cast<void>(a.write_at(as_bytes("12345678"), 0));
  other.join();
  CHECK(a.read_all().value() == "123");
  CHECK(b.read_all().value() == "12345");
  CHECK(io.failures().size() == 400);
}

TEST_CASE("faults can be stacked on other hooks", "[os][faulty_io]") {
  FaultyIo below;
  FaultyIo io(&below);
  const auto directory = os::make_memory_directory(&io);
  auto file = directory->open("x", OpenMode::create).value();
  below.fail({.os_code = EDQUOT, .ops = {IoOp::write}, .short_write_bytes = 2});
  CHECK(file.write_at(as_bytes("abc"), 0).error().code() == Errc::no_space);
  CHECK(file.read_all().value() == "ab");
  CHECK(io.failures().empty());
  const auto seen = below.calls(IoOp::sync_data);
  io.fail({.ops = {IoOp::sync_data}});
  CHECK_FALSE(file.sync().has_value());
  CHECK(below.calls(IoOp::sync_data) == seen);
}

TEST_CASE("every kind of call has a name", "[os][io_hooks]") {
  for (auto op = IoOp::open; op <= IoOp::drop_cache;
       op = static_cast<IoOp>(static_cast<int>(op) + 1))
    CHECK(os::name_of(op) != "unknown");
  CHECK(os::name_of(static_cast<IoOp>(200)) == "unknown");
}
