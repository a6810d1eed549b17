#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <millrace/core/crc32c.hpp>
#include <millrace/storage/control_file.hpp>

namespace millrace::inline v0::storage {
namespace {

std::uint32_t checksum_of(const ControlBlock& block) noexcept {
  const std::array<std::uint64_t, 11> words{
      block.magic,
      block.version,
      block.compacted.load(),
      static_cast<std::uint64_t>(block.high_watermark.load()),
      static_cast<std::uint64_t>(block.log_end_offset.load()),
      static_cast<std::uint64_t>(block.active_base_offset.load()),
      block.active_end.load(),
      static_cast<std::uint64_t>(block.flushed_offset.load()),
      static_cast<std::uint64_t>(block.log_start_offset.load()),
      static_cast<std::uint64_t>(block.producer_snapshot.load()),
      static_cast<std::uint64_t>(block.first_unsaved_offset.load())};
  return crc32c(std::as_bytes(std::span(words)));
}

}  // namespace

void store_identity(ControlBlock& block, const os::FileIdentity& identity) noexcept {
  std::uint64_t boot[2];
  std::memcpy(boot, identity.boot_id.data(), sizeof boot);
  const std::uint64_t words[] = {boot[0], boot[1], identity.device, identity.inode, identity.mount};
  for (std::size_t i = 0; i < std::size(words); ++i) block.active_file[i].store(words[i]);
}

std::array<std::uint8_t, 16> load_boot_id(const ControlBlock& block) noexcept {
  return std::bit_cast<std::array<std::uint8_t, 16>>(
      std::array{block.active_file[0].load(), block.active_file[1].load()});
}

os::FileIdentity load_identity(const ControlBlock& block) noexcept {
  os::FileIdentity identity;
  identity.boot_id = load_boot_id(block);
  identity.device = block.active_file[2].load();
  identity.inode = block.active_file[3].load();
  identity.mount = block.active_file[4].load();
  return identity;
}

Result<ControlFile> ControlFile::open_owner(const os::DirectoryPtr& directory) {
  ControlFile control;
  bool is_complete = true;
  auto mapped = [&]() -> Result<os::Mapping> {
    auto file = directory->open(name, os::OpenMode::read_write);
    if (!file && file.error().os_code() == ENOENT) {
      is_complete = false;
      file = directory->open(name, os::OpenMode::create);
    }
    if (!file) return std::move(file).error();
    MILLRACE_TRY(const std::uint64_t size, file->size());
    if (size < file_bytes) {
      is_complete = false;
      MILLRACE_CHECK(file->reserve(0, file_bytes));
      MILLRACE_CHECK(file->write_zeros(0, file_bytes, file_bytes));
    }
    MILLRACE_TRY(os::Mapping map, os::Mapping::map(*file, file_bytes, os::MapMode::read_write));
    MILLRACE_CHECK(map.populate_write(0, file_bytes));
    return map;
  }();
  if (mapped) {
    control.map_ = *std::move(mapped);
    control.block_ = reinterpret_cast<ControlBlock*>(control.map_.data());
    return control;
  }
  // One that is there must not go stale while private memory stands for it.
  if (is_complete || mapped.error().code() != Errc::no_space) return std::move(mapped).error();
  control.own_ = std::make_shared<ControlBlock>();
  control.block_ = control.own_.get();
  return control;
}

Result<ControlFile> ControlFile::attach(const os::DirectoryPtr& directory) {
  ControlFile control;
  auto opened = directory->open(name, os::OpenMode::read_write);
  if (!opened && opened.error().code() == Errc::read_only) {
    control.writable_ = false;
    opened = directory->open(name, os::OpenMode::read_only);
  }
  if (!opened && opened.error().os_code() == ENOENT) {
    return Error(Errc::corrupt_data,
                 "attaching to " + directory->path() +
                     ": its control file is missing; it is rebuilt when its "
                     "owner opens it, or by millrace log repair",
                 ENOENT);
  }
  if (!opened) return std::move(opened).error();
  MILLRACE_TRY(const std::uint64_t size, opened->size());
  if (size < file_bytes) {
    return Error(Errc::corrupt_data, "control file of " + directory->path() +
                                         " is cut short; open the directory once with its owner");
  }
  MILLRACE_TRY(control.map_, os::Mapping::map(*opened, file_bytes,
                                              control.writable_ ? os::MapMode::read_write
                                                                : os::MapMode::read_only));
  MILLRACE_CHECK(control.map_.populate_read(0, file_bytes));
  control.block_ = reinterpret_cast<ControlBlock*>(control.map_.data());
  return control;
}

bool ControlFile::is_valid() const noexcept {
  return block_->magic == ControlBlock::magic_value &&
         block_->version == ControlBlock::current_version;
}

void ControlFile::initialise() noexcept {
  ControlBlock& b = *block_;
  b.state.store(static_cast<std::uint32_t>(ControlState::unknown));
  b.magic = ControlBlock::magic_value;
  b.version = ControlBlock::current_version;
  store_identity(b, {});
  b.compacted = 0;
  b.high_watermark.store(0);
  b.log_end_offset.store(0);
  b.active_base_offset.store(0);
  b.active_end.store(0);
  b.flushed_offset.store(0);
  b.log_start_offset.store(0);
  b.first_unstable_offset.store(ControlBlock::no_unstable_offset);
  b.epoch_start.store(0);
  b.leader_epoch.store(-1);
  b.delayed.store(0);
  b.producer_snapshot.store(-1);
  b.first_unsaved_offset.store(0);  // nothing is known of what stands in the log
  b.segments_generation.fetch_add(1);
}

void ControlFile::seal() noexcept {
  block_->checksum.store(checksum_of(*block_));
  block_->state.store(static_cast<std::uint32_t>(ControlState::clean));
}

bool ControlFile::is_sealed() const noexcept {
  return block_->checksum.load() == checksum_of(*block_);
}

Result<void> ControlFile::sync() const {
  if (!map_.is_mapped()) return {};
  return map_.sync(0, file_bytes);
}

}  // namespace millrace::inline v0::storage
