#pragma once
#include <millrace/core/result.hpp>
#include <millrace/record/batch_header.hpp>
#include <string_view>
#include <vector>

namespace millrace::inline v0::record {

/// Whether this build has the codec; none always is.
bool codec_available(Codec codec) noexcept;

/// "none", "gzip", "snappy", "lz4", "zstd": Kafka's names.
std::string_view codec_name(Codec codec) noexcept;
/// The reverse; invalid_argument, listing the names, for anything else.
Result<Codec> parse_codec(std::string_view name);

/// Appends the compressed form of `input` to `out` (which is not cleared) in Kafka's framing for
/// batches v2: gzip member, xerial snappy stream, LZ4 frame, zstd frame. `level` -1 is the default.
Result<void> compress(Codec codec, int level, Bytes input, std::vector<std::byte>& out);

/// Replaces `out` by the decompressed form. Accepts raw snappy blocks too (librdkafka writes them).
/// corrupt_data if the input is damaged or grows beyond `limit_bytes`.
Result<void> decompress(Codec codec, Bytes input, std::vector<std::byte>& out,
                        std::size_t limit_bytes);

}  // namespace millrace::inline v0::record
