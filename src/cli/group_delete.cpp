#include <memory>

#include "commands.hpp"
#include "data_directory.hpp"
#include "group_text.hpp"
#include "remote/remote_groups.hpp"

namespace millrace::inline v0::cli {
namespace {

Result<void> delete_remotely(const Program& program, const std::vector<std::string>& names) {
  MILLRACE_TRY(const auto cluster, client::Cluster::connect(program.bootstrap()));
  for (const std::string& name : names) MILLRACE_CHECK(remote::describe_group(*cluster, name));
  for (const std::string& name : names) MILLRACE_CHECK(remote::remove_group(*cluster, name));
  return {};
}

Result<void> delete_all(const Program& program, const std::vector<std::string>& names) {
  if (program.is_remote()) return delete_remotely(program, names);
  MILLRACE_TRY(const Broker broker, open_as_owner(program.data(), false));
  const Groups groups(broker);
  // All or, if one is misspelt, none.
  for (const std::string& name : names) MILLRACE_CHECK(groups.describe(name));
  for (const std::string& name : names) MILLRACE_CHECK(groups.remove(name));
  return broker.close();
}

}  // namespace

void add_group_delete(Program& program, CLI::App& group) {
  const auto names = std::make_shared<std::vector<std::string>>();
  CLI::App& command =
      *group.add_subcommand("delete", "Delete groups with all that they have committed");
  command.add_option("NAME", *names, "The groups")->required();
  program.on(
      command, [&program, names] { return delete_all(program, *names); },
      WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
