#include "testing/disk_content.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace millrace::inline v0::testing::disk {
namespace {

constexpr Page zero_page{};

const Page& bytes_of(const PagePtr& page) noexcept {
  return page == nullptr ? zero_page : *page;
}

std::size_t pages_for(std::uint64_t bytes) noexcept {
  return static_cast<std::size_t>((bytes + page_bytes - 1) / page_bytes);
}

// The first page at or after `index` that may hold data; `count` if none does.
std::size_t next_data_page(const os::File& file, std::size_t index, std::size_t count) {
  const off_t found = ::lseek(file.descriptor(), static_cast<off_t>(index * page_bytes), SEEK_DATA);
  if (found >= 0) return std::max(index, static_cast<std::size_t>(found) / page_bytes);
  return errno == ENXIO ? count : index;
}

}  // namespace

const PagePtr& Content::page(std::size_t index) const noexcept {
  static const PagePtr none;
  return index < pages.size() ? pages[index] : none;
}

void Content::set_page(std::size_t index, PagePtr page) {
  if (index >= pages.size()) {
    if (page == nullptr) return;
    pages.resize(index + 1);
  }
  pages[index] = std::move(page);
}

const ContentPtr& empty_content() {
  static const ContentPtr empty = std::make_shared<const Content>();
  return empty;
}

bool same_page(const PagePtr& a, const PagePtr& b) noexcept {
  return a == b || std::memcmp(bytes_of(a).data(), bytes_of(b).data(), page_bytes) == 0;
}

Result<ContentPtr> capture(const os::File& file, const ContentPtr& previous) {
  auto now = std::make_shared<Content>();
  MILLRACE_TRY(now->size, file.size());
  const std::size_t count = pages_for(now->size);
  now->pages.resize(count);
  bool same = now->size == previous->size;
  std::size_t done = 0;
  for (std::size_t i = 0; i < count; ++i) {
    i = next_data_page(file, i, count);
    for (; done < i; ++done) same = same && same_page(previous->page(done), nullptr);
    if (i >= count) break;
    Page bytes{};
    MILLRACE_TRY(const std::size_t got, file.read_at(bytes, i * page_bytes));
    static_cast<void>(got);
    const PagePtr& old = previous->page(i);
    if (std::memcmp(bytes.data(), bytes_of(old).data(), page_bytes) == 0) {
      now->pages[i] = old;
    } else {
      same = false;
      if (bytes != zero_page) now->pages[i] = std::make_shared<const Page>(bytes);
    }
    done = i + 1;
  }
  return same ? previous : ContentPtr(std::move(now));
}

ContentPtr resized(const ContentPtr& content, std::uint64_t size) {
  if (content->size == size) return content;
  auto result = std::make_shared<Content>(*content);
  result->size = size;
  const std::size_t count = pages_for(size);
  if (result->pages.size() > count) result->pages.resize(count);
  const std::size_t rest = size % page_bytes;
  if (rest != 0 && result->page(count - 1) != nullptr) {
    Page last = *result->page(count - 1);
    std::fill(last.begin() + static_cast<std::ptrdiff_t>(rest), last.end(), std::byte{0});
    result->pages[count - 1] = std::make_shared<const Page>(last);
  }
  return result;
}

std::vector<std::uint64_t> differing_units(const Content& a, const Content& b,
                                           std::size_t unit_bytes) {
  std::vector<std::uint64_t> units;
  const std::size_t count = std::max(a.pages.size(), b.pages.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (a.page(i) == b.page(i)) continue;
    for (std::size_t at = 0; at < page_bytes; at += unit_bytes)
      if (std::memcmp(bytes_of(a.page(i)).data() + at, bytes_of(b.page(i)).data() + at,
                      unit_bytes) != 0)
        units.push_back((i * page_bytes + at) / unit_bytes);
  }
  return units;
}

}  // namespace millrace::inline v0::testing::disk
