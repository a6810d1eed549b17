#include <algorithm>
#include <charconv>
#include <limits>
#include <millrace/engine/producer_ids.hpp>
#include <millrace/storage/checkpoint.hpp>

namespace millrace::inline v0::engine {
namespace {

// The last one that has a whole block below the largest number there is.
constexpr std::int64_t largest_start =
    std::numeric_limits<std::int64_t>::max() - ProducerIds::block_size;

std::optional<std::int64_t> parse(std::string_view text) {
  const auto lines = storage::parse_checkpoint(text, ProducerIds::file_name);
  if (!lines || lines->size() != 1) return std::nullopt;
  const auto number = storage::without_checksum(lines->front());
  if (!number) return std::nullopt;
  std::int64_t value = -1;
  const auto parsed = std::from_chars(number->data(), number->data() + number->size(), value);
  if (parsed.ptr != number->data() + number->size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

ProducerIds::ProducerIds(os::DirectoryPtr directory, std::function<std::int64_t()> largest_known)
    : directory_(std::move(directory)), largest_known_(std::move(largest_known)) {}

Result<std::int64_t> ProducerIds::read(const os::DirectoryPtr& directory) {
  MILLRACE_TRY(const bool exists, directory->exists(file_name));
  if (!exists) return std::int64_t{0};
  MILLRACE_TRY(const std::string text, directory->read_file(file_name));
  if (const auto reserved = parse(text)) return *reserved;
  return Error(
      Errc::corrupt_data,
      "reading the file \"" + std::string(file_name) + "\" in " + directory->path() +
          " to give a producer its id: it is damaged; remove it (ids then go on behind "
          "those that logs and transactions know, and no record is touched), or produce with "
          "idempotent = false");
}

Result<void> ProducerIds::reserve_block() {
  if (!reserved_) {
    MILLRACE_TRY(reserved_, read(directory_));
  }
  const std::int64_t known = std::max(largest_known_(), noted_);
  const std::int64_t start = std::max(*reserved_, known < largest_start ? known + 1 : known);
  if (start > largest_start) {
    return Error(Errc::unsupported, "giving a producer its id in " + directory_->path() +
                                        ": some batch has id " + std::to_string(start) +
                                        ", and there are no larger ones; produce with "
                                        "idempotent = false");
  }
  const std::int64_t end = start + block_size;
  MILLRACE_CHECK(directory_->replace_file(
      file_name, storage::format_checkpoint({storage::with_checksum(std::to_string(end))})));
  reserved_ = end_ = end;
  next_ = start;
  return {};
}

Result<record::ProducerIdentity> ProducerIds::take() {
  const std::lock_guard lock(mutex_);
  if (closed_) {
    return Error(Errc::closed,
                 "giving a producer its id: the broker on " + directory_->path() + " is closed");
  }
  if (!returned_.empty()) {
    const record::ProducerIdentity identity = returned_.back();
    returned_.pop_back();
    return identity;
  }
  if (next_ == end_) MILLRACE_CHECK(reserve_block());
  return record::ProducerIdentity{next_++, 0, 0};
}

void ProducerIds::note(std::int64_t id) {
  const std::lock_guard lock(mutex_);
  noted_ = std::max(noted_, id);
  // The block there is has been taken without knowing of it.
  if (id >= next_) next_ = end_;
}

void ProducerIds::give_back(const record::ProducerIdentity& identity) {
  const std::lock_guard lock(mutex_);
  if (identity.epoch >= largest_epoch) return;
  returned_.push_back({identity.id, static_cast<std::int16_t>(identity.epoch + 1), 0});
}

void ProducerIds::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

}  // namespace millrace::inline v0::engine
