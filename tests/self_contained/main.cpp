#include <cstdio>

int main() {
  std::printf("%d headers compile alone and link together\n", HEADER_COUNT);
  return HEADER_COUNT > 0 ? 0 : 1;
}
