#pragma once
#include <millrace/core/error.hpp>
#include <millrace/core/result.hpp>
#include <millrace/protocol/wire_error.hpp>

namespace millrace::inline v0::server {

/// What a client is told of an error of ours.
protocol::WireError to_wire(Errc code) noexcept;

template <typename T>
protocol::WireError to_wire(const Result<T>& result) noexcept {
  return result ? protocol::WireError::none : to_wire(result.error().code());
}

}  // namespace millrace::inline v0::server
