// A Kafka client over librdkafka that measures whoever listens. Prints one line of JSON.
#include <librdkafka/rdkafka.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Steady = std::chrono::steady_clock;
using Settings = std::vector<std::pair<std::string, std::string>>;

struct Work {
  std::string what, address, topic, acks;
  int partitions = 1;
  std::size_t size = 100;
  long count = 0;
  double rate = 0;  // records a second; 0: as fast as it goes
};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "client: %s\n", why.c_str());
  std::exit(1);
}

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Steady::now().time_since_epoch())
      .count();
}

double processor_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Of each thread of this process, by its id.
std::map<std::string, double> thread_seconds() {
  std::map<std::string, double> seconds;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    char text[1024] = {};
    // A thread that has ended meanwhile does not count.
    if (std::FILE* file = std::fopen((task.path() / "stat").c_str(), "r")) {
      static_cast<void>(std::fread(text, 1, sizeof text - 1, file));
      std::fclose(file);
    }
    const char* const name_end = std::strrchr(text, ')');
    unsigned long user = 0;
    unsigned long system = 0;
    if (name_end == nullptr ||
        std::sscanf(name_end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                    &system) != 2) {
      continue;
    }
    seconds[task.path().filename()] =
        static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  return seconds;
}

/// What is measured: begins when it is made, ends when it is printed.
class Measurement {
 public:
  void add_latency(std::int64_t nanoseconds) { latencies_.push_back(nanoseconds); }
  void take_latencies_of(const Measurement& other) {
    latencies_.insert(latencies_.end(), other.latencies_.begin(), other.latencies_.end());
  }
  void print(long count) {
    const double seconds = static_cast<double>(now() - begin_) / 1e9;
    const double processor = processor_seconds() - processor_;
    double busiest = 0;
    for (const auto& [thread, used] : thread_seconds()) {
      const auto before = threads_.find(thread);
      busiest = std::max(busiest, used - (before == threads_.end() ? 0 : before->second));
    }
    std::printf(
        "{\"records\": %ld, \"per_second\": %.1f, \"client_cpu\": %.3f, \"client_thread\": %.3f",
        count, static_cast<double>(count) / seconds, processor / seconds, busiest / seconds);
    std::sort(latencies_.begin(), latencies_.end());
    for (const auto& [name, part] :
         {std::pair{"p50_us", 0.5}, std::pair{"p99_us", 0.99}, std::pair{"p999_us", 0.999}}) {
      if (latencies_.empty()) break;
      const auto at = static_cast<std::size_t>(part * static_cast<double>(latencies_.size()));
      std::printf(", \"%s\": %.1f", name,
                  static_cast<double>(latencies_[std::min(at, latencies_.size() - 1)]) / 1e3);
    }
    std::printf("}\n");
  }

 private:
  std::vector<std::int64_t> latencies_;
  const std::map<std::string, double> threads_ = thread_seconds();
  const std::int64_t begin_ = now();
  const double processor_ = processor_seconds();
};

class Client {
 public:
  Client(rd_kafka_type_t type, const Work& work, const Settings& settings) {
    rd_kafka_conf_t* made = rd_kafka_conf_new();
    set(made, "bootstrap.servers", work.address);
    for (const auto& [name, value] : settings) set(made, name, value);
    if (type == RD_KAFKA_PRODUCER) {
      set(made, "acks", work.acks);
      rd_kafka_conf_set_dr_msg_cb(made,
                                  [](rd_kafka_t*, const rd_kafka_message_t* record, void* of) {
                                    static_cast<Client*>(of)->delivered(*record);
                                  });
    }
    rd_kafka_conf_set_opaque(made, this);
    char why[512];
    handle_ = rd_kafka_new(type, made, why, sizeof why);
    if (handle_ == nullptr) give_up(why);
    if (type == RD_KAFKA_CONSUMER) rd_kafka_poll_set_consumer(handle_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() {
    if (rd_kafka_type(handle_) == RD_KAFKA_CONSUMER) rd_kafka_consumer_close(handle_);
    rd_kafka_destroy(handle_);
  }

  rd_kafka_t* handle() const { return handle_; }
  void measure(Measurement* measurement) { measurement_ = measurement; }

  /// The record starts with the time it was handed in.
  void send(const Work& work, std::string& payload, long number) {
    const auto partition = static_cast<std::int32_t>(number % work.partitions);
    for (;;) {
      const std::int64_t sent = now();
      std::memcpy(payload.data(), &sent, sizeof sent);
      const auto error = rd_kafka_producev(
          handle_, RD_KAFKA_V_TOPIC(work.topic.c_str()), RD_KAFKA_V_PARTITION(partition),
          RD_KAFKA_V_VALUE(payload.data(), payload.size()),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) give_up(rd_kafka_err2str(error));
      rd_kafka_poll(handle_, 10);
    }
    rd_kafka_poll(handle_, 0);
  }
  void wait_for(long count) {
    const std::int64_t deadline = now() + 120'000'000'000;
    while (done_ < count) {
      rd_kafka_poll(handle_, 100);
      if (now() > deadline) give_up("records were not acknowledged within two minutes");
    }
  }
  void assign(const Work& work) {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(work.partitions);
    for (int i = 0; i < work.partitions; ++i) {
      rd_kafka_topic_partition_list_add(list, work.topic.c_str(), i)->offset = 0;
    }
    rd_kafka_assign(handle_, list);
    rd_kafka_topic_partition_list_destroy(list);
  }

 private:
  static void set(rd_kafka_conf_t* made, const std::string& name, const std::string& value) {
    char why[512];
    if (rd_kafka_conf_set(made, name.c_str(), value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK)
      give_up(why);
  }
  void delivered(const rd_kafka_message_t& record) {
    if (record.err != RD_KAFKA_RESP_ERR_NO_ERROR) give_up(rd_kafka_err2str(record.err));
    ++done_;
    if (measurement_ == nullptr) return;
    std::int64_t sent = 0;
    std::memcpy(&sent, record.payload, sizeof sent);
    measurement_->add_latency(now() - sent);
  }

  Measurement* measurement_ = nullptr;
  rd_kafka_t* handle_ = nullptr;
  long done_ = 0;
};

std::string payload_of(const Work& work) {
  std::string payload(work.size, '\0');
  std::mt19937 random(1);
  for (char& one : payload) one = static_cast<char>(random());
  return payload;
}

const Settings as_fast_as_it_goes = {{"queue.buffering.max.messages", "1000000"},
                                     {"linger.ms", "5"},
                                     {"batch.num.messages", "10000"}};
const Settings at_once = {{"linger.ms", "0"}};
const Settings reading = {{"group.id", "bench"},
                          {"enable.auto.commit", "false"},
                          {"fetch.wait.max.ms", "100"},
                          {"queued.min.messages", "1000000"},
                          {"check.crcs", "true"}};

void pace(const Work& work, std::int64_t begin, long number, Client& client) {
  if (work.rate == 0) return;
  const std::int64_t due =
      begin + static_cast<std::int64_t>(static_cast<double>(number) * 1e9 / work.rate);
  for (std::int64_t left = due - now(); left > 0; left = due - now()) {
    rd_kafka_poll(client.handle(), left > 2'000'000 ? static_cast<int>(left / 1'000'000) - 1 : 0);
  }
}

/// One record, so that what is measured does not begin with finding the broker.
void warm_up(Client& client, const Work& work, std::string& payload) {
  client.send(work, payload, 0);
  client.wait_for(1);
}

void produce(const Work& work) {
  Client client(RD_KAFKA_PRODUCER, work, work.rate == 0 ? as_fast_as_it_goes : at_once);
  std::string payload = payload_of(work);
  warm_up(client, work, payload);
  Measurement measurement;
  if (work.rate != 0) client.measure(&measurement);
  const std::int64_t begin = now();
  for (long i = 0; i < work.count; ++i) {
    pace(work, begin, i, client);
    client.send(work, payload, i);
  }
  client.wait_for(work.count + 1);
  measurement.print(work.count);
}

/// 64 producers, each with one record under way.
void produce_one_by_one(const Work& work) {
  constexpr int producers = 64;
  std::vector<Measurement> measured(producers);
  std::barrier all_are_ready(producers + 1);
  std::vector<std::thread> threads;
  for (Measurement& measurement : measured) {
    threads.emplace_back([&work, &measurement, &all_are_ready] {
      Client client(RD_KAFKA_PRODUCER, work, at_once);
      std::string payload = payload_of(work);
      warm_up(client, work, payload);
      all_are_ready.arrive_and_wait();
      client.measure(&measurement);
      for (long sent = 0; sent < work.count / producers; ++sent) {
        client.send(work, payload, sent);
        client.wait_for(sent + 2);
      }
      all_are_ready.arrive_and_wait();
    });
  }
  all_are_ready.arrive_and_wait();
  Measurement all;
  all_are_ready.arrive_and_wait();
  for (const Measurement& one : measured) all.take_latencies_of(one);
  all.print(work.count / producers * producers);
  for (std::thread& thread : threads) thread.join();
}

/// Takes records until there are `count`, so many at a time; each is shown to `seen`. For many at a
/// time librdkafka waits.
template <typename Seen>
void take(Client& client, long count, std::size_t at_a_time, const Seen& seen) {
  const std::int64_t deadline = now() + 120'000'000'000;
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(client.handle());
  std::vector<rd_kafka_message_t*> records(at_a_time);
  while (count > 0) {
    const ssize_t taken = rd_kafka_consume_batch_queue(queue, 100, records.data(), records.size());
    for (ssize_t i = 0; i < taken; ++i) {
      rd_kafka_message_t* const record = records[static_cast<std::size_t>(i)];
      if (record->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        seen(*record);
        --count;
      }
      rd_kafka_message_destroy(record);
    }
    if (now() > deadline) give_up("not all records came within two minutes");
  }
  rd_kafka_queue_destroy(queue);
}

void consume(const Work& work) {
  Measurement measurement;
  Client client(RD_KAFKA_CONSUMER, work, reading);
  client.assign(work);
  take(client, work.count, 10'000, [&](const rd_kafka_message_t& record) {
    if (record.len != work.size) give_up("a record has another size than was written");
  });
  measurement.print(work.count);
}

void end_to_end(const Work& work) {
  Settings settings = reading;
  settings.emplace_back("fetch.min.bytes", "1");
  Client consumer(RD_KAFKA_CONSUMER, work, settings);
  consumer.assign(work);
  Client producer(RD_KAFKA_PRODUCER, work, at_once);
  std::string payload = payload_of(work);
  warm_up(producer, work, payload);
  take(consumer, 1, 1, [](const rd_kafka_message_t&) {});
  Measurement measurement;
  std::thread sender([&] {
    const std::int64_t begin = now();
    for (long i = 0; i < work.count; ++i) {
      pace(work, begin, i, producer);
      producer.send(work, payload, i);
    }
    producer.wait_for(work.count + 1);
  });
  take(consumer, work.count, 1, [&](const rd_kafka_message_t& record) {
    std::int64_t sent = 0;
    std::memcpy(&sent, record.payload, sizeof sent);
    measurement.add_latency(now() - sent);
  });
  sender.join();
  measurement.print(work.count);
}

}  // namespace

int main(int count, char** words) {
  if (count != 9) {
    std::fprintf(stderr,
                 "usage: client produce|one_by_one|consume|end_to_end HOST:PORT TOPIC PARTITIONS "
                 "ACKS BYTES RECORDS RATE\n");
    return 2;
  }
  Work work;
  work.what = words[1];
  work.address = words[2];
  work.topic = words[3];
  work.partitions = std::atoi(words[4]);
  work.acks = words[5];
  work.size = static_cast<std::size_t>(std::atol(words[6]));
  work.count = std::atol(words[7]);
  work.rate = std::atof(words[8]);
  if (work.partitions < 1 || work.size < sizeof(std::int64_t)) give_up("no such work");
  if (work.what == "produce") produce(work);
  if (work.what == "one_by_one") produce_one_by_one(work);
  if (work.what == "consume") consume(work);
  if (work.what == "end_to_end") end_to_end(work);
}
