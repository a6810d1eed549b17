#include <fmt/format.h>

#include <algorithm>
#include <millrace/testing/faulty_io.hpp>
#include <utility>

namespace millrace::inline v0::testing {
namespace {

bool matches(const Fault& fault, const os::IoCall& call) {
  const bool kind = fault.ops.empty() ||
                    std::find(fault.ops.begin(), fault.ops.end(), call.op) != fault.ops.end();
  return kind && call.path.ends_with(fault.path_suffix);
}

}  // namespace

std::string describe(const FailedCall& call) {
  return fmt::format("call {}, {} of {} bytes at {} of {}: errno {}", call.number,
                     os::name_of(call.op), call.length, call.position,
                     call.path.empty() ? "the root directory" : call.path, call.os_code);
}

void FaultyIo::fail(Fault fault) {
  const std::lock_guard guard(mutex_);
  faults_.push_back({std::move(fault), 0});
}

void FaultyIo::heal() {
  const std::lock_guard guard(mutex_);
  faults_.clear();
}

std::uint64_t FaultyIo::calls() const {
  const std::lock_guard guard(mutex_);
  return calls_;
}

std::uint64_t FaultyIo::calls(os::IoOp op) const {
  const std::lock_guard guard(mutex_);
  const auto found = counts_.find(op);
  return found == counts_.end() ? 0 : found->second;
}

std::vector<FailedCall> FaultyIo::failures() const {
  const std::lock_guard guard(mutex_);
  return failures_;
}

const Fault* FaultyIo::due(const os::IoCall& call) {
  const Fault* first = nullptr;
  for (Armed& armed : faults_) {
    if (!matches(armed.fault, call)) continue;
    ++armed.seen;
    const bool now =
        armed.seen == armed.fault.nth || (armed.fault.for_ever && armed.seen > armed.fault.nth);
    if (now && first == nullptr) first = &armed.fault;
  }
  return first;
}

int FaultyIo::before(const os::IoCall& call) noexcept {
  {
    const std::lock_guard guard(mutex_);
    ++calls_;
    ++counts_[call.op];
    if (const Fault* fault = due(call)) {
      failures_.push_back(
          {calls_, call.op, std::string(call.path), call.position, call.length, fault->os_code});
      short_writes_[std::this_thread::get_id()] = fault->short_write_bytes;
      return fault->os_code;
    }
    short_writes_.erase(std::this_thread::get_id());
  }
  return next_ == nullptr ? 0 : next_->before(call);
}

std::size_t FaultyIo::short_write(const os::IoCall& call) noexcept {
  {
    const std::lock_guard guard(mutex_);
    const auto ours = short_writes_.find(std::this_thread::get_id());
    if (ours != short_writes_.end()) return ours->second;
  }
  return next_ == nullptr ? 0 : next_->short_write(call);
}

void FaultyIo::after(const os::IoCall& call) noexcept {
  if (next_ != nullptr) next_->after(call);
}

void FaultyIo::failed(const os::IoCall& call, int os_code) noexcept {
  if (next_ != nullptr) next_->failed(call, os_code);
}

}  // namespace millrace::inline v0::testing
