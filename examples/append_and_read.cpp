// The shortest whole story: open a directory, append records, read them back by offset, by time and
// in order, close, open again.
#include <millrace/millrace.hpp>

#include "example.hpp"

using example::check;

namespace {

// A topic is a named log, cut into partitions; each partition numbers its records from 0. Keys and
// values have types; std::string is one that needs no preparation.
using Notes = millrace::Partition<std::string, std::string>;

void append(const Notes& notes) {
  for (int i = 0; i < 1000; ++i) {
    // append() returns when the record is on the disk: that is the default, and the receipt says
    // it.
    const millrace::Receipt receipt =
        notes.append("note-" + std::to_string(i), "text " + std::to_string(i)).value();
    check(receipt.offset == millrace::Offset{i}, "offsets count up from 0");
    check(receipt.durability == millrace::Durability::flushed, "an ack stands for the disk");
  }
}

void read(const Notes& notes) {
  const auto [start, end] = notes.offsets();
  std::printf("readable: [%lld, %lld)\n", static_cast<long long>(start.value()),
              static_cast<long long>(end.value()));

  // By offset. A record is decoded from the mapped file when asked; `pinned` keeps the file there.
  const auto pinned = notes.read(millrace::Offset{42}).value();
  check(pinned->key() == "note-42" && pinned->value() == "text 42", "offset 42 is note 42");

  // In order. The scan goes on until the end of the partition as it is when it gets there.
  std::int64_t count = 0;
  auto scan = notes.scan(start);
  for (const auto& record : scan) {
    check(record.value() == "text " + std::to_string(count), "records come in order");
    ++count;
  }
  check(scan.status().has_value(), "the scan ended at the end and not at an error");
  check(count == end - start, "every record was read");

  // By time: the first record as old as this one, or younger.
  const auto found = notes.offset_for_time(pinned->timestamp()).value();
  check(found.has_value() && *found <= millrace::Offset{42}, "a time leads to its record");
}

}  // namespace

int main(int argc, char** argv) {
  const example::DataDirectory data(argc, argv);
  {
    // This process owns the directory until close(). A second owner would get an error that names
    // this process; readers may attach (see tail_from_another_process.cpp).
    const auto broker = millrace::Broker::open(data.path()).value();
    const auto topic = broker.topic<std::string, std::string>("notes").value();
    const Notes notes = topic.partition(0).value();
    append(notes);
    read(notes);
    broker.close().value();
  }

  const auto broker = millrace::Broker::open(data.path()).value();
  const auto topic = broker.topic<std::string, std::string>("notes").value();
  read(topic.partition(0).value());

  // Errors are values. What went wrong is a code for programs and a sentence for people.
  const auto missing = topic.partition(0)->read(millrace::Offset{1'000'000});
  check(!missing && missing.error().code() == millrace::Errc::offset_out_of_range,
        "an offset beyond the end is an error");
  std::printf("as expected: %s\n", missing.error().message().c_str());
  broker.close().value();
  return 0;
}
