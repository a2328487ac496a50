#include "base/hash.h"

#include <openssl/evp.h>

#include <array>

namespace premise {
namespace {

const EVP_MD* algorithm(HashKind kind) {
  return kind == HashKind::sha256 ? EVP_sha256() : EVP_md5();
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

std::string_view hash_name(HashKind kind) { return kind == HashKind::sha256 ? "sha256" : "md5"; }

std::size_t hash_digits(HashKind kind) { return kind == HashKind::sha256 ? 64 : 32; }

bool is_hash(HashKind kind, std::string_view text) {
  if (text.size() != hash_digits(kind)) return false;
  for (const char c : text) {
    if (!is_hex_digit(c)) return false;
  }
  return true;
}

void Hasher::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Hasher::Hasher(Context context) : context_(std::move(context)) {}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

Result<Hasher> Hasher::create(HashKind kind) {
  Context context(EVP_MD_CTX_new());
  if (!context || EVP_DigestInit_ex(context.get(), algorithm(kind), nullptr) != 1) {
    return error(ErrorCode::internal,
                 {"OpenSSL on this system refuses to compute {}", "本机的 OpenSSL 拒绝计算 {}"},
                 hash_name(kind))
        .with_hint(text(
            {"a FIPS policy forbids MD5; use SHA-256", "FIPS 策略禁止使用 MD5；请改用 SHA-256"}));
  }
  return Hasher(std::move(context));
}

void Hasher::update(std::span<const std::byte> bytes) {
  [[maybe_unused]] const int done = EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
  assert(done == 1);
}

std::string Hasher::hex() const {
  // Finishing spoils a context, so that a copy is finished and this one may go on.
  const Context copy(EVP_MD_CTX_new());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  [[maybe_unused]] const bool done = copy && EVP_MD_CTX_copy_ex(copy.get(), context_.get()) == 1 &&
                                     EVP_DigestFinal_ex(copy.get(), digest.data(), &length) == 1;
  assert(done);
  std::string text;
  text.reserve(2 * length);
  constexpr std::string_view digits = "0123456789abcdef";
  for (unsigned i = 0; i < length; ++i) {
    text.push_back(digits[digest[i] >> 4]);
    text.push_back(digits[digest[i] & 15]);
  }
  return text;
}

Result<std::string> hash_of(HashKind kind, std::string_view bytes) {
  PREMISE_TRY(Hasher hasher, Hasher::create(kind));
  hasher.update(bytes);
  return hasher.hex();
}

}  // namespace premise
