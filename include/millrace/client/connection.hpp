#pragma once
#include <deque>
#include <memory>
#include <millrace/protocol/headers.hpp>
#include <millrace/protocol/message_codec.hpp>
#include <millrace/transport/channel.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::client {

struct ConnectionOptions {
  std::string client_id = "millrace";
  transport::ChannelOptions channel = {};
};

/// Asks a broker, ours or another, in Kafka's protocol: in the newest version of each API that both
/// sides know. Requests may be sent ahead; answers come in their order. Blocking, for one thread.
/// After an io_error or corrupt_data the connection is of no use.
class Connection {
 public:
  /// Errors: those of transport::Channel::open(); unsupported if it is a broker without ApiVersions
  /// (KIP-35).
  static Result<std::unique_ptr<Connection>> open(const std::string& address,
                                                  const ConnectionOptions& options = {});

  const std::string& address() const noexcept { return channel_.address(); }
  /// The newest version of an API within `ours` that the broker serves; unsupported, naming API
  /// and broker, if there is none.
  Result<protocol::ApiVersion> version_of(protocol::ApiKey key, protocol::Versions ours) const;
  bool serves(protocol::ApiKey key) const noexcept;

  /// Sends a request and does not wait for its answer. `most` is the newest version to use. What
  /// `request` borrows must last until this returns.
  template <typename Request>
  Result<void> send(const Request& request, protocol::ApiVersion most = Request::versions.last) {
    MILLRACE_TRY(const auto version, version_of(Request::api_key, {Request::versions.first, most}));
    MILLRACE_CHECK(begin(Request::api_key, version));
    MILLRACE_CHECK(protocol::MessageCodec<Request>::encode(request, version, writer_));
    return finish();
  }
  /// The same for one that has no answer: a Produce with acks 0.
  template <typename Request>
  Result<void> send_only(const Request& request) {
    MILLRACE_CHECK(send(request));
    unanswered_.pop_back();
    return {};
  }
  /// The answer to the oldest request that has none yet, which must be one of that API. Its byte
  /// strings are valid until the next call.
  template <typename Response>
  Result<Response> receive() {
    MILLRACE_TRY(const Answer answer, receive_any());
    return protocol::MessageCodec<Response>::decode(answer.body, answer.version);
  }
  template <typename Response, typename Request>
  Result<Response> call(const Request& request,
                        protocol::ApiVersion most = Request::versions.last) {
    static_assert(Request::api_key == Response::api_key);
    MILLRACE_CHECK(send(request, most));
    return receive<Response>();
  }

  std::size_t unanswered() const noexcept { return unanswered_.size(); }
  /// Whether receive() would not wait.
  bool has_answer() const noexcept { return channel_.has_frame(); }
  /// Has what waits, in any thread, return with an error.
  void interrupt() const noexcept { channel_.interrupt(); }
  /// How long an answer may take; 0 is for ever.
  void set_timeout(std::chrono::milliseconds timeout) { channel_.set_timeout(timeout); }

 private:
  struct Sent {
    protocol::ApiKey key;
    protocol::ApiVersion version;
    std::int32_t correlation_id;
  };
  struct Answer {
    Bytes body;
    protocol::ApiVersion version;
  };
  struct Range {
    protocol::ApiKey key;
    protocol::Versions versions;
  };

  Connection(transport::Channel channel, std::string client_id)
      : channel_(std::move(channel)), client_id_(std::move(client_id)) {}
  Result<void> negotiate();
  Result<void> begin(protocol::ApiKey key, protocol::ApiVersion version);
  Result<void> finish();
  Result<Answer> receive_any();

  transport::Channel channel_;
  const std::string client_id_;
  std::vector<Range> served_;
  protocol::MessageWriter writer_;
  protocol::MessageWriter::Mark frame_;
  Sent begun_ = {};
  std::deque<Sent> unanswered_;
  std::int32_t last_id_ = 0;
};

}  // namespace millrace::inline v0::client
