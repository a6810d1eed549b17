#pragma once
#include <cstdint>
#include <string>

namespace millrace::inline v0::cli::bench {

// What the second processes of the rows do; each returns an exit status.

/// Appends so much without a flush, says how many records, and waits to be killed.
int fill_and_wait(const std::string& path, std::uint64_t mebibytes);
/// Owns `own`, reads `theirs`, and answers each record there with one in its own.
int echo(const std::string& own, const std::string& theirs, const std::string& how);
/// Creates a topic of so many partitions with a record in each; waits to be killed if `die`, else
/// closes.
int make_partitions(const std::string& path, int partitions, bool die);
/// Opens the broker and says how many milliseconds and MiB that took; for `idle_seconds` more than
/// 0, then lets ten consumers wait that long and says what share of a processor that took.
int open_and_idle(const std::string& path, double idle_seconds);
/// Has 1,000 groups of 10 members, says how many MiB they take, and then, when they have idled so
/// long, what share of a processor that took.
int idle_groups(double seconds);
/// Commits 1,000 offsets for each of 1,000 groups.
int commit_offsets(const std::string& path);
/// Opens the broker and says how many milliseconds loading the groups took.
int load_offsets(const std::string& path);
/// Serves Kafka clients a topic whose segments take `bytes` twice; says where.
int serve_until_end(const std::string& path, std::uint64_t bytes);
/// The same for a log that is there already.
int serve_log_until_end(const std::string& path);
/// Sends so much of a file by sendfile(2), twice, each time when it is asked to.
int send_file_until_end(const std::string& path, std::size_t bytes);
/// Takes framed records, stores them in a file that holds such already, and sends that back.
int sink_until_end(const std::string& path, std::size_t value_bytes);

}  // namespace millrace::inline v0::cli::bench
