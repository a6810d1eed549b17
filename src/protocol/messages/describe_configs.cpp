#include <millrace/protocol/messages/describe_configs.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DescribeConfigsRequest::Resource& m) {
  io("ResourceType", m.resource_type);
  io("ResourceName", m.resource_name);
  io("ConfigurationKeys", m.configuration_keys);
}

template <typename Io>
void describe(Io& io, DescribeConfigsRequest& m) {
  io("Resources", m.resources);
  io("IncludeSynonyms", m.include_synonyms, since(1));
  io("IncludeDocumentation", m.include_documentation, since(3));
}

template <typename Io>
void describe(Io& io, DescribeConfigsResponse::Synonym& m) {
  io("Name", m.name);
  io("Value", m.value);
  io("Source", m.source);
}

template <typename Io>
void describe(Io& io, DescribeConfigsResponse::Config& m) {
  io("Name", m.name);
  io("Value", m.value);
  io("ReadOnly", m.read_only);
  io("IsDefault", m.is_default, until(0));
  io("ConfigSource", m.config_source, since(1));
  io("IsSensitive", m.is_sensitive);
  io("Synonyms", m.synonyms, since(1));
  io("ConfigType", m.config_type, since(3));
  io("Documentation", m.documentation, since(3));
}

template <typename Io>
void describe(Io& io, DescribeConfigsResponse::Result& m) {
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("ResourceType", m.resource_type);
  io("ResourceName", m.resource_name);
  io("Configs", m.configs);
}

template <typename Io>
void describe(Io& io, DescribeConfigsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("Results", m.results);
}

template struct MessageCodec<DescribeConfigsRequest>;
template struct MessageCodec<DescribeConfigsResponse>;

}  // namespace millrace::inline v0::protocol
