#include <millrace/os/io_hooks.hpp>

namespace millrace::inline v0::os {

std::string_view name_of(IoOp op) noexcept {
  switch (op) {
    case IoOp::open:
      return "open";
    case IoOp::create:
      return "create";
    case IoOp::read:
      return "read";
    case IoOp::write:
      return "write";
    case IoOp::reserve:
      return "reserve";
    case IoOp::resize:
      return "resize";
    case IoOp::sync_data:
      return "sync_data";
    case IoOp::sync_range:
      return "sync_range";
    case IoOp::sync_directory:
      return "sync_directory";
    case IoOp::rename:
      return "rename";
    case IoOp::remove:
      return "remove";
    case IoOp::list:
      return "list";
    case IoOp::create_directory:
      return "create_directory";
    case IoOp::map:
      return "map";
    case IoOp::populate:
      return "populate";
    case IoOp::lock:
      return "lock";
    case IoOp::size:
      return "size";
    case IoOp::drop_cache:
      return "drop_cache";
  }
  return "unknown";
}

}  // namespace millrace::inline v0::os
