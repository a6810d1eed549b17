#include "server/security/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace millrace::inline v0::server {
namespace {

const EVP_MD* algorithm(Digest digest) noexcept {
  return digest == Digest::sha_256 ? EVP_sha256() : EVP_sha512();
}

const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) noexcept {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string room_for(Digest digest) {
  return std::string(static_cast<std::size_t>(EVP_MD_get_size(algorithm(digest))), '\0');
}

}  // namespace

std::string hash(Digest digest, std::string_view data) {
  std::string result = room_for(digest);
  const int done =
      EVP_Digest(data.data(), data.size(), bytes_of(result), nullptr, algorithm(digest), nullptr);
  return done == 1 ? result : std::string();
}

std::string hmac(Digest digest, std::string_view key, std::string_view data) {
  std::string result = room_for(digest);
  const auto* done = HMAC(algorithm(digest), key.data(), static_cast<int>(key.size()),
                          bytes_of(data), data.size(), bytes_of(result), nullptr);
  return done != nullptr ? result : std::string();
}

std::string stretch(Digest digest, std::string_view password, std::string_view salt,
                    int iterations) {
  std::string result = room_for(digest);
  const int done =
      PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes_of(salt),
                        static_cast<int>(salt.size()), iterations, algorithm(digest),
                        static_cast<int>(result.size()), bytes_of(result));
  return done == 1 ? result : std::string();
}

Result<std::string> random_bytes(std::size_t count) {
  std::string result(count, '\0');
  if (RAND_bytes(bytes_of(result), static_cast<int>(count)) == 1) return result;
  return Error(Errc::io_error, "the system has no random bytes for authentication");
}

bool is_equal(std::string_view left, std::string_view right) noexcept {
  return !left.empty() && left.size() == right.size() &&
         CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and a zero that OpenSSL writes
  text.resize(static_cast<std::size_t>(
      EVP_EncodeBlock(bytes_of(text), bytes_of(bytes), static_cast<int>(bytes.size()))));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length =
      EVP_DecodeBlock(bytes_of(bytes), bytes_of(text), static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text.size() > padding && text[text.size() - 1 - padding] == '=') ++padding;
  bytes.resize(bytes.size() - padding);
  // OpenSSL passes over white space and stray bits.
  if (to_base64(bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace millrace::inline v0::server
