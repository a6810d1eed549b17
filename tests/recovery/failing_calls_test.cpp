#include <fmt/format.h>

#include <array>
#include <cerrno>

#include <millrace/testing/faulty_io.hpp>

#include "campaign.hpp"
#include "catch.hpp"
#include "crash_states.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace millrace::test;

namespace {

/// How the n-th call goes wrong.
struct Sort {
  const char* name;
  int os_code;
  std::size_t short_write_bytes;
  bool for_ever;  // and every later one until the log is opened again
};

constexpr std::array sorts = {
    Sort{"EIO once", EIO, 0, false},
    Sort{"ENOSPC once", ENOSPC, 0, false},
    Sort{"EIO after a short write", EIO, 700, false},
    Sort{"ENOSPC after a short write from then on", ENOSPC, 37, true},
    Sort{"EIO from then on", EIO, 0, true},
};

/// Every call that a log takes, each more than once and in more than one state of the log.
constexpr std::array script = {
    "append",           "append",        "flush",       "append",       "append",
    "prepare",          "begin_epoch",   "roll",        "append",       "append",
    "flush_sealed",     "append",        "flush",       "kill",         "append",
    "append",           "roll",          "append",      "begin_epoch",  "close",
    "append",           "append",        "append",      "roll",         "flush",
    "compact",          "append",        "append",      "append",       "retain",
    "flush",            "delete_before", "truncate",    "append",       "flush",
    "kill",             "truncate",      "append",      "roll",         "append",
    "truncate",         "append",        "flush",       "compact",      "remove_deleted",
    "append",           "flush",         "append",      "close",        "append",
    "append",           "flush",         "append",
};

bool is_sync(os::IoOp op) {
  return op == os::IoOp::sync_data || op == os::IoOp::sync_range ||
         op == os::IoOp::sync_directory;
}

/// One run of the script in which the n-th call fails, and what follows it.
class Attempt {
 public:
  Attempt(const Recipe& recipe, const Sort& sort, std::uint64_t nth)
      : recipe_(recipe), sort_(sort), nth_(nth), ledger_(recipe.options.cleanup_compact) {
    static_cast<void>(os::open_directory(path_, true).value());
    disk_.emplace(path_);
    io_.emplace(&*disk_);
    driver_.emplace(os::open_directory(path_, false, &*io_).value(), ledger_, recipe_);
    io_->fail({.nth = nth, .os_code = sort.os_code, .for_ever = sort.for_ever,
               .short_write_bytes = sort.short_write_bytes});
  }

  /// What is wrong, empty if nothing is.
  std::string run() {
    std::string wrong = run_script();
    if (wrong.empty()) wrong = check_failed_log();
    io_->heal();
    exact_ &= !driver_->is_open() || !driver_->log().has_failed();
    driver_->kill();
    if (wrong.empty() && !failures().empty()) wrong = lose_power();
    if (wrong.empty()) wrong = reopen();
    if (wrong.empty()) return wrong;
    const std::string call = failures().empty() ? "no call" : testing::describe(failures().front());
    return fmt::format("{}; {}, n = {}, in {}: {}; {}", recipe_.name, sort_.name, nth_, where_, call,
                       wrong);
  }
  bool reached() const { return !failures().empty(); }

 private:
  std::vector<testing::FailedCall> failures() const { return io_->failures(); }

  std::string run_script() {
    if (auto wrong = open(); !wrong.empty() || !driver_->is_open()) return wrong;
    for (const std::string_view name : script) {
      const std::size_t before = failures().size();
      if (name == "kill") {
        driver_->kill();
      } else if (auto wrong = step(name); !wrong.empty()) {
        return wrong;
      }
      if (failures().size() != before && where_.empty()) where_ = driver_->doing();
      if (driver_->is_open() && driver_->log().has_failed()) return {};
      if (driver_->is_open()) continue;
      if (auto wrong = open(); !wrong.empty() || !driver_->is_open()) return wrong;
    }
    return {};
  }

  std::string step(std::string_view name) {
    const std::size_t before = failures().size();
    const auto done = name == "close" ? driver_->close() : driver_->perform(name);
    if (!done) return judge(done.error(), before);
    if (name != "flush" && name != "close") return {};
    for (std::size_t i = before; i < failures().size(); ++i) {
      if (is_sync(failures()[i].op)) return "a flush succeeded in spite of a sync that failed";
    }
    return {};
  }

  /// An open that fails may be tried again; the log stays closed if that fails, too.
  std::string open() {
    for (int i = 0; i < 2; ++i) {
      const std::size_t before = failures().size();
      const auto opened = driver_->open();
      if (opened) {
        ledger_.flushed(driver_->log().flushed_offset());
        return {};
      }
      exact_ = false;
      if (where_.empty()) where_ = "open";
      if (auto wrong = judge(opened.error(), before); !wrong.empty()) return wrong;
    }
    return sort_.for_ever ? "" : "opening failed again with nothing amiss";
  }

  std::string judge(const Error& error, std::size_t failures_before) {
    const Errc expected = sort_.os_code == ENOSPC ? Errc::no_space : Errc::io_error;
    if (driver_->is_open() && driver_->log().has_failed() && error.code() == Errc::log_failed) {
      return {};
    }
    if (failures().size() == failures_before) return "without cause: " + error.message();
    if (error.code() != expected || error.os_code() != sort_.os_code) {
      return fmt::format("an error of code {} and {}: {}", static_cast<int>(error.code()),
                         error.os_code(), error.message());
    }
    return {};
  }

  /// A log that has failed takes nothing more, but what is visible can be read.
  std::string check_failed_log() {
    if (!driver_->is_open() || !driver_->log().has_failed()) return {};
    io_->heal();
    for (const auto name : {"append", "flush", "flush_sealed", "roll"}) {
      const auto done = driver_->perform(name);
      const bool refused = !done && (done.error().code() == Errc::log_failed ||
                                     done.error().code() == Errc::closed);
      if (!refused) return fmt::format("a failed log answers {} with {}", name,
                                       done ? "success" : done.error().message());
    }
    return {};
  }

  /// The machine stops where the script did.
  std::string lose_power() {
    std::mt19937_64 rng(nth_ * 31 + static_cast<std::uint64_t>(&sort_ - sorts.data()));
    const auto image = disk_->snapshot().value();
    for (int i = 0; i < 2; ++i) {
      const TempDirectory temp(TempDirectory::fast_parent());
      const std::string path = temp / "t-0";
      const auto crash = random_crash(rng);
      materialize(image, crash, path);
      Ledger ledger = ledger_;
      Driver driver(os::open_directory(path, false).value(), ledger, recipe_);
      if (auto wrong = open_and_check(driver, ledger, false); !wrong.empty()) {
        return fmt::format("then {}: {}", describe(crash), wrong);
      }
    }
    return {};
  }

  std::string reopen() {
    if (auto wrong = open_and_check(*driver_, ledger_, exact_); !wrong.empty()) return wrong;
    Ledger adopted = ledger_.adopt(driver_->log()).value();
    driver_->kill();
    std::mt19937_64 rng(nth_);
    Driver again(os::open_directory(path_, false, &*io_).value(), adopted, recipe_);
    auto wrong = open_and_check(again, adopted, true);
    if (!wrong.empty()) return "opened twice: " + wrong;
    wrong = go_on(again, adopted, rng);
    if (!wrong.empty()) return wrong;
    if (const auto closed = again.close(); !closed) return "closing: " + closed.error().message();
    wrong = open_and_check(again, adopted, true);
    return wrong.empty() ? wrong : "closed and opened: " + wrong;
  }

  TempDirectory temp_{TempDirectory::fast_parent()};
  std::string path_ = temp_ / "t-0";
  const Recipe& recipe_;
  const Sort& sort_;
  std::uint64_t nth_;
  Ledger ledger_;
  std::optional<testing::SimulatedDisk> disk_;
  std::optional<testing::FaultyIo> io_;
  std::optional<Driver> driver_;
  bool exact_ = true;
  std::string where_;
};

/// All that a script's recipe may differ in.
Recipe recipe_of(std::uint64_t seed, storage::WritePath path, bool visible, bool compacts) {
  Recipe recipe = Recipe::from_seed(seed);
  recipe.options.segment_bytes = 6000;
  recipe.options.write_path = path;
  recipe.options.visible_on_append = visible;
  recipe.options.cleanup_compact = compacts;
  recipe.options.cleanup_delete = !compacts;
  recipe.options.retention_bytes = 6000;
  recipe.name = fmt::format("MILLRACE_SEED={}, {}, {}, {}", seed,
                            path == storage::WritePath::write ? "written" : "mapped",
                            visible ? "visible when appended" : "visible when flushed",
                            compacts ? "compacted" : "with retention");
  return recipe;
}

/// Lets every call of the script fail, `stride` apart; the first thing that goes wrong.
std::string campaign(const Recipe& recipe, std::uint64_t stride) {
  for (const Sort& sort : sorts) {
    for (std::uint64_t n = 1 + recipe.seed % stride;; n += stride) {
      Attempt attempt(recipe, sort, n);
      if (auto wrong = attempt.run(); !wrong.empty()) return wrong;
      if (!attempt.reached()) break;
    }
  }
  return {};
}

}  // namespace

TEST_CASE("whichever call fails, nothing flushed is lost and the log goes on", "[recovery][calls]") {
  const std::uint64_t seed = millrace_test::campaign_seed(1);
  const std::uint64_t stride = millrace_test::campaign_rounds(7, 1);
  for (const auto path : {storage::WritePath::write, storage::WritePath::mapped}) {
    for (const bool visible : {false, true}) {
      for (const bool compacts : {false, true}) {
        CHECK(campaign(recipe_of(seed, path, visible, compacts), stride) == "");
      }
    }
  }
}
