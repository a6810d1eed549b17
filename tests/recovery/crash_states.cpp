#include "crash_states.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdlib>

#include "producers.hpp"
#include "temp_directory.hpp"

namespace millrace::test {
namespace {

constexpr testing::CrashMode modes[] = {
    testing::CrashMode::drop_unsynced, testing::CrashMode::keep_all,
    testing::CrashMode::random_pages, testing::CrashMode::random_sectors,
    testing::CrashMode::prefix};
constexpr const char* mode_names[] = {"drop_unsynced", "keep_all", "random_pages", "random_sectors",
                                      "prefix"};

/// A machine that lost power has another boot id: what the control file recorded must not be it.
void forget_boot_id(os::Directory& directory) {
  if (!directory.exists(storage::ControlFile::name).value()) return;
  auto file = directory.open(storage::ControlFile::name, os::OpenMode::read_write).value();
  constexpr std::uint64_t at = offsetof(storage::ControlBlock, active_file);
  if (file.size().value() < at + 16) return;
  std::array<std::byte, 16> id{};
  static_cast<void>(file.read_at(id, at).value());
  if (id == std::array<std::byte, 16>{}) return;
  for (std::byte& b : id) b = ~b;
  file.write_at(id, at).value();
}

/// MILLRACE_KEEP_CRASH names a directory for the state in which something went wrong.
void keep_for_a_look(const testing::DiskImage& image, const testing::Crash& crash) {
  const char* path = std::getenv("MILLRACE_KEEP_CRASH");
  if (path != nullptr && *path != '\0') materialize(image, crash, path);
}

bool changes_something(os::IoOp op) {
  switch (op) {
    case os::IoOp::create:
    case os::IoOp::write:
    case os::IoOp::reserve:
    case os::IoOp::resize:
    case os::IoOp::sync_data:
    case os::IoOp::sync_range:
    case os::IoOp::sync_directory:
    case os::IoOp::rename:
    case os::IoOp::remove:
      return true;
    default:
      return false;
  }
}

/// A last look at a directory after a second loss of power, through the same code path.
std::string check_second(const Moment& moment, const testing::Crash& crash, const Recipe& recipe) {
  const TempDirectory temp(TempDirectory::fast_parent());
  const std::string path = temp / "t-0";
  materialize(moment.image, crash, path);
  Ledger ledger = moment.ledger;
  Driver driver(os::open_directory(path, false).value(), ledger, recipe);
  auto wrong = open_and_check(driver, ledger, false);
  if (!wrong.empty()) return wrong;
  std::mt19937_64 rng(crash.seed);
  Ledger adopted = ledger.adopt(driver.log()).value();
  driver.kill();
  // Opening once more changes nothing.
  Driver again(os::open_directory(path, false).value(), adopted, recipe);
  wrong = open_and_check(again, adopted, true);
  if (!wrong.empty()) return "opened twice: " + wrong;
  wrong = go_on(again, adopted, rng);
  if (!wrong.empty()) return wrong;
  if (const auto closed = again.close(); !closed) return "closing: " + closed.error().message();
  wrong = open_and_check(again, adopted, true);
  return wrong.empty() ? wrong : "closed and opened: " + wrong;
}

}  // namespace

std::string describe(const testing::Crash& crash) {
  return fmt::format("crash {} with seed {}, {} names",
                     mode_names[static_cast<std::size_t>(crash.mode)], crash.seed,
                     crash.names == testing::NameChanges::ordered ? "ordered" : "independent");
}

void materialize(const testing::DiskImage& image, const testing::Crash& crash,
                 const std::string& path) {
  const auto directory = os::open_directory(path, true).value();
  image.materialize(crash, *directory).value();
  forget_boot_id(*directory);
}

std::string open_and_check(Driver& driver, const Ledger& ledger, bool exact) {
  if (const auto opened = driver.open(); !opened) return "opening: " + opened.error().message();
  if (driver.log().high_watermark() != driver.log().log_end_offset()) {
    return "something is not visible after opening";
  }
  auto wrong = ledger.check(driver.log(), exact);
  return wrong.empty() ? check_producers(driver.log()) : wrong;
}

std::string go_on(Driver& driver, Ledger& ledger, std::mt19937_64& rng) {
  for (std::uint64_t i = 0; i < 1 + rng() % 4; ++i) {
    if (const auto done = driver.append(); !done) return "appending: " + done.error().message();
  }
  if (rng() % 3 != 0) {
    if (const auto done = driver.flush(); !done) return "flushing: " + done.error().message();
    if (auto wrong = ledger.check(driver.log(), true); !wrong.empty()) return wrong;
  }
  return {};
}

void MomentKeeper::take(const std::string& where) {
  if (ledger_ == nullptr) return;
  moments_.push_back({disk_.snapshot().value(), *ledger_, where});
}

int MomentKeeper::before(const os::IoCall& call) noexcept {
  if (ledger_ != nullptr && changes_something(call.op)) {
    take(fmt::format("{}: before {} of {}", *doing_, os::name_of(call.op), call.path));
  }
  return disk_.before(call);
}

std::vector<Moment> run_recipe(const Recipe& recipe, std::size_t steps, std::string& fault,
                               const WrapHooks& wrap) {
  const TempDirectory temp(TempDirectory::fast_parent());
  const std::string path = temp / "t-0";
  static_cast<void>(os::open_directory(path, true).value());
  testing::SimulatedDisk disk(path);
  MomentKeeper keeper(disk);
  std::unique_ptr<os::IoHooks> wrapped;
  if (wrap) wrapped = wrap(keeper);
  os::IoHooks* const hooks = wrapped ? wrapped.get() : &keeper;
  Ledger ledger(recipe.options.cleanup_compact);
  Driver driver(os::open_directory(path, false, hooks).value(), ledger, recipe);
  keeper.watch(&ledger, &driver.doing());
  auto done = driver.open();
  for (std::size_t i = 0; i < steps && done && driver.fault().empty(); ++i) {
    done = driver.step();
    keeper.take("after " + driver.doing());
  }
  if (!done) fault = fmt::format("{}: {}", driver.doing(), done.error().message());
  if (fault.empty() && !driver.fault().empty()) {
    fault = fmt::format("{}: {}", driver.doing(), driver.fault());
  }
  keeper.watch(nullptr, nullptr);
  return std::move(keeper.moments());
}

std::string try_crash(const Moment& moment, const testing::Crash& crash, const Recipe& recipe,
                      std::uint64_t& states) {
  const TempDirectory temp(TempDirectory::fast_parent());
  const std::string path = temp / "t-0";
  materialize(moment.image, crash, path);
  ++states;
  const std::string story = fmt::format("{}; {}; {}: ", recipe.name, moment.doing, describe(crash));
  testing::SimulatedDisk disk(path);
  MomentKeeper keeper(disk);
  Ledger ledger = moment.ledger;
  Recipe next = recipe;
  next.seed = crash.seed;
  std::mt19937_64 rng(crash.seed);
  std::string doing = "recovery";
  {
    Driver driver(os::open_directory(path, false, &keeper).value(), ledger, next);
    keeper.watch(&ledger, &doing);
    auto wrong = open_and_check(driver, ledger, false);
    keeper.watch(nullptr, nullptr);
    if (!wrong.empty()) {
      keep_for_a_look(moment.image, crash);
      return story + wrong;
    }
    auto adopted = ledger.adopt(driver.log());
    if (!adopted) return story + adopted.error().message();
    ledger = *std::move(adopted);
    doing = "appending after recovery";
    keeper.watch(&ledger, &doing);
    wrong = go_on(driver, ledger, rng);
    keeper.take("after appending after recovery");
    keeper.watch(nullptr, nullptr);
    if (!wrong.empty()) return story + wrong;
  }
  auto& moments = keeper.moments();
  for (int i = 0; i < 2 && !moments.empty(); ++i) {
    const Moment& second = moments[rng() % moments.size()];
    const testing::Crash again = random_crash(rng);
    ++states;
    const auto wrong = check_second(second, again, next);
    if (!wrong.empty()) {
      return fmt::format("{}then {}; {}: {}", story, second.doing, describe(again), wrong);
    }
  }
  return {};
}

testing::Crash random_crash(std::mt19937_64& rng) {
  testing::Crash crash;
  crash.mode = modes[rng() % std::size(modes)];
  crash.seed = rng();
  crash.names = rng() % 2 == 0 ? testing::NameChanges::ordered : testing::NameChanges::independent;
  return crash;
}

}  // namespace millrace::test
