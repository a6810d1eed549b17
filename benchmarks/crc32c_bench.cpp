// Throughput of every CRC-32C kernel that this processor can run, and of the dispatched crc32c().
#include <benchmark/benchmark.h>

#include <millrace/core/crc32c.hpp>
#include <string>
#include <vector>

using namespace millrace;

namespace {

void run_kernel(benchmark::State& state, detail::Crc32cKernel kernel) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::vector<std::byte> bytes(size + 64, std::byte{0x5a});
  for (auto _ : state) benchmark::DoNotOptimize(kernel(bytes.data() + 3, size, 0));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

std::uint32_t dispatched(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept {
  return crc32c({at, size}, seed);
}

void add(const std::string& name, detail::Crc32cKernel kernel) {
  auto* bench = benchmark::RegisterBenchmark(
      ("crc32c/" + name).c_str(), [kernel](benchmark::State& state) { run_kernel(state, kernel); });
  for (const int size : {16, 100, 128, 192, 256, 1024, 4096, 65536, 1 << 20}) bench->Arg(size);
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto* variant = detail::crc32c_variants(); variant->name != nullptr; ++variant)
    if (variant->usable) add(variant->name, variant->run);
  add("dispatched", dispatched);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
