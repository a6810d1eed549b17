#pragma once
#include <functional>
#include <millrace/testing/simulated_disk.hpp>
#include <string>
#include <vector>

#include "driver.hpp"

namespace millrace::test {

/// One moment of a run at which the machine may lose power, and what must be true afterwards.
struct Moment {
  testing::DiskImage image;
  Ledger ledger;
  std::string doing;
};

/// Passes every call on to a simulated disk and keeps the moments before calls that change
/// something.
class MomentKeeper final : public os::IoHooks {
 public:
  explicit MomentKeeper(testing::SimulatedDisk& disk) : disk_(disk) {}

  /// Takes moments from now on, with copies of `ledger`; null stops.
  void watch(const Ledger* ledger, const std::string* doing) { ledger_ = ledger, doing_ = doing; }
  /// A moment by request, between calls.
  void take(const std::string& where);
  std::vector<Moment>& moments() noexcept { return moments_; }

  int before(const os::IoCall& call) noexcept override;
  void after(const os::IoCall& call) noexcept override { disk_.after(call); }
  void failed(const os::IoCall& call, int os_code) noexcept override {
    disk_.failed(call, os_code);
  }

 private:
  testing::SimulatedDisk& disk_;
  const Ledger* ledger_ = nullptr;
  const std::string* doing_ = nullptr;
  std::vector<Moment> moments_;
};

/// Makes the hooks that a run's log sees out of those that watch the disk: where a test puts in
/// something that breaks a promise.
using WrapHooks = std::function<std::unique_ptr<os::IoHooks>(os::IoHooks&)>;

/// Runs `recipe` for `steps` steps and returns its moments, the newest last. A fault that the run
/// itself meets goes to `fault`.
std::vector<Moment> run_recipe(const Recipe& recipe, std::size_t steps, std::string& fault,
                               const WrapHooks& wrap = {});

/// Loses power at `moment`, recovers, checks, goes on, loses power again, recovers, checks. Returns
/// what is wrong, empty if nothing is, and counts the states that were looked at.
std::string try_crash(const Moment& moment, const testing::Crash& crash, const Recipe& recipe,
                      std::uint64_t& states);

/// Writes what `crash` leaves of `image` to `path`, as a machine finds it that was started again.
void materialize(const testing::DiskImage& image, const testing::Crash& crash,
                 const std::string& path);

/// Opens and checks; what is wrong, empty if nothing is.
std::string open_and_check(Driver& driver, const Ledger& ledger, bool exact);

/// Some appends, and perhaps a flush; what is wrong, empty if nothing is.
std::string go_on(Driver& driver, Ledger& ledger, std::mt19937_64& rng);

/// For messages.
std::string describe(const testing::Crash& crash);

/// A crash of any mode.
testing::Crash random_crash(std::mt19937_64& rng);

}  // namespace millrace::test
