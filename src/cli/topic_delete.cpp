#include <memory>

#include "commands.hpp"
#include "data_directory.hpp"
#include "remote/remote_topics.hpp"
#include "settings.hpp"

namespace millrace::inline v0::cli {
namespace {

Result<void> delete_remotely(const Program& program, const std::vector<std::string>& names) {
  MILLRACE_TRY(const auto cluster, client::Cluster::connect(program.bootstrap()));
  for (const std::string& name : names) MILLRACE_CHECK(cluster->topic(name));
  for (const std::string& name : names) MILLRACE_CHECK(remote::delete_topic(*cluster, name));
  return {};
}

Result<void> delete_all(const Program& program, const std::vector<std::string>& names) {
  if (program.is_remote()) return delete_remotely(program, names);
  MILLRACE_TRY(const Broker broker, open_as_owner(program.data(), false));
  // All or, if one is misspelt, none.
  for (const std::string& name : names) MILLRACE_CHECK(broker.describe_topic(name));
  for (const std::string& name : names) MILLRACE_CHECK(broker.delete_topic(name));
  return broker.close();
}

}  // namespace

void add_topic_delete(Program& program, CLI::App& topic) {
  const auto names = std::make_shared<std::vector<std::string>>();
  CLI::App& command = *topic.add_subcommand("delete", "Delete topics with all their records");
  command.add_option("NAME", *names, "The topics")->required()->check(topic_name());
  program.on(
      command, [&program, names] { return delete_all(program, *names); },
      WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
