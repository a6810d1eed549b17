#include "server/kafka/metrics_page.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <millrace/protocol/api_table.hpp>

#include "server/kafka/server_state.hpp"

namespace millrace::inline v0::server {
namespace {

class Page {
 public:
  /// Those that follow are its samples.
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <typename Value>
  void add(std::string_view labels, Value value, std::string_view suffix = "") {
    const std::string braced = labels.empty() ? std::string() : fmt::format("{{{}}}", labels);
    text_ += fmt::format("{}{}{} {}\n", name_, suffix, braced, value);
  }
  void add_histogram(std::string_view labels, const DurationHistogram& histogram) {
    const auto counts = histogram.cumulative();
    const std::string comma = labels.empty() ? "" : ",";
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const bool is_last = i == DurationHistogram::bounds.size();
      const std::string bound = is_last ? "+Inf" : fmt::format("{}", DurationHistogram::bounds[i]);
      add(fmt::format("{}{}le=\"{}\"", labels, comma, bound), counts[i], "_bucket");
    }
    add(labels, histogram.seconds(), "_sum");
    add(labels, counts.back(), "_count");
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

/// A label's value with what has to be escaped in one. Clients may name things by any bytes, and
/// what is not ASCII may not be UTF-8 either, for which the whole page would be refused.
std::string quoted(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\' || c == '"')
      out += fmt::format("\\{}", c);
    else if (byte < 0x20 || byte > 0x7e)
      out += fmt::format("%{:02X}", byte);
    else
      out += c;
  }
  return out + "\"";
}

std::string label_of(const ApiMetrics& api) {
  return fmt::format("api=\"{}\"", protocol::find_api(api.key)->name);
}

void add_requests(const RequestMetrics& metrics, Page& page) {
  const auto each = [&](const auto& add) {
    for (const auto& api : metrics.all()) {
      // What nobody asked for would be most of the page.
      if (api->durations.cumulative().back() + api->refused.load() > 0) add(*api);
    }
  };
  page.begin("millrace_request_bytes_total", "counter", "Bytes of requests, without headers.");
  each([&](const ApiMetrics& api) { page.add(label_of(api), api.request_bytes.load()); });
  page.begin("millrace_response_bytes_total", "counter", "Bytes of answers.");
  each([&](const ApiMetrics& api) { page.add(label_of(api), api.response_bytes.load()); });
  page.begin("millrace_requests_refused_total", "counter",
             "Requests that closed their connection.");
  each([&](const ApiMetrics& api) { page.add(label_of(api), api.refused.load()); });
  page.begin("millrace_request_seconds", "histogram",
             "From a request to its answer, waiting for records or members included.");
  each([&](const ApiMetrics& api) { page.add_histogram(label_of(api), api.durations); });
  page.begin("millrace_flush_seconds", "histogram", "Flushes that producers waited for.");
  page.add_histogram("", metrics.flushes);
}

std::string label_of(const engine::Partition& partition) {
  return fmt::format("topic={},partition=\"{}\"", quoted(partition.topic()), partition.id());
}

void add_logs(ServerState& state, Page& page) {
  const auto topics = state.broker().topics();
  if (!topics) return;
  const auto each = [&](const auto& value_of) {
    for (const auto& topic : *topics) {
      for (const auto& partition : topic->partitions) {
        page.add(label_of(*partition), value_of(*partition));
      }
    }
  };
  page.begin("millrace_log_size_bytes", "gauge", "Bytes of the segments of a partition.");
  each([](engine::Partition& partition) { return partition.log().size_bytes(); });
  page.begin("millrace_log_start_offset", "gauge", "The oldest offset kept.");
  each([](engine::Partition& partition) { return partition.log_start_offset().value(); });
  page.begin("millrace_log_end_offset", "gauge", "Behind the last record that readers see.");
  each([](engine::Partition& partition) { return partition.visible_end().value(); });
}

void add_groups(ServerState& state, Page& page) {
  struct Progress {
    std::string group;
    TopicPartition partition;
    Offset committed;
  };
  std::vector<Progress> all;
  std::vector<std::pair<std::string, std::size_t>> members;
  const auto look = [&](const coordinator::GroupCoordinator& coordinator) {
    for (const coordinator::Group* group : coordinator.groups()) {
      members.emplace_back(group->id(), group->members().size());
      for (const auto& [topic, partitions] : coordinator.offsets(group->id())->topics()) {
        for (const auto& [id, entry] : partitions) {
          all.push_back({group->id(), {topic, id}, entry.committed.offset});
        }
      }
    }
  };
  // Where nobody has used groups, looking makes none.
  if (!GroupService::look_at(state.broker(), look)) return;
  page.begin("millrace_group_members", "gauge", "Members of a consumer group.");
  for (const auto& [group, count] : members) page.add("group=" + quoted(group), count);
  page.begin("millrace_group_lag", "gauge", "Offsets behind what a group has committed.");
  for (const Progress& one : all) {
    const auto partition = state.partition(one.partition.topic, one.partition.partition);
    if (!partition) continue;
    const Offset from = std::max(one.committed, (*partition)->log_start_offset());
    page.add(fmt::format("group={},{}", quoted(one.group), label_of(**partition)),
             std::max<std::int64_t>((*partition)->visible_end() - from, 0));
  }
}

void add_process(Page& page) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  page.begin("process_cpu_seconds_total", "counter", "Processor time, user and system.");
  page.add("", seconds(usage.ru_utime) + seconds(usage.ru_stime));
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  page.begin("process_resident_memory_bytes", "gauge", "Resident memory, mapped files included.");
  page.add("", resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}

}  // namespace

std::string metrics_page(ServerState& state, std::size_t connections) {
  Page page;
  page.begin("millrace_connections", "gauge", "Connections of Kafka clients.");
  page.add("", connections);
  add_requests(state.metrics(), page);
  add_logs(state, page);
  add_groups(state, page);
  add_process(page);
  return std::move(page).text();
}

}  // namespace millrace::inline v0::server
