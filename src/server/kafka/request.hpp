#pragma once
#include <memory>
#include <millrace/protocol/headers.hpp>
#include <millrace/protocol/message_codec.hpp>
#include <millrace/server/access.hpp>
#include <millrace/transport/session.hpp>

#include "server/security/quotas.hpp"
#include "server/security/sasl_session.hpp"

namespace millrace::inline v0::server {

class ServerState;
class ParkedFetches;

/// One connection, for as long as a request of it is under way.
struct Client {
  ServerState& state;
  transport::Peer peer;
  transport::Loop& loop;
  std::shared_ptr<ParkedFetches> parked;   ///< of the loop
  std::unique_ptr<SaslSession> sasl = {};  ///< null: it need not say who it is
  /// As rules name it. Changes once, before anything else is under way.
  std::string principal = "User:ANONYMOUS";
  std::string host = {};  ///< its address without the port
};
using ClientPtr = std::shared_ptr<Client>;

/// A request under way: what was asked, and the duty to answer. May be moved to another thread, if
/// its frame is held.
class Request {
 public:
  Request(ClientPtr client, protocol::RequestHeader header, MutableBytes body,
          transport::Answer answer)
      : client_(std::move(client)),
        header_(std::move(header)),
        body_(body),
        answer_(std::move(answer)) {}

  const Client& client() const noexcept { return *client_; }
  const ClientPtr& client_ptr() const noexcept { return client_; }
  ServerState& state() const noexcept { return client_->state; }
  const protocol::RequestHeader& header() const noexcept { return header_; }
  protocol::ApiVersion version() const noexcept { return header_.api_version; }
  /// Empty if it has none.
  const std::string& client_id() const noexcept {
    static const std::string nameless;
    return header_.client_id ? *header_.client_id : nameless;
  }
  MutableBytes body() const noexcept { return body_; }

  /// Keeps the frame as long as the request; `body` is where its body is from now on.
  void hold(std::shared_ptr<transport::HeldFrame> frame, MutableBytes body) {
    frame_ = std::move(frame);
    body_ = body;
  }

  /// Byte strings of the message point into the body.
  template <typename Message>
  Result<Message> read() const {
    return protocol::MessageCodec<Message>::decode(body_, header_.api_version,
                                                   {.accept_left_over = true});
  }

  using Pins = std::vector<std::shared_ptr<const void>>;
  /// What the message borrows is kept by `pins` until it has been sent.
  template <typename Message>
  void respond(const Message& message, Pins pins = {}) {
    protocol::MessageWriter writer;
    begin_response(writer);
    const auto written =
        protocol::MessageCodec<Message>::encode(message, header_.api_version, writer);
    end_response(written, std::move(writer), std::move(pins));
  }
  void respond_with_nothing();
  /// Closes the connection: there is no answer that the client would understand.
  void refuse(const Error& why);

  /// Whether the client may do that. Without rules everybody may do everything.
  bool may(Operation operation, ResourceType type, std::string_view name) const;
  bool may_topic(Operation operation, std::string_view name) const {
    return may(operation, ResourceType::topic, name);
  }
  bool may_group(Operation operation, std::string_view name) const {
    return may(operation, ResourceType::group, name);
  }
  bool may_cluster(Operation operation) const {
    return may(operation, ResourceType::cluster, cluster_name);
  }
  bool may_transactional_id(Operation operation, std::string_view name) const {
    return may(operation, ResourceType::transactional_id, name);
  }

  /// Counts bytes against the quota of the client. If it has used that up, its connection is not
  /// read from for so many milliseconds, which it is to be told.
  std::int32_t charge(Quotas::Direction direction, std::size_t bytes);

  /// In which version it is answered: ApiVersions of one that is not known has another.
  void set_version(protocol::ApiVersion version) noexcept { header_.api_version = version; }

 private:
  void begin_response(protocol::MessageWriter& writer) const;
  void count(std::size_t response_bytes) const;
  void end_response(const Result<void>& written, protocol::MessageWriter&& writer, Pins pins);

  ClientPtr client_;
  protocol::RequestHeader header_;
  std::shared_ptr<transport::HeldFrame> frame_;
  MutableBytes body_;
  transport::Answer answer_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace millrace::inline v0::server
