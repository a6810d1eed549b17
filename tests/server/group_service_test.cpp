#include <millrace/server/group_service.hpp>
#include <millrace/server/local_member.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <thread>

#include "catch.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using coordinator::MemberSession;
using server::GroupService;
using server::LocalMember;

namespace {

/// A broker in memory with a topic "t" of four partitions.
struct Stand {
  testing::FaultyIo io;
  testing::ManualClock clock;
  std::shared_ptr<engine::BrokerCore> broker;
  std::shared_ptr<GroupService> service;

  explicit Stand(bool background_thread = false) {
    engine::BrokerCoreOptions options;
    options.background_thread = background_thread;
    options.clock = &clock;
    options.io_hooks = &io;
    broker = engine::BrokerCore::open(":memory:", options).value();
    static_cast<void>(broker->create_topic("t", 4, {}).value());
    service = GroupService::of(*broker).value();
  }

  std::unique_ptr<LocalMember> member(const std::string& group, std::function<void()> wake = {}) {
    MemberSession::Options options;
    options.group = group;
    options.client_host = coordinator::own_process;
    options.session_timeout = options.rebalance_timeout = 30s;
    options.assignors = {&coordinator::cooperative_sticky_assignor()};
    auto made = std::make_unique<LocalMember>(service, *broker, options, std::move(wake));
    made->subscribe({"t"});
    return made;
  }
};

coordinator::CommitRequest commit_of(std::string group, std::int64_t offset) {
  return {{std::move(group), {}, -1},
          {{{"t", 0}, {Offset{offset}, {}, "", Timestamp(1), std::nullopt}}}};
}

void settle(std::initializer_list<LocalMember*> members) {
  for (int quiet = 0; quiet < 3; ++quiet) {
    for (LocalMember* member : members) {
      if (!member->advance().empty()) quiet = -1;
    }
  }
}

std::size_t owned(const LocalMember& member) {
  return member.session().owned().size();
}

}  // namespace

TEST_CASE("There is one group service a broker", "[group_service]") {
  const Stand stand;
  CHECK(GroupService::of(*stand.broker).value() == stand.service);
  CHECK(
      stand.broker->topic(coordinator::offsets_topic).value()->entry.config.at("cleanup.policy") ==
      "compact");
}

TEST_CASE("Many threads commit at once, each durable when it returns", "[group_service]") {
  Stand stand;
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int offset = 1; offset <= 50; ++offset) {
        const std::string group = "g" + std::to_string(i);
        if (!stand.service->commit(commit_of(group, offset))) ++failed;
        const auto found = stand.service->committed(group, {"t", 0});
        if (!found || found->offset != Offset{offset}) ++failed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(failed == 0);
  for (const auto& partition :
       stand.broker->topic(coordinator::offsets_topic).value()->partitions) {
    CHECK(partition->log().flushed_offset() == partition->log().log_end_offset());
  }
}

TEST_CASE("A commit that could not be written is refused, and the next is not", "[group_service]") {
  Stand stand;
  REQUIRE(stand.service->commit(commit_of("g", 5)));
  stand.io.fail({.os_code = ENOSPC, .ops = {os::IoOp::write}, .path_suffix = ".log"});
  const auto refused = stand.service->commit(commit_of("g", 6));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::no_space);
  CHECK(refused.error().topic() == coordinator::offsets_topic);
  CHECK(stand.service->committed("g", {"t", 0})->offset == Offset{5});
  REQUIRE(stand.service->commit(commit_of("g", 7)));
  CHECK(stand.service->committed("g", {"t", 0})->offset == Offset{7});
}

TEST_CASE("Members that do not advance lose their partitions to those that do", "[group_service]") {
  Stand stand;
  const auto alive = stand.member("g");
  const auto stuck = stand.member("g");
  settle({alive.get(), stuck.get()});
  REQUIRE(owned(*alive) == 2);
  for (int i = 0; i < 3; ++i) {
    stand.clock.advance(11s);
    settle({alive.get()});
    stand.broker->run_pending();
  }
  settle({alive.get()});
  CHECK(owned(*alive) == 4);
  const auto change = stuck->advance();
  CHECK(change.lost.size() == 2);
  settle({alive.get(), stuck.get()});
  CHECK(owned(*alive) == 2);
  CHECK(owned(*stuck) == 2);
}

TEST_CASE("New partitions are shared out without anybody asking", "[group_service]") {
  Stand stand;
  const auto member = stand.member("g");
  settle({member.get()});
  CHECK(owned(*member) == 4);
  REQUIRE(stand.broker->add_partitions("t", 6));
  settle({member.get()});
  CHECK(owned(*member) == 6);
}

TEST_CASE("A member is woken when there is something to do", "[group_service]") {
  Stand stand;
  int woken = 0;
  const auto first = stand.member("g", [&] { ++woken; });
  settle({first.get()});
  woken = 0;
  const auto second = stand.member("g");
  second->advance();
  CHECK(woken == 1);
}

TEST_CASE("A group whose state cannot be written says so, and goes on later", "[group_service]") {
  Stand stand;
  stand.io.fail(
      {.os_code = ENOSPC, .ops = {os::IoOp::write}, .path_suffix = ".log", .for_ever = true});
  const auto member = stand.member("g");
  member->advance();
  auto error = member->take_error();
  REQUIRE(error);
  CHECK(error->code() == Errc::no_space);
  CHECK_FALSE(member->has_failed());
  stand.io.heal();
  settle({member.get()});
  CHECK(owned(*member) == 4);
}

TEST_CASE("A group without members can be deleted", "[group_service]") {
  Stand stand;
  auto member = stand.member("g");
  settle({member.get()});
  CHECK(stand.service->remove_group("g").error().code() == Errc::group_not_empty);
  REQUIRE(member->leave());
  REQUIRE(stand.service->remove_group("g"));
  CHECK(stand.service->remove_group("g").error().code() == Errc::unknown_group);
}

TEST_CASE("A group that cannot be deleted is still there", "[group_service]") {
  Stand stand;
  REQUIRE(stand.service->commit(commit_of("g", 5)));
  stand.io.fail({.os_code = ENOSPC, .ops = {os::IoOp::write}, .path_suffix = ".log"});
  CHECK(stand.service->remove_group("g").error().code() == Errc::no_space);
  CHECK(stand.service->committed("g", {"t", 0})->offset == Offset{5});
  REQUIRE(stand.service->remove_group("g"));
  CHECK_FALSE(stand.service->committed("g", {"t", 0}));
}

TEST_CASE("A commit that waits for the schedule comes before those that are asked for after it",
          "[group_service]") {
  Stand stand;
  std::vector<std::string> told;
  const auto later = [&](const std::string& group, std::int64_t offset) {
    stand.service->commit_later(commit_of(group, offset), [&, group](const Result<void>& result) {
      told.push_back(group + (result ? "" : " failed"));
    });
  };
  later("h", 1);
  later("g", 5);
  REQUIRE(stand.service->commit(commit_of("g", 9)));
  CHECK(stand.service->committed("g", {"t", 0})->offset == Offset{9});
  CHECK(told.empty());
  CHECK_FALSE(stand.service->committed("h", {"t", 0}));
  stand.broker->run_pending();
  CHECK(told == std::vector<std::string>{"h", "g"});
  CHECK(stand.service->committed("g", {"t", 0})->offset == Offset{9});
  CHECK(stand.service->committed("h", {"t", 0})->offset == Offset{1});
}

TEST_CASE("Offsets of a transaction come after a commit that was asked for before them",
          "[group_service]") {
  Stand stand;
  stand.service->commit_later(commit_of("g", 5), [](const Result<void>&) {});
  REQUIRE(stand.service->commit_in_transaction(commit_of("g", 9), {77, 0}));
  stand.broker->run_pending();
  const PartitionId partition = stand.service->partition_of("g");
  REQUIRE(stand.service->end_transaction(partition, {77, 0}, true));
  CHECK(stand.service->committed("g", {"t", 0})->offset == Offset{9});
}

TEST_CASE("Who leaves has committed what it asked to", "[group_service]") {
  Stand stand;
  const auto member = stand.member("g");
  settle({member.get()});
  std::vector<Errc> told;
  const auto later = [&](std::int64_t offset) {
    member->commit_later(commit_of("g", offset).offsets, [&](const Result<void>& result) {
      told.push_back(result ? Errc() : result.error().code());
    });
  };
  later(7);
  REQUIRE(member->leave());
  CHECK(stand.service->committed("g", {"t", 0})->offset == Offset{7});
  stand.broker->run_pending();
  CHECK(told == std::vector{Errc()});
}

TEST_CASE("Who is no member hears that it could not commit", "[group_service]") {
  Stand stand;
  const auto member = stand.member("g");
  std::optional<Errc> told;
  member->commit_later(commit_of("g", 1).offsets,
                       [&](const Result<void>& result) { told = result.error().code(); });
  stand.broker->run_pending();
  CHECK(told == Errc::unknown_member);
}

TEST_CASE("Who is out of the group already may leave it", "[group_service]") {
  Stand stand;
  const auto member = stand.member("g");
  settle({member.get()});
  stand.clock.advance(31s);
  stand.broker->run_pending();
  stand.service->look([](const coordinator::GroupCoordinator& groups) {
    REQUIRE(groups.group("g")->members().empty());
  });
  CHECK(member->leave());
}

TEST_CASE("Who leaves before it has joined is not waited for", "[group_service]") {
  Stand stand;
  const auto first = stand.member("g");
  settle({first.get()});
  {
    const auto second = stand.member("g");
    second->advance();  // asks to join, and is answered when the first has joined again
    REQUIRE(second->leave());
  }
  settle({first.get()});
  settle({first.get()});
  CHECK(owned(*first) == 4);
  stand.service->look([](const coordinator::GroupCoordinator& groups) {
    CHECK(groups.group("g")->members().size() == 1);
    CHECK(groups.group("g")->state() == coordinator::GroupState::stable);
  });
}
