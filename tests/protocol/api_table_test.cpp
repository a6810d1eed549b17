#include <millrace/protocol/api_table.hpp>
#include <set>

#include "catch.hpp"
#include "support/message_table.hpp"
#include "support/vectors.hpp"

using namespace millrace;
using namespace millrace::protocol;
using nlohmann::json;

TEST_CASE("the table has the versions that clients were tried with", "[protocol][vectors]") {
  // Groups of the next generation are not there yet.
  const std::set<std::string> left_out = {"ConsumerGroupHeartbeat", "ConsumerGroupDescribe"};
  std::size_t listed = 0;
  const json file = test::load_vectors("../api-versions.json");
  for (const json& wanted : file.at("apis")) {
    const auto name = wanted.at("name").get<std::string>();
    INFO(name);
    const auto key = static_cast<ApiKey>(wanted.at("apiKey").get<std::int16_t>());
    const ApiRange* const api = find_api(key);
    CHECK((api == nullptr) == left_out.contains(name));
    if (api == nullptr) continue;
    ++listed;
    CHECK(api->name == name);
    CHECK(api_name(key) == name);
    CHECK(api->versions ==
          between(wanted.at("min").get<ApiVersion>(), wanted.at("max").get<ApiVersion>()));
  }
  CHECK(listed == api_table().size());
}

TEST_CASE("every API of the table has a request and a response of those versions", "[protocol]") {
  CHECK(test::all_message_kinds().size() == 2 * api_table().size());
  for (const ApiRange& api : api_table()) {
    for (const std::string suffix : {"Request", "Response"}) {
      INFO(api.name << suffix);
      const auto* kind = test::find_message_kind(std::string(api.name) + suffix);
      REQUIRE(kind != nullptr);
      CHECK(kind->api_key == api.key);
      CHECK(kind->versions == api.versions);
      CHECK(kind->flexible == api.flexible);
    }
  }
}

TEST_CASE("the table is in the order of keys", "[protocol]") {
  for (std::size_t i = 1; i < api_table().size(); ++i)
    CHECK(api_table()[i - 1].key < api_table()[i].key);
  CHECK(find_api(ApiKey{-1}) == nullptr);
  CHECK(find_api(ApiKey{4}) == nullptr);  // between brokers only
  CHECK(find_api(ApiKey{32000}) == nullptr);
  CHECK(api_name(ApiKey{4}) == "unknown API");
}
