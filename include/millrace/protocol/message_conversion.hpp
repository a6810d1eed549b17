#pragma once
#include <cstddef>
#include <cstdint>
#include <millrace/core/bytes.hpp>
#include <millrace/core/offset.hpp>
#include <millrace/core/result.hpp>
#include <millrace/record/batch_header.hpp>
#include <optional>
#include <vector>

namespace millrace::inline v0::protocol {

struct UpConversion {
  /// Of the new batches; nullopt is that of what was sent.
  std::optional<record::Codec> codec = {};
  int level = -1;  ///< the codec's own level; -1 is its default
  /// The most that what is compressed may grow to.
  std::size_t limit_bytes = std::size_t{1} << 30;
};

/// The record batches for what a client sends with Produce up to v2: one for each run of records of
/// magic 0 or 1, with offsets from 0 on, and those that already are batches as they stand,
/// unchecked. Records of magic 0 have no time: Timestamp::none().
///
/// Errors are those of MessageSet::parse(), and Errc::invalid_record if a record claims to have the
/// time of a log's append.
Result<std::vector<std::byte>> up_convert(Bytes set, const UpConversion& options = {});

struct DownConversion {
  /// 0 for Fetch up to v1, 1 for v2 and v3.
  std::int8_t magic = 1;
  /// Records below are left out.
  Offset from{};
  /// The set ends with the record by which it is as long or longer.
  std::size_t max_bytes = std::size_t{1} << 30;
  /// The most that a compressed batch may grow to.
  std::size_t limit_bytes = std::size_t{1} << 30;
};

struct DownConverted {
  std::vector<std::byte> set;
  /// What comes next: behind the last record of the set, or, if the batches came to their end,
  /// behind the last batch. A set may be empty though batches were read; then go on from here,
  /// since a client would ask for the same again.
  Offset next_offset{};
};

/// Records of whole `batches` for clients that know no batches: uncompressed, without headers,
/// those of control batches left out. Errc::corrupt_data if a batch is cut short or its records
/// make no sense, unless records before it were converted: then the set ends there.
/// Errc::unsupported if this build lacks the codec.
Result<DownConverted> down_convert(Bytes batches, const DownConversion& options);

}  // namespace millrace::inline v0::protocol
