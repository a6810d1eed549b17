// Every message in every version, against vectors that were written by others.
#include <memory>
#include <millrace/protocol/api_table.hpp>
#include <millrace/protocol/headers.hpp>
#include <random>
#include <set>

#include "campaign.hpp"
#include "catch.hpp"
#include "support/bytes.hpp"
#include "support/message_table.hpp"
#include "support/vectors.hpp"

using namespace millrace;
using namespace millrace::protocol;
using millrace::test::all_message_kinds;
using millrace::test::from_hex;
using millrace::test::MessageKind;
using millrace::test::to_hex;
using nlohmann::json;

namespace {

struct Vector {
  ApiVersion version;
  json fields;
  std::vector<std::byte> body;
};

/// Those of the versions that `kind` has; the test fails if a version has none.
std::vector<Vector> vectors_of(const MessageKind& kind) {
  std::vector<Vector> result;
  std::set<ApiVersion> versions;
  const json file = test::load_vectors("messages/" + std::string(kind.name) + ".json");
  CHECK(file.at("apiKey").get<int>() == static_cast<int>(kind.api_key));
  for (const json& vector : file.at("vectors")) {
    const auto version = vector.at("version").get<ApiVersion>();
    if (!kind.versions.contains(version)) continue;
    CHECK(vector.at("flexible").get<bool>() == kind.flexible.contains(version));
    versions.insert(version);
    result.push_back({version, vector.at("fields"), from_hex(vector.at("hex").get<std::string>())});
  }
  CHECK(versions.size() == static_cast<std::size_t>(kind.versions.last - kind.versions.first + 1));
  return result;
}

/// A span in memory of its own, so that a sanitizer sees a read past its end.
class Exact {
 public:
  explicit Exact(Bytes bytes) : size_(bytes.size()), bytes_(new std::byte[bytes.size()]) {
    std::copy(bytes.begin(), bytes.end(), bytes_.get());
  }
  operator Bytes() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<std::byte[]> bytes_;
};

}  // namespace

TEST_CASE("every message is read, printed and written as others do", "[protocol][vectors]") {
  for (const MessageKind& kind : all_message_kinds()) {
    for (const Vector& vector : vectors_of(kind)) {
      INFO(kind.name << " v" << vector.version << " " << to_hex(vector.body));
      const auto text = kind.text(vector.body, vector.version, {});
      REQUIRE(text);
      CHECK(json::parse(*text) == vector.fields);
      const auto copy = kind.copy(vector.body, vector.version);
      REQUIRE(copy);
      CHECK(to_hex(*copy) == to_hex(vector.body));
    }
  }
}

TEST_CASE("a body that is cut short is refused at every length", "[protocol][vectors]") {
  for (const MessageKind& kind : all_message_kinds()) {
    for (const Vector& vector : vectors_of(kind)) {
      for (std::size_t size = 0; size < vector.body.size(); ++size) {
        const Exact part(Bytes(vector.body).first(size));
        const auto text = kind.text(part, vector.version, {.accept_left_over = true});
        if (!text && text.error().code() == Errc::corrupt_data) continue;
        FAIL(kind.name << " v" << vector.version << " was read from " << size << " of "
                       << vector.body.size() << " bytes");
      }
    }
  }
}

TEST_CASE("bytes behind the body are refused unless they are to be left", "[protocol][vectors]") {
  for (const MessageKind& kind : all_message_kinds()) {
    for (Vector& vector : vectors_of(kind)) {
      INFO(kind.name << " v" << vector.version);
      vector.body.push_back(std::byte{0});
      const auto strict = kind.text(vector.body, vector.version, {});
      REQUIRE_FALSE(strict);
      CHECK(strict.error().code() == Errc::corrupt_data);
      const auto loose = kind.text(vector.body, vector.version, {.accept_left_over = true});
      REQUIRE(loose);
      CHECK(json::parse(*loose) == vector.fields);
    }
  }
}

TEST_CASE("damaged bodies are read or refused, and what is read can be written",
          "[protocol][vectors]") {
  const std::uint64_t seed = millrace_test::campaign_seed(4);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 random(seed);
  const std::uint64_t rounds = millrace_test::campaign_rounds(20, 5000);
  std::uint64_t read = 0;
  std::uint64_t refused = 0;
  for (const MessageKind& kind : all_message_kinds()) {
    for (const Vector& vector : vectors_of(kind)) {
      for (std::uint64_t round = 0; round < rounds && !vector.body.empty(); ++round) {
        std::vector<std::byte> damaged = vector.body;
        for (std::uint64_t flips = 1 + random() % 3; flips > 0; --flips)
          damaged[random() % damaged.size()] ^= std::byte{1} << (random() % 8);
        const Exact exact{damaged};
        const auto text = kind.text(exact, vector.version, {});
        ++(text ? read : refused);
        INFO(kind.name << " v" << vector.version << " " << to_hex(damaged));
        if (text) REQUIRE(json::accept(*text));
        if (text) REQUIRE(kind.copy(exact, vector.version));
        if (!text) REQUIRE(text.error().code() == Errc::corrupt_data);
      }
    }
  }
  CHECK(read > 0);
  CHECK(refused > 0);
}

TEST_CASE("requests that clients really sent are read", "[protocol][vectors]") {
  std::size_t read = 0;
  const json file = test::load_vectors("captured-requests.json");
  for (const json& vector : file.at("requests")) {
    const auto api = vector.at("api").get<std::string>();
    const auto version = vector.at("version").get<ApiVersion>();
    INFO(vector.at("client").get<std::string>() << " " << api << " v" << version);
    const auto frame = from_hex(vector.at("hex").get<std::string>());
    const auto request = read_request(frame);
    if (find_api(static_cast<ApiKey>(vector.at("apiKey").get<std::int16_t>())) == nullptr) {
      CHECK_FALSE(request);
      continue;
    }
    REQUIRE(request);
    CHECK(api_name(request->header.api_key) == api);
    CHECK(request->header.api_version == version);
    CHECK(json(request->header.client_id.value_or("")) == vector.value("clientId", json("")));
    const MessageKind* const kind = test::find_message_kind(api + "Request");
    REQUIRE(kind != nullptr);
    if (!kind->versions.contains(version)) continue;
    const auto text = kind->text(request->body, version, {});
    REQUIRE(text);
    CHECK(json::parse(*text) == vector.at("decoded"));
    ++read;
  }
  CHECK(read > 100);
}
