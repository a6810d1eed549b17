#pragma once
#include <millrace/core/bytes.hpp>
#include <vector>

namespace millrace::inline v0::protocol {

/// Clients of magic 0 computed the checksum in the header of an LZ4 frame over too many bytes. This
/// is a copy of the frame with the right one if it has that wrong one; else the copy is as it was.
std::vector<std::byte> with_sound_lz4_header(Bytes frame);

}  // namespace millrace::inline v0::protocol
