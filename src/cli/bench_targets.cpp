#include <fmt/format.h>

#include "bench_report.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

struct Ratio {
  const char* row;
  const char* limit;
  double small;  ///< at 100 B
  double large;  ///< at 1 KiB
};

constexpr Ratio rates[] = {
    {"append.nosync.b1", "append.nosync", 0.20, 0.20},
    {"append.nosync.b100", "append.nosync", 0.60, 0.70},
    {"append.nosync.b1000", "append.nosync", 0.75, 0.70},
    {"append.sync.b1", "append.sync.b1", 0.95, 0.95},
    {"append.sync.b100", "append.sync.b100", 0.85, 0.85},
    {"append.sync.b1000", "append.sync.b1000", 0.75, 0.75},
    {"append2.nosync.b1000", "append2.nosync", 0.6, 0.6},
    {"append2.sync.b1", "append2.sync.b1", 0.9, 0.9},
    {"scan", "scan", 0.45, 0.80},
    {"get", "get", 0.18, 0.6},
    {"srv.publish.w1", "srv.publish.w1", 0.9, 0.9},
    {"srv.publish.w1000", "srv.publish.w1000", 0.25, 0.4},
    {"srv.consume", "srv.consume", 0.35, 0.7},
};

}  // namespace

std::vector<Target> all_targets() {
  std::vector<Target> targets;
  const std::string ours = "millrace/";
  const std::string limit = "limit/";
  for (const Ratio& rate : rates) {
    for (const auto& [tag, bound] : {std::pair{"/100B", rate.small}, {"/1024B", rate.large}}) {
      targets.push_back({fmt::format("{}{}{}", ours, rate.row, tag),
                         fmt::format("{}{}{}", limit, rate.limit, tag), bound});
    }
  }
  for (const char* tag : {"/100B", "/1024B"}) {
    targets.push_back({fmt::format("{}senders64.sync{}", ours, tag),
                       fmt::format("{}append.sync.b1{}", ours, tag), 30});
  }
  for (const std::string policy : {"nosync", "sync"}) {
    const std::string row = ours + "produce." + policy;
    targets.push_back({row + ".idempotent/100B", row + ".plain/100B", 0.97});
    targets.push_back({row + ".transactional/100B", row + ".plain/100B", 0.85});
  }
  targets.push_back({ours + "group.consume/100B", limit + "group.consume/100B", 0.8});
  for (const std::string row : {"srv.fetch.cold", "srv.fetch.warm"}) {
    targets.push_back({ours + row, limit + row, 0.8});
  }
  const auto at_most = [&](const char* row, double bound, const char* against = "") {
    targets.push_back(
        {ours + row, *against == '\0' ? std::string() : limit + against, bound, false});
  };
  at_most("space/100B", 112);
  at_most("recover_after_kill9/1024B", 10);
  at_most("recover_after_kill9.8GiB/1024B", 10);
  at_most("append.paced.p99.9/1024B", 10);
  at_most("wake.thread.blocked/100B", 1.3, "wake.thread.blocked/100B");
  at_most("wake.process.blocked/100B", 1.3, "wake.process.blocked/100B");
  at_most("wake.process.spin/100B", 2, "wake.process.spin/100B");
  at_most("open.memory/us", 1000);
  at_most("open.1000_partitions/ms", 100);
  at_most("open.1000_partitions/rss", 64);
  at_most("idle.1000_partitions/cpu", 0.5);
  at_most("group.join.p99/ms", 5);
  at_most("group.takeover.leave.p99/ms", 10);
  at_most("group.takeover.death.p99/ms", 10);
  at_most("group.idle.1000x10/rss", 100);
  at_most("group.idle.1000x10/cpu", 1);
  at_most("group.load_1M_offsets/ms", 1000);
  return targets;
}

}  // namespace millrace::inline v0::cli::bench
