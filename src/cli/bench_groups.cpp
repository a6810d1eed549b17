#include "bench_child.hpp"
#include "bench_children.hpp"
#include "bench_limits.hpp"
#include "bench_rows.hpp"

namespace millrace::inline v0::cli::bench {

namespace {

void add_size(std::vector<Block>& blocks, std::size_t bytes) {
  const std::string tag = size_tag(bytes);
  blocks.push_back(
      {"B", "append.nosync" + tag,
       [=](const Effort& effort, const RowSink& sink) { memory_limits(bytes, effort, sink); },
       [=](const Effort& effort, const RowSink& sink) {
         for (const std::size_t batch : {1u, 100u, 1000u}) {
           append_row({.value_bytes = bytes, .batch = batch}, effort, sink);
         }
         sustained_row(bytes, effort, sink);
         read_rows(bytes, effort, sink);
       }});
  for (const std::size_t batch : {1u, 100u, 1000u}) {
    const AppendShape shape{.value_bytes = bytes, .batch = batch, .sync = true};
    const bool alone = batch == 1;  // senders are compared with a lone one
    blocks.push_back({"B", row_of(shape),
                      [=](const Effort& effort, const RowSink& sink) {
                        sync_limit(shape, effort, sink);
                        if (alone) senders_limit(bytes, effort, sink);
                      },
                      [=](const Effort& effort, const RowSink& sink) {
                        append_row(shape, effort, sink);
                        if (alone) senders_row(bytes, effort, sink);
                      }});
  }
}

void add_two_threads(std::vector<Block>& blocks, std::size_t bytes) {
  blocks.push_back(
      {"D", "append2.nosync" + size_tag(bytes),
       [=](const Effort& effort, const RowSink& sink) { two_thread_limit(bytes, effort, sink); },
       [=](const Effort& effort, const RowSink& sink) {
         for (const std::size_t batch : {1u, 1000u}) {
           append_row({.value_bytes = bytes, .batch = batch, .threads = 2}, effort, sink);
         }
       }});
  for (const std::size_t batch : {1u, 1000u}) {
    const AppendShape shape{.value_bytes = bytes, .batch = batch, .sync = true, .threads = 2};
    blocks.push_back(
        {"D", row_of(shape),
         [=](const Effort& effort, const RowSink& sink) { sync_limit(shape, effort, sink); },
         [=](const Effort& effort, const RowSink& sink) { append_row(shape, effort, sink); }});
  }
}

void recover_rows(const Effort& effort, const RowSink& sink) {
  if (effort.round < 3) recover_row(effort.quick ? 256 : 1024, sink);
  if (effort.round == 0 && !effort.quick) recover_row(8192, sink);
}

}  // namespace

std::vector<Block> all_blocks() {
  std::vector<Block> blocks;
  for (const std::size_t bytes : {100u, 1024u}) add_size(blocks, bytes);
  blocks.push_back({"B", "produce", {}, produce_rows});
  blocks.push_back({"B", "recover_after_kill9", {}, recover_rows});
  blocks.push_back({"B", "append.paced", paced_limits, paced_rows});
  blocks.push_back({"B", "wake", wake_limits, wake_rows});
  blocks.push_back({"B", "open", {}, open_rows});
  for (const std::size_t bytes : {100u, 1024u}) add_two_threads(blocks, bytes);
  for (const std::size_t bytes : {100u, 1024u}) {
    blocks.push_back(
        {"C", "srv" + size_tag(bytes),
         [=](const Effort& effort, const RowSink& sink) { serve_limits(bytes, effort, sink); },
         [=](const Effort& effort, const RowSink& sink) { serve_rows(bytes, effort, sink); }});
  }
  blocks.push_back({"C", "srv.fetch", fetch_limits, fetch_rows});
  blocks.push_back({"E", "group.consume", consumption_limit, consumption_rows});
  blocks.push_back({"E", "group.members", {}, membership_rows});
  return blocks;
}

int run_child(const std::vector<std::string>& arguments) {
  const auto word = [&](std::size_t i) {
    return i < arguments.size() ? arguments[i] : std::string();
  };
  if (word(0) == "fill") return fill_and_wait(word(1), std::stoull(word(2)));
  if (word(0) == "echo") return echo(word(1), word(2), word(3));
  if (word(0) == "partitions")
    return make_partitions(word(1), std::stoi(word(2)), word(3) == "die");
  if (word(0) == "open") return open_and_idle(word(1), std::stod(word(2)));
  if (word(0) == "serve") return serve_until_end(word(1), std::stoull(word(2)));
  if (word(0) == "serve-log") return serve_log_until_end(word(1));
  if (word(0) == "send-file") return send_file_until_end(word(1), std::stoull(word(2)));
  if (word(0) == "sink") return sink_until_end(word(1), std::stoull(word(2)));
  if (word(0) == "idle-groups") return idle_groups(std::stod(word(1)));
  if (word(0) == "commit-offsets") return commit_offsets(word(1));
  if (word(0) == "load-offsets") return load_offsets(word(1));
  fail("this process was started for something it does not know");
}

}  // namespace millrace::inline v0::cli::bench
