#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <millrace/transport/channel.hpp>
#include <stdexcept>
#include <thread>

#include "../temp_directory.hpp"
#include "catch.hpp"

using namespace millrace;
using namespace millrace::transport;
using millrace::test::TempDirectory;

namespace {

/// A socket that a test answers by hand.
class ByHand {
 public:
  explicit ByHand(const std::string& path) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    listening_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(listening_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::listen(listening_, 4) == 0);
  }
  ByHand(const ByHand&) = delete;
  ByHand& operator=(const ByHand&) = delete;
  ~ByHand() {
    hang_up();
    ::close(listening_);
  }
  void accept() { connected_ = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC); }
  // These two are called on threads of their own as well, where Catch's macros may not be used.
  void send(const std::string& bytes) const {
    if (::send(connected_, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error("the peer cannot send");
    }
  }
  std::string read(std::size_t bytes) const {
    std::string got(bytes, '\0');
    if (::recv(connected_, got.data(), bytes, MSG_WAITALL) != static_cast<ssize_t>(bytes)) {
      throw std::runtime_error("the peer cannot read");
    }
    return got;
  }
  void hang_up() {
    if (connected_ >= 0) ::close(std::exchange(connected_, -1));
  }

 private:
  int listening_ = -1;
  int connected_ = -1;
};

std::string framed(const std::string& body) {
  std::string frame(4, '\0');
  store_big(reinterpret_cast<std::byte*>(frame.data()), static_cast<std::int32_t>(body.size()));
  return frame + body;
}

struct Line {
  Line() { other.accept(); }
  TempDirectory directory;
  ByHand other{directory / "s"};
  Channel channel =
      Channel::open("unix:" + directory.path() + "/s", {.most_frame_bytes = 1 << 20}).value();
};

}  // namespace

TEST_CASE("frames come whole, however they were cut") {
  Line line;
  line.other.send(framed("one") + framed("") + framed("three").substr(0, 6));
  CHECK(as_text(line.channel.receive().value()) == "one");
  CHECK(line.channel.has_frame());
  CHECK(as_text(line.channel.receive().value()).empty());
  CHECK_FALSE(line.channel.has_frame());
  line.other.send(framed("three").substr(6));
  CHECK(as_text(line.channel.receive().value()) == "three");
  // Longer than what is read at once.
  const std::string large(900'000, 'x');
  std::thread sender([&] { line.other.send(framed("small") + framed(large) + framed("last")); });
  CHECK(as_text(line.channel.receive().value()) == "small");
  CHECK(as_text(line.channel.receive().value()) == large);
  CHECK(as_text(line.channel.receive().value()) == "last");
  sender.join();
}

TEST_CASE("pieces are sent in order, however many and large") {
  Line line;
  std::vector<std::string> texts;
  std::string all;
  for (int i = 0; i < 200; ++i) texts.emplace_back(static_cast<std::size_t>(i) * 97, 'a' + i % 26);
  std::vector<Bytes> pieces;
  for (const auto& text : texts) {
    pieces.push_back(as_bytes(text));
    all += text;
  }
  std::string got;
  std::thread reader([&] { got = line.other.read(all.size()); });
  CHECK(line.channel.send(pieces));
  reader.join();
  CHECK(got == all);
}

TEST_CASE("a peer that goes, says nothing or makes no sense is an error that names it") {
  Line line;
  SECTION("gone between frames") {
    line.other.hang_up();
    const auto received = line.channel.receive();
    REQUIRE_FALSE(received);
    CHECK(received.error().code() == Errc::io_error);
    CHECK_THAT(received.error().message(), Catch::Matchers::Contains(line.directory.path()));
    CHECK_FALSE(line.channel.send(std::vector{as_bytes("x")}));
  }
  SECTION("gone within one") {
    line.other.send(framed("half").substr(0, 6));
    line.other.hang_up();
    CHECK(line.channel.receive().error().code() == Errc::io_error);
  }
  SECTION("silent") {
    line.channel.set_timeout(std::chrono::milliseconds(1));
    const auto received = line.channel.receive();
    REQUIRE_FALSE(received);
    CHECK(received.error().code() == Errc::io_error);
    CHECK_THAT(received.error().message(), Catch::Matchers::Contains("nothing moved for 1 ms"));
  }
  SECTION("a frame that is too long, or has no length") {
    line.other.send(GENERATE(std::string("\x7f\xff\xff\xff", 4), std::string("HTTP")));
    CHECK(line.channel.receive().error().code() == Errc::corrupt_data);
  }
  SECTION("interrupted") {
    std::thread other([&] { line.channel.interrupt(); });
    CHECK_FALSE(line.channel.receive());
    other.join();
  }
}

TEST_CASE("addresses") {
  CHECK(parse_peer("localhost:9092").value().host == "localhost");
  CHECK(parse_peer("[::1]:9092").value().host == "::1");
  CHECK(parse_peer("[::1]:9092").value().text() == "[::1]:9092");
  CHECK(parse_peer("unix:/run/x").value().is_local());
  for (const char* bad : {"", "localhost", "localhost:", ":9092", "localhost:0", "localhost:70000",
                          "localhost:http", "unix:", "localhost:-1"}) {
    const auto parsed = parse_peer(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code() == Errc::invalid_argument);
    CHECK_THAT(parsed.error().message(), Catch::Matchers::Contains("HOST:PORT"));
  }
  const auto refused = Channel::open("unix:/nobody/is/there");
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message(), Catch::Matchers::Contains("/nobody/is/there"));
}
