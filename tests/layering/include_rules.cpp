#include <array>
#include <deque>
#include <optional>
#include <set>

#include "plain_code.hpp"
#include "rules.hpp"

namespace millrace_test::layering {
namespace {

struct Room {
  std::string_view name;
  int floor;
};

/// The public root, include/millrace/*.hpp, and src/api are one room.
constexpr std::string_view public_room = "api";
constexpr std::string_view doubles_room = "testing";
constexpr std::array rooms = {
    Room{"core", 0},      Room{"record", 1},      Room{"os", 1},         Room{"storage", 2},
    Room{"protocol", 2},  Room{"transport", 2},   Room{doubles_room, 3}, Room{"engine", 3},
    Room{"cluster", 4},   Room{"coordinator", 4}, Room{"server", 5},     Room{"client", 5},
    Room{public_room, 6}, Room{"cli", 7},         Room{"streams", 7},    Room{"connect", 7}};
/// What the shipped doubles stand on.
const std::set<std::string_view> under_doubles = {"core", "os", "record", "storage"};

const Room* find_room(std::string_view name) {
  for (const Room& room : rooms) {
    if (room.name == name) return &room;
  }
  return nullptr;
}

struct Include {
  std::string name;      // as written
  std::string resolved;  // the path in the tree, empty if it is none of ours
  std::size_t line;
};

std::string folder_of(std::string_view path) {
  return std::string(path.substr(0, path.rfind('/') + 1));
}

/// The room of a path below include/millrace or src; nullptr if it stands in none.
const Room* room_of(std::string_view path) {
  for (const std::string_view top : {"include/millrace/", "src/"}) {
    if (!path.starts_with(top)) continue;
    const std::string_view rest = path.substr(top.size());
    const std::size_t slash = rest.find('/');
    if (slash != std::string_view::npos) return find_room(rest.substr(0, slash));
    return top == "src/" ? nullptr : find_room(public_room);
  }
  return nullptr;
}

std::string resolve(const SourceTree& tree, std::string_view from, std::string_view name) {
  for (const std::string& folder :
       {folder_of(from), std::string("include/"), std::string("src/")}) {
    std::string path =
        std::filesystem::path(folder + std::string(name)).lexically_normal().generic_string();
    if (tree.files.count(path) != 0) return path;
  }
  if (name.starts_with("millrace/")) return "include/" + std::string(name);
  const Room* room = find_room(name.substr(0, name.find('/')));
  return room != nullptr ? "src/" + std::string(name) : std::string();
}

std::optional<std::string> included_name(std::string_view line) {
  std::size_t at = line.find_first_not_of(" \t");
  if (at == std::string_view::npos || line[at] != '#') return {};
  at = line.find_first_not_of(" \t", at + 1);
  if (at == std::string_view::npos || !line.substr(at).starts_with("include")) return {};
  const std::size_t open = line.find_first_of("<\"", at);
  if (open == std::string_view::npos) return {};
  const std::size_t close = line.find(line[open] == '<' ? '>' : '"', open + 1);
  if (close == std::string_view::npos) return {};
  return std::string(line.substr(open + 1, close - open - 1));
}

std::vector<Include> includes_of(const SourceTree& tree, const std::string& path) {
  std::vector<Include> result;
  const std::string text = without_comments(tree.files.at(path), Literals::keep);
  std::size_t number = 1;
  for (std::size_t start = 0; start < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const auto name = included_name(std::string_view(text).substr(start, end - start));
    if (name) result.push_back({*name, resolve(tree, path, *name), number});
    start = end + 1;
  }
  return result;
}

/// Empty if `from` may include `to`.
std::string floor_objection(const Room& from, const Room& to) {
  const auto named = [](const Room& room) {
    return std::string(room.name) + " (floor " + std::to_string(room.floor) + ")";
  };
  if (from.name == to.name) return {};
  if (to.name == doubles_room) return "only tests include the doubles of testing";
  if (from.name == doubles_room) {
    return under_doubles.count(to.name) != 0 ? "" : "testing may not include " + named(to);
  }
  if (to.floor > from.floor) return named(from) + " climbs to " + named(to);
  if (to.floor == from.floor) return named(from) + " includes its sibling " + named(to);
  return {};
}

std::string boost_objection(const Room& from, std::string_view name) {
  if (!name.starts_with("boost/")) return {};
  const std::string room(from.name);
  if (from.name == "core" && !name.starts_with("boost/endian")) {
    return "core includes no Boost but Endian";
  }
  if (name.starts_with("boost/interprocess") && from.name != "os") {
    return room + " includes Boost.Interprocess, which is for os";
  }
  if (name.starts_with("boost/asio") && from.name != "transport" && from.name != "server") {
    return room + " includes Boost.Asio, which is for transport and server";
  }
  return {};
}

/// Who embeds the log alone has no OpenSSL.
bool may_encrypt(std::string_view path) {
  return path.starts_with("src/transport/") || path.starts_with("src/server/security/");
}

bool is_system_header(std::string_view name) {
  static const std::set<std::string_view> names = {
      "unistd.h", "fcntl.h", "poll.h",  "pthread.h", "sched.h",     "signal.h",   "dirent.h",
      "dlfcn.h",  "spawn.h", "netdb.h", "mqueue.h",  "semaphore.h", "syslog.h",   "termios.h",
      "pwd.h",    "aio.h",   "ftw.h",   "glob.h",    "windows.h",   "winsock2.h", "io.h"};
  for (const std::string_view folder : {"sys/", "linux/", "netinet/", "arpa/", "asm/", "net/"}) {
    if (name.starts_with(folder)) return true;
  }
  return names.count(name) != 0 || name.starts_with("boost/interprocess") ||
         name.starts_with("boost/asio");
}

bool is_public_header(std::string_view path) {
  return path.starts_with("include/") && room_of(path) == find_room(public_room);
}

/// Follows our own headers from a public one; every system header on the way is a finding.
void check_public_header(const SourceTree& tree, const std::string& path,
                         std::vector<Finding>& findings) {
  std::set<std::string> seen = {path};
  std::deque<std::string> open = {path};
  for (; !open.empty(); open.pop_front()) {
    for (const Include& include : includes_of(tree, open.front())) {
      if (is_system_header(include.name)) {
        const std::string through = open.front() == path ? "" : " through " + open.front();
        findings.push_back({"public-system", path, open.front() == path ? include.line : 0,
                            "a public header includes <" + include.name + ">" + through});
      } else if (tree.files.count(include.resolved) != 0 && seen.insert(include.resolved).second) {
        open.push_back(include.resolved);
      }
    }
  }
}

}  // namespace

void check_includes(const SourceTree& tree, std::vector<Finding>& findings) {
  for (const auto& [path, text] : tree.files) {
    if (!path.starts_with("include/") && !path.starts_with("src/")) continue;
    const Room* from = room_of(path);
    if (from == nullptr) {
      findings.push_back({"room", path, 0, "stands in no room of the house"});
      continue;
    }
    for (const Include& include : includes_of(tree, path)) {
      const Room* to = room_of(include.resolved);
      const std::string floor = to == nullptr ? "" : floor_objection(*from, *to);
      const std::string boost = boost_objection(*from, include.name);
      if (!floor.empty()) findings.push_back({"floor", path, include.line, floor});
      if (include.name.starts_with("openssl/") && !may_encrypt(path)) {
        findings.push_back({"openssl", path, include.line,
                            "includes OpenSSL, which is for transport and server/security"});
      }
      if (!boost.empty()) findings.push_back({"boost", path, include.line, boost});
    }
    if (is_public_header(path)) check_public_header(tree, path, findings);
  }
}

}  // namespace millrace_test::layering
