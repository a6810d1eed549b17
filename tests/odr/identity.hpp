#pragma once
#include <every_header.hpp>

/// Things of which a program must have one, whoever asks.
struct Identity {
  const void* errors = &millrace::error_category();
  const void* clock = &millrace::system_clock();
  void (*raise)(const millrace::Error&) = &millrace::detail::raise;
  millrace::Bytes (*as_bytes)(std::string_view) noexcept = &millrace::as_bytes;
  friend bool operator==(const Identity&, const Identity&) = default;
};

Identity identity_in_second();
