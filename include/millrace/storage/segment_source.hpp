#pragma once
#include <millrace/storage/control_file.hpp>
#include <millrace/storage/segment.hpp>

namespace millrace::inline v0::storage {

/// Where a cursor gets its segments and offsets from: the log of this process, or another process's
/// through its directory. Thread-safe.
class SegmentSource {
 public:
  virtual ~SegmentSource() = default;
  virtual const ControlBlock& control() const noexcept = 0;
  /// The segments now. Cheap to ask for only when control().segments_generation has changed.
  virtual Result<SegmentListPtr> segments() = 0;
};

}  // namespace millrace::inline v0::storage
