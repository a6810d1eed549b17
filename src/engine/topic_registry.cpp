#include <algorithm>
#include <charconv>
#include <millrace/engine/topic_name.hpp>
#include <millrace/engine/topic_registry.hpp>
#include <millrace/storage/checkpoint.hpp>
#include <random>

namespace millrace::inline v0::engine::registry {
namespace {

/// `%`, space, `=` and control characters as %XX, so that a line splits at spaces.
std::string escape(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (u <= ' ' || c == '%' || c == '=' || u == 0x7f) {
      out += '%';
      out += digits[u >> 4];
      out += digits[u & 15];
    } else {
      out += c;
    }
  }
  return out;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const auto parsed = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
    if (parsed.ptr != text.data() + i + 3) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

std::optional<std::string> property(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == '=') {
      return std::string(line.substr(name.size() + 1));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

Result<void> create_meta(const os::DirectoryPtr& directory) {
  return directory->replace_file(
      meta_file, "version=1\ncluster.id=" + make_uuid() + "\nnode.id=0\ndirectory.id=" +
                     make_uuid() + "\nmillrace.format=" + std::to_string(current_format) + "\n");
}

}  // namespace

std::optional<TopicEntry> parse_topic(std::string_view line) {
  const auto text = storage::without_checksum(line);
  if (!text) return std::nullopt;
  const auto words = split(*text);
  if (words.size() < 3 || !check_topic_name(words[0])) return std::nullopt;
  TopicEntry entry;
  entry.name = words[0];
  const auto& count = words[1];
  const auto parsed = std::from_chars(count.data(), count.data() + count.size(), entry.partitions);
  if (parsed.ptr != count.data() + count.size() || entry.partitions < 1) return std::nullopt;
  entry.id = words[2];
  for (std::size_t i = 3; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto value = unescape(words[i].substr(equals + 1));
    if (!value) return std::nullopt;
    entry.config.emplace(words[i].substr(0, equals), *value);
  }
  return entry;
}

std::string format_topic(const TopicEntry& topic) {
  std::string line = topic.name + " " + std::to_string(topic.partitions) + " " + topic.id;
  for (const auto& [name, value] : topic.config) line += " " + name + "=" + escape(value);
  return storage::with_checksum(std::move(line));
}

std::string make_uuid() {
  static constexpr char alphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::random_device random;
  std::string id;
  for (int i = 0; i < 21; ++i) id += alphabet[random() % 64];
  // 128 bits fill 21 characters and a quarter: the last one has four values only.
  id += "AQgw"[random() % 4];
  if (id.front() == '-') id.front() = 'A';
  return id;
}

Result<std::string> load_cluster_id(const os::DirectoryPtr& directory) {
  MILLRACE_TRY(const std::string text, directory->read_file(meta_file));
  return property(text, "cluster.id").value_or(std::string());
}

Result<bool> check_meta(const os::DirectoryPtr& directory) {
  MILLRACE_TRY(const bool exists, directory->exists(meta_file));
  if (!exists) {
    MILLRACE_TRY(const auto entries, directory->list());
    const bool is_empty = std::all_of(entries.begin(), entries.end(), [](const auto& entry) {
      return entry.name == "lost+found" || entry.name == lock_file ||
             entry.name == std::string(meta_file) + ".tmp";
    });
    if (is_empty) return false;
    return Error(Errc::foreign_directory,
                 directory->path() + " is not a millrace data directory: it has files but no " +
                     meta_file +
                     "; give a data directory, or an empty or new one to make it there");
  }
  MILLRACE_TRY(const std::string text, directory->read_file(meta_file));
  const auto format = property(text, "millrace.format");
  if (!format) {
    return Error(Errc::foreign_directory,
                 directory->path() + " belongs to something else: its " + meta_file +
                     " has no millrace.format (Kafka's own directories have none); give another "
                     "directory");
  }
  int number = 0;
  const auto parsed = std::from_chars(format->data(), format->data() + format->size(), number);
  if (parsed.ptr != format->data() + format->size() || number < 1) {
    return Error(Errc::corrupt_data, "reading " + std::string(meta_file) + " in " +
                                         directory->path() + ": its millrace.format is \"" +
                                         *format + "\"; make it " + std::to_string(current_format) +
                                         " again");
  }
  if (number > current_format) {
    return Error(Errc::newer_format, directory->path() + " was written in format " + *format +
                                         " by its " + meta_file + ", this millrace knows up to " +
                                         std::to_string(current_format) + "; use a newer one");
  }
  return true;
}

Result<void> check_or_create_meta(const os::DirectoryPtr& directory, bool create) {
  MILLRACE_TRY(const bool is_ours, check_meta(directory));
  if (is_ours) return {};
  if (create) return create_meta(directory);
  return Error(Errc::foreign_directory,
               directory->path() + " is empty: there are no topics in it yet; create one first");
}

Result<std::vector<TopicEntry>> load_topics(const os::DirectoryPtr& directory) {
  std::vector<TopicEntry> topics;
  MILLRACE_TRY(const bool exists, directory->exists(topics_file));
  if (!exists) return topics;
  MILLRACE_TRY(const std::string text, directory->read_file(topics_file));
  const auto damaged = [&](const std::string& what) {
    return Error(Errc::corrupt_data,
                 "reading the file \"" + std::string(topics_file) + "\" in " + directory->path() +
                     ": it " + what +
                     "; restore it from a copy (the records are in the partitions' directories "
                     "and are not touched)");
  };
  const auto lines = storage::parse_checkpoint(text, topics_file);
  if (!lines) return damaged("is cut short or damaged at its top");
  for (const std::string& line : *lines) {
    auto entry = parse_topic(line);
    if (!entry) return damaged("has a damaged line: \"" + line.substr(0, 80) + "\"");
    topics.push_back(*std::move(entry));
  }
  return topics;
}

Result<void> save_topics(const os::DirectoryPtr& directory, const std::vector<TopicEntry>& topics) {
  std::vector<std::string> lines;
  lines.reserve(topics.size());
  for (const TopicEntry& topic : topics) lines.push_back(format_topic(topic));
  return directory->replace_file(topics_file, storage::format_checkpoint(lines));
}

}  // namespace millrace::inline v0::engine::registry
