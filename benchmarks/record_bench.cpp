// The cost of a record: adding it to a batch, reading it back, skipping over it.
#include <benchmark/benchmark.h>

#include <millrace/record/batch_builder.hpp>
#include <millrace/record/batch_view.hpp>
#include <vector>

using namespace millrace;
using namespace millrace::record;

namespace {

constexpr Timestamp now{1'600'000'000'000};
constexpr std::size_t filled_bytes = 16'384;

std::vector<std::byte> make_batch(std::size_t value_bytes, int records, bool mixed_sizes = false) {
  BatchBuilder builder;
  const std::vector<std::byte> value(value_bytes, std::byte{'v'});
  for (int i = 0; i < records; ++i) {
    const std::size_t less = mixed_sizes ? static_cast<std::size_t>(i * 7919 % 40) : 0;
    if (!builder.add(now, std::nullopt, Bytes(value).first(value_bytes - less))) std::abort();
  }
  const auto batch = builder.finish();
  if (!batch) std::abort();
  return {batch->begin(), batch->end()};
}

/// One iteration is one record of a batch of about 16 KiB.
void add_record(benchmark::State& state) {
  const std::vector<std::byte> value(static_cast<std::size_t>(state.range(0)), std::byte{'v'});
  BatchBuilder builder;
  for (auto _ : state) {
    if (builder.size_bytes() > filled_bytes) builder.reset();
    benchmark::DoNotOptimize(builder.add(now, std::nullopt, Bytes(value)));
  }
}
BENCHMARK(add_record)->Arg(16)->Arg(100)->Arg(1000);

void add_record_with_key(benchmark::State& state) {
  const std::vector<std::byte> key(16, std::byte{'k'}), value(100, std::byte{'v'});
  BatchBuilder builder;
  for (auto _ : state) {
    if (builder.size_bytes() > filled_bytes) builder.reset();
    benchmark::DoNotOptimize(builder.add(now, Bytes(key), Bytes(value)));
  }
}
BENCHMARK(add_record_with_key);

void finish_batch(benchmark::State& state) {
  BatchBuilder builder;
  const std::vector<std::byte> value(100, std::byte{'v'});
  while (builder.size_bytes() < filled_bytes)
    if (!builder.add(now, std::nullopt, Bytes(value))) std::abort();
  for (auto _ : state) benchmark::DoNotOptimize(builder.finish());
}
BENCHMARK(finish_batch);

void encode_one(benchmark::State& state) {
  const std::vector<std::byte> value(static_cast<std::size_t>(state.range(0)), std::byte{'v'});
  std::vector<std::byte> room(single_record_bound(std::nullopt, Bytes(value), {}));
  std::int64_t offset = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(encode_single(room.data(), now, std::nullopt, Bytes(value), {},
                                           Offset{offset++}, LeaderEpoch{3}));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(encode_one)->Arg(16)->Arg(100)->Arg(1000);

/// Walks batches of 140 records of up to 100 bytes; the time is per record.
void read_records(benchmark::State& state) {
  const auto bytes = make_batch(100, 140, state.range(0) != 0);
  const BatchView batch = BatchView::try_parse(bytes);
  std::vector<std::byte> scratch;
  std::int64_t records = 0;
  for (auto _ : state) {
    auto cursor = RecordCursor::open(batch, scratch);
    RecordView record;
    while (cursor->next(record) == RecordCursor::Step::record) {
      benchmark::DoNotOptimize(record.value->data());
      ++records;
    }
  }
  state.SetItemsProcessed(records);
  state.counters["per_record"] = benchmark::Counter(
      static_cast<double>(records), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(read_records)->ArgName("mixed")->Arg(0)->Arg(1);

/// One iteration opens a batch of 140 records and finds the one 50 records in.
void skip_over_50(benchmark::State& state) {
  const auto bytes = make_batch(100, 140, state.range(0) != 0);
  const BatchView batch = BatchView::try_parse(bytes);
  std::vector<std::byte> scratch;
  for (auto _ : state) {
    auto cursor = RecordCursor::open(batch, scratch);
    RecordView record;
    benchmark::DoNotOptimize(cursor->skip_to(Offset{50}, record));
    benchmark::DoNotOptimize(record.value->data());
  }
}
BENCHMARK(skip_over_50)->ArgName("mixed")->Arg(0)->Arg(1);

void parse_header(benchmark::State& state) {
  const auto bytes = make_batch(100, 140);
  for (auto _ : state) benchmark::DoNotOptimize(BatchView::try_parse(bytes));
}
BENCHMARK(parse_header);

}  // namespace

BENCHMARK_MAIN();
