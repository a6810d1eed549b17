// Runs a fuzz target over the files and folders named, for builds without libFuzzer. With
// `--mutate N` also over N damaged copies of each; MILLRACE_SEED chooses the damage.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "campaign.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

std::vector<Input> read_inputs(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(path)) {
    for (const auto& entry : std::filesystem::directory_iterator(path))
      files.push_back(entry.path());
  } else {
    files.push_back(path);
  }
  std::vector<Input> inputs;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    if (in)
      inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return inputs;
}

void run(const Input& input) {
  // An allocation of exactly that size, so that a sanitizer sees a read past its end.
  const auto exact = std::make_unique<std::uint8_t[]>(input.size());
  if (!input.empty()) std::memcpy(exact.get(), input.data(), input.size());
  LLVMFuzzerTestOneInput(exact.get(), input.size());
}

void damage(Input& input, std::mt19937_64& random) {
  for (std::uint64_t i = 1 + random() % 4; i > 0 && !input.empty(); --i) {
    const std::size_t at = random() % input.size();
    switch (random() % 4) {
      case 0:
        input[at] ^= static_cast<std::uint8_t>(1u << (random() % 8));
        break;
      case 1:
        input[at] = static_cast<std::uint8_t>(random());
        break;
      case 2:
        input.resize(at + 1);
        break;
      default:
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), input[at]);
        break;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Input> inputs;
  std::uint64_t mutations = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--mutate" && i + 1 < argc) {
      mutations = std::stoull(argv[++i]);
      continue;
    }
    for (Input& input : read_inputs(argv[i])) inputs.push_back(std::move(input));
  }
  if (inputs.empty()) {
    std::fprintf(stderr, "usage: %s [--mutate N] <corpus file or folder>...: no input found\n",
                 argv[0]);
    return 2;
  }
  const std::uint64_t seed = millrace_test::campaign_seed(60);
  std::printf("%zu inputs, %llu mutations each, MILLRACE_SEED=%llu\n", inputs.size(),
              static_cast<unsigned long long>(mutations), static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  std::mt19937_64 random(seed);
  for (const Input& input : inputs) {
    run(input);
    for (std::uint64_t i = 0; i < mutations; ++i) {
      Input damaged = input;
      damage(damaged, random);
      run(damaged);
    }
  }
}
