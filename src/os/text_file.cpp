#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <millrace/os/text_file.hpp>

namespace millrace::inline v0::os {

Result<std::string> read_text(const std::string& path) {
  const auto failed = [&path] { return Error::from_os("reading " + path, errno); };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             std::fclose);
  if (file == nullptr) return failed();
  std::string text;
  std::array<char, 4096> piece{};
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), file.get())) {
    text.append(piece.data(), count);
  }
  if (std::ferror(file.get()) != 0) return failed();
  return text;
}

}  // namespace millrace::inline v0::os
