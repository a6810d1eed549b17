#pragma once
#include <filesystem>

/// Writes frames of requests, and of their responses behind the header of the request: of every API
/// the least there is, of those that clients use most a full one in the first and the last version.
void write_requests(const std::filesystem::path& folder);

/// Writes message sets of magic 0 and 1, plain and with each codec.
void write_message_sets(const std::filesystem::path& folder);
