#include <memory>

#include "commands.hpp"
#include "data_directory.hpp"
#include "group_text.hpp"
#include "json_text.hpp"
#include "remote/remote_groups.hpp"
#include "standard_streams.hpp"
#include "table.hpp"

namespace millrace::inline v0::cli {
namespace {

std::string as_json(const std::vector<GroupSummary>& groups) {
  Json list = Json::array();
  for (const GroupSummary& group : groups) {
    list.push_back({{"group", group.id},
                    {"state", group.state},
                    {"members", group.members},
                    {"assignor", group.assignor}});
  }
  return list.dump() + "\n";
}

std::string as_table(const std::vector<GroupSummary>& groups) {
  Table table({"GROUP", "STATE", "MEMBERS", "ASSIGNOR"});
  for (const GroupSummary& group : groups) {
    table.add({group.id, group.state, std::to_string(group.members), group.assignor});
  }
  return table.text();
}

Result<std::vector<GroupSummary>> groups_of(const Program& program) {
  if (!program.is_remote()) {
    MILLRACE_TRY(const Broker broker, open_for_reading(program.data()));
    return Groups(broker).list();
  }
  MILLRACE_TRY(const auto cluster, client::Cluster::connect(program.bootstrap()));
  return remote::list_groups(*cluster);
}

Result<void> list(const Program& program, bool json) {
  MILLRACE_TRY(const auto groups, groups_of(program));
  Output output;
  output.buffer() = json ? as_json(groups) : as_table(groups);
  return output.flush();
}

}  // namespace

void add_group_list(Program& program, CLI::App& group) {
  const auto json = std::make_shared<bool>(false);
  CLI::App& command = *group.add_subcommand("list", "List the consumer groups");
  command.add_flag("--json", *json, "Print one JSON array");
  program.on(
      command, [&program, json] { return list(program, *json); }, WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
