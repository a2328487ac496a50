// Streaming digests over OpenSSL. SHA-256 is what Premise trusts; MD5 is here only because some
// publishers still print nothing else beside their files, and it proves no more than a good
// transfer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct evp_md_ctx_st;

namespace premise {

enum class HashKind { sha256, md5 };

/// "sha256", "md5".
std::string_view hash_name(HashKind kind);

/// Length of the digest in hexadecimal digits.
std::size_t hash_digits(HashKind kind);

/// True when `text` has the right length and only hexadecimal digits of either case.
bool is_hash(HashKind kind, std::string_view text);

/// A digest in the making. Not thread-safe; movable.
class Hasher {
 public:
  /// An Error (internal) where the system's OpenSSL refuses the algorithm, as FIPS mode does MD5.
  static Result<Hasher> create(HashKind kind);

  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text) { update(std::as_bytes(std::span(text))); }

  /// The digest of everything so far, in lower-case hexadecimal; updating may go on afterwards.
  std::string hex() const;

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  using Context = std::unique_ptr<evp_md_ctx_st, Free>;
  explicit Hasher(Context context);
  Context context_;
};

/// The digest of bytes at hand.
Result<std::string> hash_of(HashKind kind, std::string_view bytes);

}  // namespace premise
