#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>
#include <millrace/os/file.hpp>
#include <vector>

namespace millrace::inline v0::testing::disk {

inline constexpr std::size_t page_bytes = 4096;
inline constexpr std::size_t sector_bytes = 512;

using Page = std::array<std::byte, page_bytes>;
/// Null is a page of zeros.
using PagePtr = std::shared_ptr<const Page>;

/// The bytes of a file at one moment; those behind `size` are zero.
struct Content {
  std::uint64_t size = 0;
  std::vector<PagePtr> pages;  ///< those behind the last are zero

  const PagePtr& page(std::size_t index) const noexcept;
  void set_page(std::size_t index, PagePtr page);
};

using ContentPtr = std::shared_ptr<const Content>;

/// The content of an empty file.
const ContentPtr& empty_content();

bool same_page(const PagePtr& a, const PagePtr& b) noexcept;

/// Reads a file; shares what equals `previous` with it.
Result<ContentPtr> capture(const os::File& file, const ContentPtr& previous);

/// `content` cut at `size`, or extended to it with zeros.
ContentPtr resized(const ContentPtr& content, std::uint64_t size);

/// Which units of `unit_bytes` (a sector or a page) differ, by number, ascending.
std::vector<std::uint64_t> differing_units(const Content& a, const Content& b,
                                           std::size_t unit_bytes);

}  // namespace millrace::inline v0::testing::disk
