#pragma once
#include <millrace/topic.hpp>
#include <string>

namespace millrace::inline v0::cli {

/// Opens `path` for writing, as its owner. Says on stderr what recovery had to cut off or could not
/// read.
Result<Broker> open_as_owner(const std::string& path, bool create_if_missing);
Result<Broker> open_as_owner(const std::string& path, const BrokerOptions& options);

/// The same; but if another process owns it and lets others in, as an attachment, which asks that
/// one.
Result<Broker> open_for_appending(const std::string& path);

/// Opens `path` for reading, whoever owns it.
Result<Broker> open_for_reading(const std::string& path);

/// The topic `name`; if it is missing, the error says how to create it.
Result<Topic<Bytes, Bytes>> find_topic(const Broker& broker, const std::string& name);

/// `error` with what to do on the command line about it, if that is something special.
Error with_remedy(const Error& error, const std::string& data, const std::string& topic);

}  // namespace millrace::inline v0::cli
