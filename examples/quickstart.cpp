// The main job on real input: append records with flush before ack, be killed half way, recover,
// finish with every record in the log exactly once, read all back, compare byte for byte.
//
//   quickstart DIRECTORY         the machine's package database, a record a package, key its name
//   quickstart DIRECTORY FILE    any file, a record a line
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <millrace/millrace.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using millrace::Offset;
using millrace::PartitionId;
using Topic = millrace::Topic<std::string_view, std::string_view>;
using Clock = std::chrono::steady_clock;

constexpr const char* package_database = "/var/lib/dpkg/status";
constexpr const char* topic_name = "records";

struct Input {
  std::string bytes;
  std::string separator;  ///< between two records
  bool has_keys = false;
  std::vector<std::string_view> records;  ///< of bytes
};

void require(bool holds, const std::string& otherwise) {
  if (!holds) throw std::runtime_error(otherwise);
}

Input read_input(const std::string& path, const std::string& separator, bool has_keys) {
  std::ifstream file(path, std::ios::binary);
  require(file.is_open(), "cannot read " + path + ": " + std::strerror(errno));
  Input input{std::string(std::istreambuf_iterator<char>(file), {}), separator, has_keys, {}};
  const std::string_view all = input.bytes;
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = std::min(all.find(separator, begin), all.size());
    input.records.push_back(all.substr(begin, end - begin));
    begin = end + separator.size();
  }
  require(!input.records.empty(), path + " is empty: give a file with at least one line");
  return input;
}

/// What follows "Package: " at the front of a line.
std::string_view package_of(std::string_view record) {
  constexpr std::string_view field = "Package: ";
  std::size_t at = record.starts_with(field) ? 0 : record.find("\nPackage: ");
  if (at == std::string_view::npos) return {};
  at = record.find(field, at) + field.size();
  return record.substr(at, record.find('\n', at) - at);
}

Topic open_topic(const millrace::Broker& broker) {
  return broker.topic<std::string_view, std::string_view>(topic_name, {.partitions = 4}).value();
}

/// Sends record `number`, with its number in a header, so that it is known again in the log.
void send(millrace::Producer<std::string_view, std::string_view>& producer, const Input& input,
          std::size_t number, millrace::DeliveryCallback callback = {}) {
  const std::string text = std::to_string(number);
  const millrace::Header headers[] = {{"number", millrace::as_bytes(text)}};
  const std::string_view value = input.records[number];
  const std::string_view key = input.has_keys ? package_of(value) : std::string_view();
  producer.send_with({.headers = headers, .callback = std::move(callback)},
                     input.has_keys ? &key : nullptr, &value);
}

std::size_t number_of(const millrace::Record<std::string_view, std::string_view>& record) {
  std::size_t number = 0;
  for (const millrace::Header& header : record.headers()) {
    const std::string_view text = millrace::as_text(header.value.value());
    std::from_chars(text.data(), text.data() + text.size(), number);
  }
  return number;
}

struct Acknowledged {
  std::size_t number = 0;
  PartitionId partition = 0;
  Offset offset;
};

/// The writer: reports each acknowledged record through a pipe until it is killed. It keeps the
/// last quarter of the input back, so that it is always at work when that happens.
void write_and_wait(const std::string& directory, const Input& input, int report) {
  const auto broker = millrace::Broker::open(directory).value();
  millrace::Producer producer{open_topic(broker)};
  for (std::size_t n = 0; n < input.records.size() - input.records.size() / 4; ++n) {
    send(producer, input, n, [=](const millrace::Result<millrace::Receipt>& receipt) {
      if (!receipt) return;
      const Acknowledged one{n, receipt->partition, receipt->offset};
      if (::write(report, &one, sizeof one) != sizeof one) ::_exit(1);
    });
  }
  producer.flush().value();
  for (;;) ::pause();
}

/// Starts a writer, kills it once it has reported half of the records; what it reported.
std::vector<Acknowledged> write_half(const std::string& directory, const Input& input) {
  int ends[2];
  require(::pipe(ends) == 0, "cannot make a pipe");
  const pid_t writer = ::fork();
  require(writer >= 0, "cannot start a process");
  if (writer == 0) {
    try {
      write_and_wait(directory, input, ends[1]);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "quickstart: the writer: %s\n", error.what());
    }
    ::_exit(1);
  }
  ::close(ends[1]);
  std::vector<Acknowledged> acknowledged;
  bool is_killed = false;
  for (;;) {
    if (!is_killed && acknowledged.size() >= input.records.size() / 2) {
      is_killed = ::kill(writer, SIGKILL) == 0;
    }
    Acknowledged one;
    if (::read(ends[0], &one, sizeof one) != sizeof one) break;
    acknowledged.push_back(one);
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(writer, &status, 0);
  require(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the writer ended by itself");
  return acknowledged;
}

/// Which records the log has. Each must be there once, and be what was sent.
std::vector<bool> find_records(const Topic& topic, const Input& input,
                               const std::vector<Acknowledged>& acknowledged) {
  std::vector<bool> found(input.records.size());
  std::vector<std::pair<PartitionId, Offset>> places(input.records.size(), {-1, Offset{}});
  for (PartitionId id = 0; id < topic.partition_count(); ++id) {
    const auto partition = topic.partition(id).value();
    auto scan = partition.scan(partition.offsets().start);
    for (const auto& record : scan) {
      const std::size_t number = number_of(record);
      require(!found.at(number), "a record is in the log twice");
      require(record.value() == input.records[number], "a record is not what was sent");
      found[number] = true;
      places[number] = {id, record.offset()};
    }
    scan.status().value();
  }
  for (const Acknowledged& one : acknowledged) {
    require(places[one.number] == std::pair(one.partition, one.offset),
            "an acknowledged record is lost: number " + std::to_string(one.number));
  }
  return found;
}

std::size_t append_missing(const Topic& topic, const Input& input, const std::vector<bool>& found) {
  millrace::Producer producer{topic};
  std::size_t count = 0;
  for (std::size_t n = 0; n < input.records.size(); ++n) {
    if (found[n]) continue;
    send(producer, input, n);
    ++count;
  }
  producer.flush().value();
  return count;
}

/// Reads all records and puts them together as the input had them.
std::string read_back(const Topic& topic, const Input& input) {
  std::vector<std::string> values(input.records.size());
  millrace::Consumer consumer{topic};
  for (std::size_t count = 0; count < values.size();) {
    const auto records = consumer.poll(std::chrono::seconds(0)).value();
    require(!records.empty(), "records are missing at the end");
    for (const auto& record : records) {
      values.at(number_of(record)) = record.value();
      ++count;
    }
  }
  std::string bytes;
  bytes.reserve(input.bytes.size());
  for (const std::string& value : values) bytes.append(value).append(input.separator);
  if (!input.bytes.ends_with(input.separator)) bytes.resize(bytes.size() - input.separator.size());
  return bytes;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string rate(std::size_t records, double seconds) {
  char text[80];
  std::snprintf(text, sizeof text, "%zu records in %.1f ms (%.0f records/s)", records,
                seconds * 1e3, static_cast<double>(records) / seconds);
  return text;
}

void print_recovery(const millrace::Broker& broker) {
  for (const auto& found : broker.recovery_report()) {
    std::printf("  %s-%d: %s, offsets [%lld, %lld), %llu bytes checked, %llu cut off, %.1f ms\n",
                found.topic.c_str(), found.partition, found.how.c_str(),
                static_cast<long long>(found.log_start_offset.value()),
                static_cast<long long>(found.log_end_offset.value()),
                static_cast<unsigned long long>(found.scanned_bytes),
                static_cast<unsigned long long>(found.truncated_bytes),
                static_cast<double>(found.took.count()) / 1e3);
    require(found.damaged.empty(), "records are damaged");
  }
}

void run(const std::string& directory, const std::string& path, const Input& input) {
  std::printf("input       %s: %zu records, %zu bytes\n", path.c_str(), input.records.size(),
              input.bytes.size());
  auto start = Clock::now();
  const auto acknowledged = write_half(directory, input);
  std::printf("killed      the writer (SIGKILL) after %s acknowledged as on the disk\n",
              rate(acknowledged.size(), seconds_since(start)).c_str());

  start = Clock::now();
  auto broker = millrace::Broker::open(directory).value();
  const double recovery = seconds_since(start);
  std::printf("reopened    in %.1f ms:\n", recovery * 1e3);
  print_recovery(broker);
  const auto found = find_records(open_topic(broker), input, acknowledged);
  const auto held = static_cast<std::size_t>(std::count(found.begin(), found.end(), true));
  std::printf(
      "found       %zu records: all that were acknowledged, and %zu whose acknowledgement "
      "the kill cut off\n",
      held, held - acknowledged.size());

  start = Clock::now();
  const std::size_t appended = append_missing(open_topic(broker), input, found);
  std::printf("finished    %s, flushed before ack\n", rate(appended, seconds_since(start)).c_str());
  broker.close().value();

  broker = millrace::Broker::open(directory).value();
  const Topic topic = open_topic(broker);
  start = Clock::now();
  const bool is_same = read_back(topic, input) == input.bytes;
  std::printf("read back   %s, checked\n",
              rate(input.records.size(), seconds_since(start)).c_str());
  broker.close().value();
  require(is_same, "what was read back is not the input");
  std::printf(
      "\n%zu records in %d partitions of topic %s, %zu bytes, recovered in %.1f ms: byte "
      "for byte the input\n",
      input.records.size(), topic.partition_count(), topic_name, input.bytes.size(),
      recovery * 1e3);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: quickstart DIRECTORY [FILE]\n");
    return 2;
  }
  try {
    const std::string path = argc == 3 ? argv[2] : package_database;
    require(!std::filesystem::exists(argv[1]) || std::filesystem::is_empty(argv[1]),
            std::string(argv[1]) + " is not empty: give a new directory");
    run(argv[1], path, read_input(path, argc == 3 ? "\n" : "\n\n", argc == 2));
    return 0;
  } catch (const std::exception& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "quickstart: %s\n", error.what());
    return 1;
  }
}
