#include "topic_text.hpp"

#include <fmt/format.h>

#include "json_text.hpp"
#include "table.hpp"

namespace millrace::inline v0::cli {

std::string describe_as_json(const TopicDescription& topic) {
  Json one;
  one["name"] = topic.name;
  one["partitions"] = Json::array();
  for (const TopicDescription::Row& row : topic.partitions) {
    one["partitions"].push_back({{"partition", row.id},
                                 {"start_offset", row.offsets.start.value()},
                                 {"end_offset", row.offsets.end.value()},
                                 {"bytes", row.bytes}});
  }
  one["settings"] = Json::array();
  for (const engine::ConfigEntry& entry : topic.settings) {
    one["settings"].push_back({{"name", entry.name},
                               {"value", entry.value},
                               {"is_default", entry.is_default},
                               {"help", entry.help}});
  }
  return one.dump() + "\n";
}

std::string describe_as_text(const TopicDescription& topic) {
  Table partitions({"PARTITION", "START", "END", "BYTES"});
  for (const TopicDescription::Row& row : topic.partitions) {
    partitions.add({std::to_string(row.id), std::to_string(row.offsets.start.value()),
                    std::to_string(row.offsets.end.value()), std::to_string(row.bytes)});
  }
  Table settings({"SETTING", "VALUE", "FROM", "MEANING"});
  for (const engine::ConfigEntry& entry : topic.settings) {
    settings.add(
        {entry.name, entry.value, entry.is_default ? "default" : "topic", std::string(entry.help)});
  }
  return fmt::format("topic {}, {} partition{}\n\n{}\n{}", topic.name, topic.partitions.size(),
                     topic.partitions.size() == 1 ? "" : "s", partitions.text(), settings.text());
}

}  // namespace millrace::inline v0::cli
