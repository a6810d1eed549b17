#include <millrace/testing/simulated_disk.hpp>
#include <utility>

#include "testing/disk_tracker.hpp"

namespace millrace::inline v0::testing {

SimulatedDisk::SimulatedDisk(std::string root)
    : tracker_(std::make_unique<disk::Tracker>(std::move(root))) {}

SimulatedDisk::~SimulatedDisk() = default;

Result<DiskImage> SimulatedDisk::snapshot() {
  MILLRACE_TRY(disk::State state, tracker_->snapshot());
  return DiskImage(std::make_shared<const disk::State>(std::move(state)));
}

Result<void> SimulatedDisk::crash(const Crash& crash, os::Directory& target) {
  MILLRACE_TRY(const DiskImage image, snapshot());
  return image.materialize(crash, target);
}

int SimulatedDisk::before(const os::IoCall& call) noexcept {
  tracker_->before(call);
  return 0;
}

void SimulatedDisk::after(const os::IoCall& call) noexcept {
  tracker_->after(call);
}

void SimulatedDisk::failed(const os::IoCall& call, int) noexcept {
  tracker_->failed(call);
}

}  // namespace millrace::inline v0::testing
