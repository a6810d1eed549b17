#pragma once
#include "bench_rows.hpp"

namespace millrace::inline v0::cli::bench {

// What this machine can do at best, with no more machinery than it takes. Each gives its rows to
// the sink under `limit/`.

/// append.nosync, scan and get: framed records stored into a populated mapping, over and over; a
/// walk that checks each CRC; reads by a dense array of positions.
void memory_limits(std::size_t value_bytes, const Effort& effort, const RowSink& sink);
/// append2.nosync: the same by two threads in two files.
void two_thread_limit(std::size_t value_bytes, const Effort& effort, const RowSink& sink);
/// append.sync and append2.sync: a batch of framed records by one pwrite() into blocks that were
/// written before, and fdatasync().
void sync_limit(const AppendShape& shape, const Effort& effort, const RowSink& sink);
/// senders64.sync: 64 threads that each hand over a record and sleep on one futex word, while one
/// more writes what there is, syncs it and wakes them all.
void senders_limit(std::size_t value_bytes, const Effort& effort, const RowSink& sink);
/// append.paced: records stored into a map at 100 MB/s while another thread calls msync() on what
/// is new every 10 ms.
void paced_limits(const Effort& effort, const RowSink& sink);
/// wake: a word in shared memory that goes back and forth, with futex(2) or by spinning.
void wake_limits(const Effort& effort, const RowSink& sink);
/// srv.publish and srv.consume: framed records over a TCP connection to a process that stores them
/// in a map and acknowledges with a number, and that map back through the connection.
void serve_limits(std::size_t value_bytes, const Effort& effort, const RowSink& sink);
/// srv.fetch: a file that goes through a TCP connection by sendfile(2), first from the disk, then
/// from the page cache.
void fetch_limits(const Effort& effort, const RowSink& sink);

}  // namespace millrace::inline v0::cli::bench
