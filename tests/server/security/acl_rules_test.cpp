#include "server/security/acl_rules.hpp"

#include <fstream>

#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace millrace::server;
using Catch::Contains;
using Op = Operation;

namespace {

struct Asker {
  AclRules rules;
  bool topic(const char* principal, Operation operation, std::string_view name,
             const char* host = "10.0.0.1") const {
    return rules.allows({principal, host, operation, ResourceType::topic, name});
  }
};

Asker asker(std::string_view text) {
  return {AclRules::parse(text, "rules").value()};
}

std::string objection(std::string_view text) {
  return AclRules::parse(text, "rules").error().message();
}

}  // namespace

TEST_CASE("What no rule allows is denied", "[acl]") {
  const auto ask =
      asker("# only comments\n\n   \t\nallow User:ann read topic orders # and more\r\n");
  CHECK(ask.topic("User:ann", Op::read, "orders"));
  CHECK_FALSE(ask.topic("User:ann", Op::write, "orders"));
  CHECK_FALSE(ask.topic("User:ann", Op::read, "orders2"));
  CHECK_FALSE(ask.topic("User:bob", Op::read, "orders"));
  CHECK_FALSE(ask.rules.allows({"User:ann", "h", Op::read, ResourceType::group, "orders"}));
}

TEST_CASE("A rule that denies wins, wherever it stands", "[acl]") {
  const auto ask = asker(
      "deny User:bob all topic secret\nallow User:* all topic *\n"
      "deny User:ann from 10.0.0.2 write topic prefix:sec\n");
  CHECK(ask.topic("User:bob", Op::read, "open"));
  CHECK_FALSE(ask.topic("User:bob", Op::read, "secret"));
  CHECK(ask.topic("User:ann", Op::write, "secret"));
  CHECK_FALSE(ask.topic("User:ann", Op::write, "secret", "10.0.0.2"));
  CHECK(ask.topic("User:ann", Op::read, "secret", "10.0.0.2"));
  CHECK(ask.topic("User:ann", Op::write, "open", "10.0.0.2"));
}

TEST_CASE("Who may do something may look at it", "[acl]") {
  const Operation operation = GENERATE(Op::read, Op::write, Op::remove, Op::alter);
  const std::string word = operation == Op::read     ? "read"
                           : operation == Op::write  ? "write"
                           : operation == Op::remove ? "delete"
                                                     : "alter";
  const auto ask = asker("allow User:ann " + word + " topic orders");
  CHECK(ask.topic("User:ann", operation, "orders"));
  CHECK(ask.topic("User:ann", Op::describe, "orders"));
  CHECK_FALSE(ask.topic("User:ann", Op::describe_configs, "orders"));
  const auto denied =
      asker("allow User:ann " + word + " topic orders\ndeny User:ann describe topic orders");
  CHECK(denied.topic("User:ann", operation, "orders"));
  CHECK_FALSE(denied.topic("User:ann", Op::describe, "orders"));
}

TEST_CASE("Who may alter settings may see them, who may look may not alter", "[acl]") {
  const auto ask = asker(
      "allow User:ann alter-configs topic a\nallow User:ann describe,"
      "describe-configs topic b");
  CHECK(ask.topic("User:ann", Op::describe_configs, "a"));
  CHECK_FALSE(ask.topic("User:ann", Op::describe, "a"));
  CHECK_FALSE(ask.topic("User:ann", Op::alter_configs, "b"));
  CHECK_FALSE(ask.topic("User:ann", Op::read, "b"));
}

TEST_CASE("Prefixes, all names, every type of resource, super users", "[acl]") {
  const auto ask = asker(
      "allow User:ann read group prefix:bill\nallow User:ann write transactional-id *\n"
      "allow User:ann cluster-action,idempotent-write cluster\nsuper User:root\n"
      "allow User:ann create topic prefix:");
  const auto may = [&](ResourceType type, Operation operation, std::string_view name) {
    return ask.rules.allows({"User:ann", "h", operation, type, name});
  };
  CHECK(may(ResourceType::group, Op::read, "billing"));
  CHECK(may(ResourceType::group, Op::read, "bill"));
  CHECK_FALSE(may(ResourceType::group, Op::read, "bil"));
  CHECK(may(ResourceType::transactional_id, Op::write, "anything"));
  CHECK(may(ResourceType::cluster, Op::idempotent_write, cluster_name));
  CHECK_FALSE(may(ResourceType::cluster, Op::alter, cluster_name));
  CHECK(may(ResourceType::topic, Op::create, "x"));
  CHECK(ask.topic("User:root", Op::remove, "anything"));
  CHECK(ask.rules.super_users() == std::vector<std::string>{"User:root"});
}

TEST_CASE("Whether there is any topic that may be written", "[acl]") {
  CHECK(asker("allow User:ann write topic orders").topic("User:ann", Op::write, any_topic));
  CHECK(asker("allow User:ann write topic prefix:or").topic("User:ann", Op::write, any_topic));
  CHECK_FALSE(asker("allow User:ann read topic *").topic("User:ann", Op::write, any_topic));
  CHECK_FALSE(asker("allow User:ann write topic orders\ndeny User:ann write topic *")
                  .topic("User:ann", Op::write, any_topic));
  CHECK(asker("allow User:ann write topic *\ndeny User:ann write topic orders")
            .topic("User:ann", Op::write, any_topic));
}

TEST_CASE("A rule that is not understood names file, line and remedy", "[acl]") {
  CHECK_THAT(objection("\n\npermit User:ann read topic x"),
             Contains("rules:3: 'permit' is no beginning of a rule") && Contains("allow, deny"));
  CHECK_THAT(objection("allow ann read topic x"),
             Contains("rules:1: 'ann' is no principal") && Contains("User:"));
  CHECK_THAT(objection("allow User:ann reed topic x"),
             Contains("'reed' is no operation: give one of all, read, write, create"));
  CHECK_THAT(objection("allow User:ann read table x"),
             Contains("'table' is no type of resource: give one of topic, group, cluster"));
  CHECK_THAT(objection("allow User:ann read topic"), Contains("the line ends where a name"));
  CHECK_THAT(objection("allow User:ann read topic a b"), Contains("'b' is one word too many"));
  CHECK_THAT(objection("allow User:ann describe cluster x"), Contains("'x' is one word too many"));
  CHECK_THAT(objection("super"), Contains("the line ends where a principal should follow"));
  CHECK_THAT(objection("allow User:ann from"), Contains("an address or *"));
  CHECK_THAT(objection("allow User:ann , topic x"), Contains("no operation"));
}

TEST_CASE("Rules come from a file", "[acl]") {
  const millrace::test::TempDirectory directory;
  const std::string file = directory / "rules";
  CHECK_THAT(AclRules::read(file).error().message(), Contains("cannot read") && Contains(file));
  std::ofstream(file) << "allow User:ann read topic orders";
  CHECK(AclRules::read(file).value().rules().size() == 1);
  CHECK_THAT(AclRules::read(directory.path()).error().message(), Contains("cannot read"));
}
