// Proves that the rules can fail: small trees that are good but for one thing, which must be found,
// and their good twins, in which nothing must be.

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "catch.hpp"
#include "function_lengths.hpp"
#include "plain_code.hpp"
#include "rules.hpp"

using namespace millrace_test::layering;

namespace {

std::string lines(std::size_t count, const std::string& line) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += line + "\n";
  return text;
}

std::string function_of(std::size_t line_count) {
  return "int f() {\n" + lines(line_count - 3, "  g();") + "  return 0;\n}\n";
}

SourceTree tree_of(std::map<std::string, std::string> files) {
  files.emplace("include/millrace/core/offset.hpp", "#pragma once\n#include <cstdint>\n");
  files.emplace("include/millrace/os/file.hpp", "#include <millrace/core/offset.hpp>\n");
  return {{".gitignore", "CMakeLists.txt", "include", "src"}, std::move(files)};
}

std::set<std::string> rules_broken(const SourceTree& tree) {
  std::set<std::string> rules;
  for (const Finding& finding : check(tree)) {
    UNSCOPED_INFO(to_text(finding));
    rules.insert(finding.rule);
  }
  return rules;
}

std::set<std::string> rules_broken(const std::string& path, const std::string& text) {
  return rules_broken(tree_of({{path, text}}));
}

using Rules = std::set<std::string>;

}  // namespace

TEST_CASE("a good tree has no findings") {
  CHECK(rules_broken(tree_of({})).empty());
  CHECK(rules_broken("src/storage/log.cpp", "#include <millrace/os/file.hpp>\n").empty());
  CHECK(rules_broken("include/millrace/broker.hpp", "#include <millrace/os/file.hpp>\n").empty());
}

TEST_CASE("a name that does not belong at the top is found") {
  SourceTree tree = tree_of({});
  tree.top_level.emplace_back("notes.txt");
  CHECK(rules_broken(tree) == Rules{"top-level"});
}

TEST_CASE("a file outside the rooms is found") {
  CHECK(rules_broken("src/helpers/x.cpp", "\n") == Rules{"room"});
  CHECK(rules_broken("src/x.cpp", "\n") == Rules{"room"});
  CHECK(rules_broken("include/other/x.hpp", "\n") == Rules{"room"});
}

TEST_CASE("an include that climbs is found") {
  const std::string up = "#include <millrace/storage/log.hpp>\n";
  CHECK(rules_broken("src/os/file.cpp", up) == Rules{"floor"});
  CHECK(rules_broken("include/millrace/core/x.hpp", "#  include \"millrace/os/file.hpp\"\n") ==
        Rules{"floor"});
  CHECK(rules_broken("src/engine/x.cpp", "#include <millrace/broker.hpp>\n") == Rules{"floor"});
  CHECK(rules_broken("src/api/x.cpp", "#include \"cli/x.hpp\"\n") == Rules{"floor"});
  CHECK(rules_broken(tree_of(
            {{"src/storage/x.hpp", ""}, {"src/os/x.cpp", "#include \"../storage/x.hpp\"\n"}})) ==
        Rules{"floor"});
  CHECK(rules_broken("src/engine/x.cpp", up).empty());
  CHECK(rules_broken("src/os/file.cpp", "// " + up).empty());
  CHECK(rules_broken("src/os/file.cpp", "/*\n" + up + "*/\n").empty());
}

TEST_CASE("an include of a sibling is found") {
  CHECK(rules_broken("src/record/x.cpp", "#include <millrace/os/file.hpp>\n") == Rules{"floor"});
  CHECK(rules_broken("src/storage/x.cpp", "#include <millrace/protocol/x.hpp>\n") ==
        Rules{"floor"});
  CHECK(rules_broken("src/cluster/x.cpp", "#include <millrace/coordinator/x.hpp>\n") ==
        Rules{"floor"});
  CHECK(rules_broken("src/cli/x.cpp", "#include <millrace/streams/x.hpp>\n") == Rules{"floor"});
}

TEST_CASE("the doubles stand on the lowest floors, and nothing stands on them") {
  CHECK(rules_broken("src/testing/x.cpp", "#include <millrace/engine/x.hpp>\n") == Rules{"floor"});
  CHECK(rules_broken("src/testing/x.cpp", "#include <millrace/protocol/x.hpp>\n") ==
        Rules{"floor"});
  CHECK(rules_broken("src/engine/x.cpp", "#include <millrace/testing/x.hpp>\n") == Rules{"floor"});
  CHECK(rules_broken("src/testing/x.cpp", "#include <millrace/storage/x.hpp>\n").empty());
}

TEST_CASE("Boost in the wrong room is found") {
  CHECK(rules_broken("src/core/x.cpp", "#include <boost/optional.hpp>\n") == Rules{"boost"});
  CHECK(rules_broken("src/core/x.cpp", "#include <boost/endian/conversion.hpp>\n").empty());
  CHECK(rules_broken("src/storage/x.cpp", "#include <boost/interprocess/mapped_region.hpp>\n") ==
        Rules{"boost"});
  CHECK(rules_broken("src/engine/x.cpp", "#include <boost/asio.hpp>\n") == Rules{"boost"});
}

TEST_CASE("OpenSSL where who embeds the log alone would need it is found") {
  CHECK(rules_broken("src/server/x.cpp", "#include <openssl/evp.h>\n") == Rules{"openssl"});
  CHECK(rules_broken("src/server/kafka/x.cpp", "#include <openssl/evp.h>\n") == Rules{"openssl"});
  CHECK(rules_broken("src/server/security/x.cpp", "#include <openssl/evp.h>\n").empty());
  CHECK(rules_broken("src/transport/x.cpp", "#include <openssl/ssl.h>\n").empty());
}

TEST_CASE("a system header behind a public header is found") {
  CHECK(rules_broken("include/millrace/broker.hpp", "#include <sys/mman.h>\n") ==
        Rules{"public-system"});
  CHECK(rules_broken(tree_of({{"include/millrace/broker.hpp", "#include <millrace/os/map.hpp>\n"},
                              {"include/millrace/os/map.hpp", "#include <unistd.h>\n"}})) ==
        Rules{"public-system"});
  CHECK(rules_broken("include/millrace/broker.hpp", "#include <boost/asio/ip/tcp.hpp>\n") ==
        Rules{"boost", "public-system"});
  CHECK(rules_broken("src/api/broker.cpp", "#include <unistd.h>\n").empty());
}

TEST_CASE("a long file is found wherever it stands") {
  CHECK(rules_broken("tests/core/x_test.cpp", lines(601, "//")) == Rules{"file-length"});
  CHECK(rules_broken("src/core/x.cpp", lines(601, "//")) == Rules{"file-length"});
  CHECK(rules_broken("src/core/x.cpp", lines(600, "//")).empty());
}

TEST_CASE("a long line of the library is found") {
  CHECK(rules_broken("src/core/x.cpp", "//" + std::string(99, 'x')) == Rules{"line-length"});
  CHECK(rules_broken("src/core/x.cpp", "//" + std::string(98, 'x')).empty());
  CHECK(rules_broken("src/core/x.cpp", "//" + lines(49, "\u00e4\u00e4")).empty());
}

TEST_CASE("a long function of the library is found") {
  CHECK(rules_broken("src/core/x.cpp", function_of(71)) == Rules{"function-length"});
  CHECK(rules_broken("src/core/x.cpp", function_of(70)).empty());
  CHECK(rules_broken("src/core/x.cpp", function_of(36) + function_of(36)).empty());
  CHECK(rules_broken("src/core/x.cpp", "int f() {\n") == Rules{"function-length"});
}

TEST_CASE("functions are told from what is not one") {
  const auto longest = [](const std::string& text) {
    const auto extents = function_extents(text);
    REQUIRE(extents.has_value());
    std::size_t most = 0;
    for (const auto& extent : *extents) most = std::max(most, extent.line_count);
    return most;
  };
  const std::string body = lines(20, "  g();") + "}\n";
  CHECK(longest("namespace a::b {\nclass C final : public D<int> {\n public:\n" +
                lines(90, "  int x;") + "};\n}\n") == 0);
  CHECK(longest("class C {\n public:\n  int f() {\n" + body + "};\n") == 22);
  CHECK(longest("C::C(int a)\n    : a_{a},\n      b_{a} {\n" + body) == 24);
  CHECK(longest("template <typename T>\n  requires(sizeof(T) > 1)\nstruct S {\n" +
                lines(90, "  int x;") + "};\n") == 0);
  CHECK(longest("template <class T>\nstruct A* f(T t) {\n" + body) == 23);
  CHECK(longest("constexpr int table[] = {\n" + lines(90, "  1,") + "};\n") == 0);
  CHECK(longest("enum class E : int {\n" + lines(90, "  a,") + "};\n") == 0);
  CHECK(longest("bool operator<(A a, B b) {\n" + body) == 22);
  CHECK(longest("const char* s = R\"(}{\n{)\";\nchar c = '{';\nint n = 1'000;\nint f() {\n" +
                body) == 22);
  CHECK(longest("#if A\nint f() {\n#else\nint f(int) {\n#endif\n" + body) == 25);
  CHECK(longest("extern \"C\" {\nint f() {\n" + body + "}\n") == 22);
}

TEST_CASE("the checker reads a tree from the disk and ends accordingly") {
  namespace fs = std::filesystem;
  std::string pattern = (fs::temp_directory_path() / "layering-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  const fs::path root = pattern;
  const auto status = [&root] {
    const std::string command =
        std::string(LAYERING_CHECK) + " " + root.string() + " >/dev/null 2>&1";
    return WEXITSTATUS(std::system(command.c_str()));
  };
  CHECK(status() == 2);
  fs::create_directories(root / "include/millrace/core");
  std::ofstream(root / "include/millrace/core/good.hpp") << "#include <cstdint>\n";
  CHECK(status() == 0);
  std::ofstream(root / "include/millrace/core/bad.hpp") << "#include <millrace/os/file.hpp>\n";
  CHECK(status() == 1);
  fs::remove_all(root);
}
