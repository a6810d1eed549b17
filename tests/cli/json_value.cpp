// Prints the value that a JSON pointer names in the JSON on standard input; text without quotes.
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>

int main(int argc, char** argv) {
  try {
    const auto json = nlohmann::json::parse(std::cin);
    const auto& value = json.at(nlohmann::json::json_pointer(argc > 1 ? argv[1] : ""));
    std::cout << (value.is_string() ? value.get<std::string>() : value.dump()) << '\n';
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
