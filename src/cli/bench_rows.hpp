#pragma once
#include "bench_support.hpp"

namespace millrace::inline v0::cli::bench {

/// What an append row measures.
struct AppendShape {
  std::size_t value_bytes = 100;
  std::size_t batch = 1;
  bool sync = false;  ///< flushed before it is acknowledged
  int threads = 1;    ///< each with a partition of its own
};

/// `append.sync.b100/1024B`, and the like.
std::string row_of(const AppendShape& shape);

// Each measures rows of the engine, gives them to the sink under `millrace/`, and fails if what it
// wrote does not come back.
void append_row(const AppendShape& shape, const Effort& effort, const RowSink& sink);
/// Unflushed appends with default settings over several segments.
void sustained_row(std::size_t value_bytes, const Effort& effort, const RowSink& sink);
/// One partition, flush before ack: 64 threads in send().get(), and one thread that keeps 64
/// records under way.
void senders_row(std::size_t value_bytes, const Effort& effort, const RowSink& sink);
/// Blocks of 1,000 records sent plainly, by an idempotent producer, and as a transaction each.
void produce_rows(const Effort& effort, const RowSink& sink);
/// scan, get, space.
void read_rows(std::size_t value_bytes, const Effort& effort, const RowSink& sink);
/// Open and read of the last record after a SIGKILL, with `mebibytes` unflushed.
void recover_row(std::uint64_t mebibytes, const RowSink& sink);
/// The append call at 100 MB/s with a flush every 10 ms.
void paced_rows(const Effort& effort, const RowSink& sink);
/// From an append to a reader that waits for it.
void wake_rows(const Effort& effort, const RowSink& sink);
/// An empty broker in memory, 1,000 partitions from disk, and the CPU they take when idle.
void open_rows(const Effort& effort, const RowSink& sink);
/// Two plain consumers of a topic of four partitions, and a group of two members on it.
void consumption_limit(const Effort& effort, const RowSink& sink);
void consumption_rows(const Effort& effort, const RowSink& sink);
/// Joining, taking over from who left or died, idle groups, loading committed offsets.
void membership_rows(const Effort& effort, const RowSink& sink);
/// Records sent to a broker in another process by Kafka's protocol, and read back.
void serve_rows(std::size_t value_bytes, const Effort& effort, const RowSink& sink);
/// A log fetched from a broker in another process, first from the disk, then from the page cache.
void fetch_rows(const Effort& effort, const RowSink& sink);

/// Rows that are measured right after those of the machine's limit that they are compared with.
struct Block {
  std::string_view group;  ///< of the anchors: B, C or D; E has none
  std::string name;
  std::function<void(const Effort&, const RowSink&)> limits;  ///< may be empty
  std::function<void(const Effort&, const RowSink&)> rows;
};
std::vector<Block> all_blocks();

}  // namespace millrace::inline v0::cli::bench
