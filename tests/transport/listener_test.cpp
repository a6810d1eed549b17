#include <condition_variable>
#include <map>
#include <millrace/transport/listener.hpp>
#include <mutex>
#include <thread>

#include "catch.hpp"
#include "plain_client.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace millrace::transport;
using millrace_test::PlainClient;

namespace {

OutgoingFrame frame_of(std::string_view text) {
  OutgoingFrame frame;
  for (const std::byte byte : as_bytes(text)) frame.bytes.push_back(byte);
  return frame;
}

/// Answers by what a frame begins with:
///   keep...    when release() is called with the whole text
///   alone...   the same, and lets no frame in before
///   drop       never
///   nothing    with nothing
///   pause N    at once, and lets no frame in for N milliseconds
///   insert X   with X and a text that is not copied
///   else       at once, with the frame itself
class Echo final : public SessionFactory {
 public:
  class EchoSession final : public Session {
   public:
    explicit EchoSession(Echo& echo) : echo_(echo) {}
    ~EchoSession() override { echo_.count_end(); }
    Next on_frame(IncomingFrame& frame, Answer answer) override {
      const std::string text(as_text(frame.bytes()));
      echo_.note(text);
      if (text.starts_with("keep"))
        echo_.keep(frame.hold(), std::move(answer));
      else if (text.starts_with("alone")) {
        echo_.keep(frame.hold(), std::move(answer));
        return Next::frame_when_answered;
      } else if (text == "drop") {
      } else if (text.starts_with("pause ")) {
        answer.pause_reading(std::chrono::milliseconds(std::stoi(text.substr(6))));
        answer.send(frame_of(text));
      } else if (text == "nothing")
        answer.send_nothing();
      else if (text.starts_with("insert"))
        answer.send(with_insert(text.substr(7)));
      else
        answer.send(frame_of(text));
      return Next::frame;
    }

   private:
    static OutgoingFrame with_insert(const std::string& text) {
      OutgoingFrame frame = frame_of("<>" + text);
      const auto others = std::make_shared<std::string>("others' bytes");
      frame.inserts.push_back({5, as_bytes(*others)});
      frame.inserts.push_back({6, as_bytes(*others)});
      frame.pins.push_back(others);
      return frame;
    }
    Echo& echo_;
  };

  std::unique_ptr<Session> connected(const Peer& peer, Loop&) override {
    const std::lock_guard lock(mutex_);
    peers_.push_back(peer);
    return std::make_unique<EchoSession>(*this);
  }
  void keep(std::shared_ptr<HeldFrame> frame, Answer answer) {
    const std::lock_guard lock(mutex_);
    const std::string text(as_text(frame->bytes()));
    kept_.emplace(text, Kept{std::move(frame), std::move(answer)});
    changed_.notify_all();
  }
  void note(const std::string& text) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(text);
    changed_.notify_all();
  }
  void count_end() {
    const std::lock_guard lock(mutex_);
    ++ended_;
    changed_.notify_all();
  }
  /// Waits until it came.
  void release(const std::string& text) {
    Kept kept;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return kept_.count(text) != 0; });
      kept = std::move(kept_.extract(text).mapped());
    }
    kept.answer.send(frame_of("released " + text));
  }
  void wait_until_seen(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return seen_.size() >= count; });
  }
  void wait_until_ended(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ >= count; });
  }
  std::vector<std::string> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::vector<Peer> peers() {
    const std::lock_guard lock(mutex_);
    return peers_;
  }

 private:
  struct Kept {
    std::shared_ptr<HeldFrame> frame;
    Answer answer;
  };
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::string, Kept> kept_;
  std::vector<std::string> seen_;
  std::vector<Peer> peers_;
  std::size_t ended_ = 0;
};

struct Problems {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> texts;
  std::function<void(const Error&)> listener() {
    return [this](const Error& error) {
      const std::lock_guard lock(mutex);
      texts.push_back(error.message());
      changed.notify_all();
    };
  }
  std::string first() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !texts.empty(); });
    return texts.front();
  }
};

struct Server {
  explicit Server(ListenerOptions options = {}) {
    if (options.addresses.empty()) options.addresses = {{"127.0.0.1:0"}};
    listener = Listener::open(options, echo).value();
  }
  PlainClient client() { return PlainClient(listener->addresses().front().text); }

  Echo echo;
  std::unique_ptr<Listener> listener;
};

}  // namespace

TEST_CASE("frames are answered, however they arrive") {
  const int threads = GENERATE(1, 3);
  CAPTURE(threads);
  ListenerOptions options;
  options.threads = threads;
  Server server(options);
  PlainClient client = server.client();
  REQUIRE(client.is_connected());

  SECTION("one by one") {
    for (const std::string text : {"a", "", "hello"}) {
      REQUIRE(client.send_frame(text));
      CHECK(client.receive() == text);
    }
  }
  SECTION("many at once") {
    std::string all;
    for (int i = 0; i < 1000; ++i) all += PlainClient::framed("frame " + std::to_string(i));
    std::thread sender([&] { (void)client.send(all); });
    for (int i = 0; i < 1000; ++i) CHECK(client.receive() == "frame " + std::to_string(i));
    sender.join();
  }
  SECTION("byte by byte") {
    for (const char byte : PlainClient::framed("slow") + PlainClient::framed("slower")) {
      REQUIRE(client.send(std::string(1, byte)));
    }
    CHECK(client.receive() == "slow");
    CHECK(client.receive() == "slower");
  }
  SECTION("long ones among short ones") {
    const std::string longest(5'000'000, 'x');
    std::thread sender([&] {
      (void)client.send(PlainClient::framed("before") + PlainClient::framed(longest) +
                        PlainClient::framed("after"));
    });
    CHECK(client.receive() == "before");
    CHECK(client.receive() == longest);
    CHECK(client.receive() == "after");
    sender.join();
  }
  SECTION("long ones of many lengths, whose memory goes from one to the next") {
    char letter = 'a';
    for (const std::size_t length :
         {900'000u, 850'000u, 880'000u, 200'000u, 2'000'000u, 190'000u, 900'000u}) {
      const std::string text(length, letter++);
      std::thread sender([&] { (void)client.send_frame(text); });
      CHECK(client.receive() == text);
      sender.join();
    }
  }
  SECTION("a long one that is kept, while others come") {
    PlainClient other = server.client();
    const std::string kept = "keep" + std::string(600'000, 'k');
    std::thread sender([&] { (void)client.send_frame(kept); });
    server.echo.wait_until_seen(1);
    sender.join();
    for (const char letter : {'a', 'b', 'c'}) {
      const std::string text(500'000, letter);
      std::thread next([&] { (void)other.send_frame(text); });
      CHECK(other.receive() == text);
      next.join();
    }
    server.echo.release(kept);
    CHECK(client.receive() == "released " + kept);
  }
}

TEST_CASE("answers leave in the order of the frames, whichever comes first") {
  Server server;
  PlainClient client = server.client();
  client.send(PlainClient::framed("keep 1") + PlainClient::framed("now") +
              PlainClient::framed("keep 2") + PlainClient::framed("nothing") +
              PlainClient::framed("last"));
  server.echo.wait_until_seen(5);
  server.echo.release("keep 2");
  server.echo.release("keep 1");
  for (const std::string text : {"released keep 1", "now", "released keep 2", "last"}) {
    CHECK(client.receive() == text);
  }
}

TEST_CASE("a frame that wants to be alone holds back those behind it") {
  Server server;
  PlainClient client = server.client();
  PlainClient other = server.client();
  client.send(PlainClient::framed("alone") + PlainClient::framed("behind"));
  server.echo.wait_until_seen(1);
  other.send_frame("other");
  CHECK(other.receive() == "other");
  CHECK(server.echo.seen() == std::vector<std::string>{"alone", "other"});
  server.echo.release("alone");
  CHECK(client.receive() == "released alone");
  CHECK(client.receive() == "behind");
}

TEST_CASE("a connection that pauses is answered, but lets nothing in meanwhile") {
  ListenerOptions options;
  options.idle_timeout = std::chrono::milliseconds(10);
  Server server(options);
  PlainClient client = server.client();
  const auto begin = std::chrono::steady_clock::now();
  client.send(PlainClient::framed("pause 80") + PlainClient::framed("keep"));
  CHECK(client.receive() == "pause 80");
  server.echo.release("keep");
  CHECK(client.receive() == "released keep");
  CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(80));
}

TEST_CASE("a connection that pauses for long slows no other, and may be closed") {
  Server server;
  PlainClient client = server.client();
  client.send(PlainClient::framed("pause 3600000") + PlainClient::framed("behind"));
  CHECK(client.receive() == "pause 3600000");
  for (int i = 0; i < 20; ++i) {
    PlainClient other = server.client();
    other.send_frame("other");
    CHECK(other.receive() == "other");
  }
  const auto seen = server.echo.seen();
  CHECK(std::count(seen.begin(), seen.end(), "behind") == 0);
  server.listener->close();
  CHECK(client.is_closed_by_peer());
}

TEST_CASE("no more than so many frames wait for their answers") {
  ListenerOptions options;
  options.most_unanswered = 4;
  Server server(options);
  PlainClient client = server.client();
  std::string all;
  for (int i = 0; i < 10; ++i) all += PlainClient::framed("keep " + std::to_string(i));
  client.send(all);
  PlainClient other = server.client();
  other.send_frame("other");
  CHECK(other.receive() == "other");
  server.echo.wait_until_seen(5);
  CHECK(server.echo.seen().size() == 5);
  for (int i = 0; i < 10; ++i) server.echo.release("keep " + std::to_string(i));
  for (int i = 0; i < 10; ++i) CHECK(client.receive() == "released keep " + std::to_string(i));
}

TEST_CASE("bytes of others are put between without a copy of the frame") {
  Server server;
  PlainClient client = server.client();
  client.send_frame("insert X");
  CHECK(client.receive() == "<others' bytes>others' bytesX");
}

TEST_CASE("an answer that is given up closes its connection and no other") {
  Server server;
  PlainClient client = server.client();
  PlainClient other = server.client();
  client.send_frame("drop");
  CHECK(client.is_closed_by_peer());
  server.echo.wait_until_ended(1);
  other.send_frame("still here");
  CHECK(other.receive() == "still here");
}

TEST_CASE("a frame that is too long, or of negative length, closes its connection") {
  Problems problems;
  ListenerOptions options;
  options.most_frame_bytes = 1000;
  options.on_problem = problems.listener();
  Server server(options);
  PlainClient other = server.client();
  PlainClient client = server.client();
  SECTION("too long") {
    client.send(PlainClient::framed(std::string(1001, 'x')).substr(0, 4));
    CHECK(client.is_closed_by_peer());
    CHECK_THAT(problems.first(), Catch::Contains("1001") && Catch::Contains("1000 are the most") &&
                                     Catch::Contains("socket.request.max.bytes"));
  }
  SECTION("negative") {
    client.send("\xff\xff\xff\xff");
    CHECK(client.is_closed_by_peer());
    CHECK_THAT(problems.first(), Catch::Contains("-1 bytes"));
  }
  other.send_frame("still here");
  CHECK(other.receive() == "still here");
}

TEST_CASE("frames wait for the byte budget, and others go on") {
  ListenerOptions options;
  options.most_frame_bytes = 600'000;
  options.byte_budget = 1'000'000;
  Server server(options);
  PlainClient first = server.client();
  PlainClient second = server.client();
  PlainClient third = server.client();
  const std::string one = "keep one" + std::string(599'000, 'x');
  const std::string two = "keep two" + std::string(599'000, 'x');
  first.send_frame(one);
  server.echo.wait_until_seen(1);
  std::thread sender([&] { (void)second.send_frame(two); });
  third.send_frame("short");
  CHECK(third.receive() == "short");
  CHECK(server.echo.seen().size() == 2);
  server.echo.release(one);
  CHECK(first.receive() == "released " + one);
  server.echo.release(two);
  CHECK(second.receive() == "released " + two);
  sender.join();
}

TEST_CASE("a connection that waits for the budget may go away") {
  ListenerOptions options;
  options.most_frame_bytes = 600'000;
  options.byte_budget = 1'000'000;
  Server server(options);
  PlainClient first = server.client();
  const std::string one = "keep one" + std::string(599'000, 'x');
  first.send_frame(one);
  server.echo.wait_until_seen(1);
  {
    PlainClient second = server.client();
    second.send(PlainClient::framed(one).substr(0, 100'000));
  }
  server.echo.release(one);
  CHECK(first.receive() == "released " + one);
  first.send_frame(one);
  server.echo.release(one);
  CHECK(first.receive() == "released " + one);
}

TEST_CASE("what begins a frame and does not go on is closed, what waits for us is not") {
  Problems problems;
  ListenerOptions options;
  options.stall_timeout = std::chrono::milliseconds(20);
  options.idle_timeout = std::chrono::milliseconds(40);
  options.on_problem = problems.listener();
  Server server(options);
  PlainClient waits = server.client();
  waits.send_frame("keep");
  PlainClient stalls = server.client();
  stalls.send(PlainClient::framed("never comes").substr(0, 7));
  CHECK(stalls.is_closed_by_peer());
  CHECK_THAT(problems.first(), Catch::Contains("127.0.0.1") && Catch::Contains("in time"));
  PlainClient idle = server.client();
  CHECK(idle.is_closed_by_peer());
  server.echo.release("keep");
  CHECK(waits.receive() == "released keep");
}

TEST_CASE("who does not take its answers is closed") {
  Problems problems;
  ListenerOptions options;
  options.stall_timeout = std::chrono::milliseconds(20);
  options.on_problem = problems.listener();
  Server server(options);
  PlainClient client = server.client();
  client.send_frame(std::string(50'000'000, 'x'));
  CHECK_THAT(problems.first(), Catch::Contains("took nothing"));
}

TEST_CASE("more connections than allowed are closed at once") {
  Problems problems;
  ListenerOptions options;
  options.most_connections = 2;
  options.on_problem = problems.listener();
  Server server(options);
  PlainClient first = server.client();
  PlainClient second = server.client();
  first.send_frame("1");
  second.send_frame("2");
  CHECK(first.receive() == "1");
  CHECK(second.receive() == "2");
  PlainClient third = server.client();
  CHECK(third.is_closed_by_peer());
  CHECK_THAT(problems.first(), Catch::Contains("max.connections"));
}

TEST_CASE("a Unix socket is an address like others, and left behind by nobody") {
  const test::TempDirectory directory;
  const std::string path = directory / "socket";
  ListenerOptions options;
  options.addresses = {{"unix:" + path}};
  {
    Server server(options);
    PlainClient client = server.client();
    client.send_frame("local");
    CHECK(client.receive() == "local");
    CHECK(server.echo.peers().front().is_local);
  }
  CHECK(::access(path.c_str(), F_OK) != 0);
}

TEST_CASE("closing ends connections with open answers, and lets late ones go nowhere") {
  Server server;
  PlainClient client = server.client();
  client.send_frame("keep");
  server.echo.wait_until_seen(1);
  server.listener->close();
  CHECK(client.is_closed_by_peer());
  server.echo.release("keep");
  PlainClient late = server.client();
  CHECK_FALSE(late.is_connected());
}

TEST_CASE("addresses that cannot be had are named") {
  Echo echo;
  const auto refusal = [&](const std::string& address) {
    ListenerOptions options;
    options.addresses = {{address}};
    const auto opened = Listener::open(options, echo);
    REQUIRE_FALSE(opened);
    return opened.error();
  };
  CHECK(refusal("9092").code() == Errc::invalid_argument);
  CHECK_THAT(refusal("localhost").message(), Catch::Contains("'localhost' is no address"));
  CHECK_THAT(refusal("127.0.0.1:99999").message(), Catch::Contains("no address"));
  CHECK_THAT(refusal("unix:/" + std::string(200, 'x')).message(), Catch::Contains("107 bytes"));
  Server server;
  const std::string taken = server.listener->addresses().front().text;
  CHECK(refusal(taken).code() == Errc::io_error);
  CHECK_THAT(refusal(taken).message(), Catch::Contains(taken) && Catch::Contains("port 0"));
}
