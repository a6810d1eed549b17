#include <unistd.h>

#include <algorithm>
#include <millrace/os/directory.hpp>
#include <millrace/os/io_hooks.hpp>

#include "catch.hpp"
#include "child_process.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using os::OpenMode;

namespace {

struct Place {
  test::TempDirectory temp;
  os::DirectoryPtr directory;

  explicit Place(bool in_memory, os::IoHooks* hooks = nullptr)
      : directory(in_memory ? os::make_memory_directory(hooks)
                            : os::open_directory(temp / "root", true, hooks).value()) {}
};

std::vector<std::string> names(os::Directory& directory) {
  std::vector<std::string> found;
  for (const auto& entry : directory.list().value())
    found.push_back(entry.name + (entry.is_directory ? "/" : ""));
  std::sort(found.begin(), found.end());
  return found;
}

/// Fails every call of one kind, and keeps the paths it saw.
struct Refuse final : os::IoHooks {
  os::IoOp op;
  int code;
  std::vector<std::string> seen;

  Refuse(os::IoOp what, int os_code) : op(what), code(os_code) {}
  int before(const os::IoCall& call) noexcept override {
    seen.emplace_back(call.path);
    return call.op == op ? code : 0;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a directory opens files by mode", "[os][directory]") {
  const bool in_memory = GENERATE(false, true);
  CAPTURE(in_memory);
  const Place place(in_memory);
  os::Directory& directory = *place.directory;
  CHECK(directory.in_memory() == in_memory);

  const auto missing = directory.open("x", OpenMode::read_only);
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().os_code() == ENOENT);
  CHECK(missing.error().message().find(directory.path() + "/x") != std::string::npos);
  CHECK(directory.open("x", OpenMode::read_write).error().os_code() == ENOENT);
  CHECK_FALSE(directory.exists("x").value());

  directory.open("x", OpenMode::create).value().write_at(as_bytes("kept"), 0).value();
  CHECK(directory.exists("x").value());
  CHECK(directory.open("x", OpenMode::create).value().read_all().value() == "kept");
  CHECK(directory.read_file("x").value() == "kept");
  auto reader = directory.open("x", OpenMode::read_only).value();
  CHECK_FALSE(reader.write_at(as_bytes("no"), 0).has_value());
  CHECK(directory.open("x", OpenMode::replace).value().size().value() == 0);
  CHECK(reader.size().value() == 0);
}

TEST_CASE("a directory refuses names that are not plain", "[os][directory]") {
  const Place place(GENERATE(false, true));
  const auto name = GENERATE(as<std::string>{}, "", ".", "..", "a/b", "/", std::string("a\0b", 3),
                             std::string(256, 'x'));
  CAPTURE(name);
  os::Directory& directory = *place.directory;
  CHECK(directory.open(name, OpenMode::create).error().code() == Errc::invalid_argument);
  CHECK(directory.exists(name).error().code() == Errc::invalid_argument);
  CHECK(directory.rename("a", name).error().code() == Errc::invalid_argument);
  CHECK(directory.rename(name, "a").error().code() == Errc::invalid_argument);
  CHECK(directory.remove(name).error().code() == Errc::invalid_argument);
  CHECK(directory.subdirectory(name, true).error().code() == Errc::invalid_argument);
  CHECK(directory.remove_tree(name).error().code() == Errc::invalid_argument);
  CHECK(directory.lock(name, "me").error().code() == Errc::invalid_argument);
}

TEST_CASE("names come, move and go", "[os][directory]") {
  const Place place(GENERATE(false, true));
  os::Directory& directory = *place.directory;
  directory.open("a", OpenMode::create).value().write_at(as_bytes("A"), 0).value();
  directory.open("b", OpenMode::create).value().write_at(as_bytes("B"), 0).value();
  const auto sub = directory.subdirectory("sub", true).value();
  CHECK(sub->path() == directory.path() + "/sub");
  sub->open("c", OpenMode::create).value();
  CHECK(names(directory) == Names{"a", "b", "sub/"});

  const auto held = directory.open("b", OpenMode::read_only).value();
  directory.rename("a", "b").value();
  CHECK(directory.read_file("b").value() == "A");
  CHECK(held.read_all().value() == "B");
  CHECK(directory.rename("gone", "b").error().os_code() == ENOENT);
  directory.remove("b").value();
  directory.remove("b").value();
  CHECK(names(directory) == Names{"sub/"});

  CHECK_FALSE(directory.remove("sub").has_value());
  CHECK_FALSE(directory.open("sub", OpenMode::read_write).has_value());
  directory.rename("sub", "other").value();
  CHECK(names(*directory.subdirectory("other", false).value()) == Names{"c"});
  CHECK(directory.subdirectory("sub", false).error().os_code() == ENOENT);
  directory.sync().value();
}

TEST_CASE("a tree is removed with all it holds", "[os][directory]") {
  const bool in_memory = GENERATE(false, true);
  Refuse hooks(os::IoOp::map, 0);
  const Place place(in_memory, &hooks);
  os::Directory& directory = *place.directory;
  directory.remove_tree("none").value();
  const auto tree = directory.subdirectory("tree", true).value();
  tree->open("a", OpenMode::create).value();
  tree->subdirectory("deep", true).value()->open("b", OpenMode::create).value();
  hooks.seen.clear();
  directory.remove_tree("tree").value();
  CHECK(names(directory).empty());
  for (const char* path : {"tree/a", "tree/deep/b", "tree/deep", "tree"})
    CHECK(std::count(hooks.seen.begin(), hooks.seen.end(), path) >= 1);
}

TEST_CASE("a lock has one holder until it is let go", "[os][directory]") {
  const Place place(GENERATE(false, true));
  os::Directory& directory = *place.directory;
  {
    const auto lock = directory.lock(".lock", "process 7 (a much longer text)").value();
    CHECK(lock.is_held());
    const auto second = directory.lock(".lock", "me");
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code() == Errc::directory_locked);
    CHECK(second.error().message().find("process 7 (a much longer text)") != std::string::npos);
    CHECK(second.error().message().find("open the directory for reading only") !=
          std::string::npos);
    CHECK(second.error().message().find("this process") == std::string::npos);
    const auto same = directory.lock(".lock", "process 7 (a much longer text)");
    REQUIRE_FALSE(same.has_value());
    CHECK(same.error().code() == Errc::directory_locked);
    CHECK(same.error().message().find("which is this process") != std::string::npos);
  }
  const auto again = directory.lock(".lock", "process 8").value();
  CHECK(directory.read_file(".lock").value() == "process 8");
}

TEST_CASE("a killed process lets go of its lock", "[os][directory]") {
  const test::TempDirectory temp;
  const auto directory = os::open_directory(temp.path(), false).value();
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  test::ChildProcess child([&] {
    const auto lock = directory->lock(".lock", "the child");
    const char result = lock.has_value() ? 'y' : 'n';
    if (::write(ready[1], &result, 1) != 1) return 1;
    for (;;) ::pause();
  });
  char result = '?';
  REQUIRE(::read(ready[0], &result, 1) == 1);
  REQUIRE(result == 'y');
  const auto refused = directory->lock(".lock", "the parent");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == Errc::directory_locked);
  CHECK(refused.error().message().find("in use by the child;") != std::string::npos);
  child.kill();
  CHECK(directory->lock(".lock", "the parent").value().is_held());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("a lock is taken on a full disk too", "[os][directory]") {
  Refuse hooks(os::IoOp::write, ENOSPC);
  const Place place(GENERATE(false, true), &hooks);
  CHECK(place.directory->lock(".lock", "me").value().is_held());
}

TEST_CASE("a directory that may not be written says so", "[os][directory]") {
  const test::TempDirectory temp;
  Refuse hooks(os::IoOp::create, EROFS);
  const auto directory = os::open_directory(temp.path(), false, &hooks).value();
  const auto refused = directory->lock(".lock", "me");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code() == Errc::read_only);
  CHECK(refused.error().message().find("check the mount") != std::string::npos);
}

TEST_CASE("a small file is replaced wholly or not at all", "[os][directory]") {
  const bool in_memory = GENERATE(false, true);
  const auto failing =
      GENERATE(os::IoOp::create, os::IoOp::write, os::IoOp::sync_data, os::IoOp::rename);
  CAPTURE(in_memory, static_cast<int>(failing));
  Refuse hooks(failing, 0);
  const Place place(in_memory, &hooks);
  os::Directory& directory = *place.directory;
  directory.replace_file("x", "old").value();
  hooks.code = EIO;
  const auto refused = directory.replace_file("x", "new");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().os_code() == EIO);
  CHECK(directory.read_file("x").value() == "old");
  CHECK(names(directory) == Names{"x"});
  hooks.code = 0;
  directory.replace_file("x", "new").value();
  CHECK(directory.read_file("x").value() == "new");
}

TEST_CASE("hooks see paths relative to the root", "[os][directory]") {
  Refuse hooks(os::IoOp::map, 0);
  const Place place(GENERATE(false, true), &hooks);
  const auto sub = place.directory->subdirectory("orders-0", true).value();
  auto file = sub->open("00000000000000000000.log", OpenMode::create).value();
  hooks.seen.clear();
  file.write_at(as_bytes("x"), 0).value();
  sub->sync().value();
  place.directory->sync().value();
  CHECK(hooks.seen == Names{"orders-0/00000000000000000000.log", "orders-0", ""});
}

TEST_CASE("a missing directory is created with its parents only if asked", "[os][directory]") {
  const test::TempDirectory temp;
  CHECK(os::open_directory(temp / "a/b/c", false).error().os_code() == ENOENT);
  CHECK(os::open_directory("", true).error().code() == Errc::invalid_argument);
  CHECK(os::open_directory(temp / "a/b/c/", true).value()->path() == temp / "a/b/c");
  CHECK(os::open_directory(temp / "a/b/c", false).has_value());
  os::open_directory(temp.path(), false).value()->open("file", OpenMode::create).value();
  const auto below_file = os::open_directory(temp / "file/x", true);
  REQUIRE_FALSE(below_file.has_value());
  CHECK(below_file.error().os_code() == ENOTDIR);
}

TEST_CASE("open directories hold no descriptors", "[os][directory]") {
  const Place place(false);
  const auto open_descriptors = [] {
    const auto self = os::open_directory("/proc/self/fd", false).value();
    return self->list().value().size();
  };
  const std::size_t before = open_descriptors();
  std::vector<os::DirectoryPtr> many;
  for (int i = 0; i < 200; ++i)
    many.push_back(place.directory->subdirectory("d" + std::to_string(i), true).value());
  CHECK(open_descriptors() == before);
  many.front()->open("file", OpenMode::create).value();
  CHECK(names(*many.front()) == Names{"file"});
}

TEST_CASE("a directory does not take another of its name for itself", "[os][directory]") {
  const Place place(false);
  const auto old = place.directory->subdirectory("d", true).value();
  place.directory->rename("d", "moved").value();
  const auto again = place.directory->subdirectory("d", true).value();
  again->open("x", OpenMode::create).value();
  CHECK(old->open("x", OpenMode::read_only).error().os_code() == ENOENT);
  CHECK(old->list().error().os_code() == ENOENT);
  old->remove("x").value();
  CHECK(again->exists("x").value());
}
