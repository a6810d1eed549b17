#include <millrace/protocol/messages/api_versions.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, ApiVersionsRequest& m) {
  io("ClientSoftwareName", m.client_software_name, since(3));
  io("ClientSoftwareVersion", m.client_software_version, since(3));
}

template <typename Io>
void describe(Io& io, ApiVersionsResponse::Range& m) {
  io("ApiKey", m.api_key);
  io("MinVersion", m.min_version);
  io("MaxVersion", m.max_version);
}

template <typename Io>
void describe(Io& io, ApiVersionsResponse::SupportedFeature& m) {
  io("Name", m.name);
  io("MinVersion", m.min_version);
  io("MaxVersion", m.max_version);
}

template <typename Io>
void describe(Io& io, ApiVersionsResponse::FinalizedFeature& m) {
  io("Name", m.name);
  io("MaxVersionLevel", m.max_version_level);
  io("MinVersionLevel", m.min_version_level);
}

template <typename Io>
void describe(Io& io, ApiVersionsResponse& m) {
  io("ErrorCode", m.error_code);
  io("ApiKeys", m.api_keys);
  io("ThrottleTimeMs", m.throttle_time_ms, since(1));
  io.tagged(0, "SupportedFeatures", m.supported_features, since(3));
  io.tagged(1, "FinalizedFeaturesEpoch", m.finalized_features_epoch, since(3), -1);
  io.tagged(2, "FinalizedFeatures", m.finalized_features, since(3));
  io.tagged(3, "ZkMigrationReady", m.zk_migration_ready, since(3));
}

template struct MessageCodec<ApiVersionsRequest>;
template struct MessageCodec<ApiVersionsResponse>;

}  // namespace millrace::inline v0::protocol
