#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct AlterClientQuotasRequest {
  static constexpr const char* name = "AlterClientQuotasRequest";
  static constexpr ApiKey api_key = ApiKey::alter_client_quotas;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = since(1);

  struct Entity {
    std::string entity_type = {};
    /// Null is the default of the type.
    std::optional<std::string> entity_name = "";
  };

  struct Operation {
    std::string key = {};
    double value = 0.0;
    bool remove = false;
  };

  struct Entry {
    std::vector<Entity> entity = {};
    std::vector<Operation> ops = {};
  };

  std::vector<Entry> entries = {};
  bool validate_only = false;
};

struct AlterClientQuotasResponse {
  static constexpr const char* name = "AlterClientQuotasResponse";
  static constexpr ApiKey api_key = ApiKey::alter_client_quotas;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = since(1);

  struct Entity {
    std::string entity_type = {};
    /// Null is the default of the type.
    std::optional<std::string> entity_name = "";
  };

  struct Entry {
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = "";
    std::vector<Entity> entity = {};
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Entry> entries = {};
};

}  // namespace millrace::inline v0::protocol
