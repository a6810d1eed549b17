#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct DescribeClientQuotasRequest {
  static constexpr const char* name = "DescribeClientQuotasRequest";
  static constexpr ApiKey api_key = ApiKey::describe_client_quotas;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = since(1);

  struct Component {
    std::string entity_type = {};
    /// 0: the name in `match`, 1: the default, 2: any name.
    std::int8_t match_type = 0;
    std::optional<std::string> match = "";
  };

  std::vector<Component> components = {};
  bool strict = false;
};

struct DescribeClientQuotasResponse {
  static constexpr const char* name = "DescribeClientQuotasResponse";
  static constexpr ApiKey api_key = ApiKey::describe_client_quotas;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = since(1);

  struct Entity {
    std::string entity_type = {};
    /// Null is the default of the type.
    std::optional<std::string> entity_name = "";
  };

  struct Value {
    std::string key = {};
    double value = 0.0;
  };

  struct Entry {
    std::vector<Entity> entity = {};
    std::vector<Value> values = {};
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::optional<std::string> error_message = "";
  std::optional<std::vector<Entry>> entries = std::vector<Entry>();
};

}  // namespace millrace::inline v0::protocol
