#include <millrace/engine/group_commit.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <thread>

#include "catch.hpp"
#include "temp_directory.hpp"

using millrace::engine::GroupCommit;
using millrace::storage::Log;

TEST_CASE("everybody returns once durable, and many share a sync") {
  const millrace::test::TempDirectory temp;
  millrace::testing::FaultyIo io;
  const auto log =
      Log::open(millrace::os::open_directory(temp.path(), true, &io).value(), {}, {}).value();
  GroupCommit commit;
  constexpr std::int64_t threads = 8;
  constexpr std::int64_t each = 50;
  std::atomic<int> wrong{0};
  std::vector<std::thread> appenders;
  appenders.reserve(threads);
  for (int t = 0; t < threads; ++t) {
    appenders.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        const auto done =
            log->append_record(millrace::Timestamp{1}, std::nullopt, millrace::as_bytes("v"));
        if (!done || !commit.wait_for(*log, done->next_offset) ||
            log->flushed_offset() < done->next_offset) {
          wrong.fetch_add(1);
        }
      }
    });
  }
  for (auto& appender : appenders) appender.join();
  CHECK(wrong == 0);
  CHECK(log->flushed_offset() == millrace::Offset{threads * each});
}

TEST_CASE("a failed sync is everybody's error") {
  const millrace::test::TempDirectory temp;
  millrace::testing::FaultyIo io;
  const auto log =
      Log::open(millrace::os::open_directory(temp.path(), true, &io).value(), {}, {}).value();
  GroupCommit commit;
  io.fail({.os_code = EIO, .ops = {millrace::os::IoOp::sync_data}, .path_suffix = ".log"});
  std::atomic<int> errors{0};
  std::vector<std::thread> appenders;
  appenders.reserve(4);
  for (int t = 0; t < 4; ++t) {
    appenders.emplace_back([&] {
      const auto done =
          log->append_record(millrace::Timestamp{1}, std::nullopt, millrace::as_bytes("v"));
      if (!done || !commit.wait_for(*log, done->next_offset)) errors.fetch_add(1);
    });
  }
  for (auto& appender : appenders) appender.join();
  CHECK(errors == 4);
  CHECK(log->has_failed());
}
