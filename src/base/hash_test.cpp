// Expected digests: FIPS 180-4 examples (SHA-256) and RFC 1321, appendix A.5 (MD5).
#include "base/hash.h"

#include <gtest/gtest.h>

namespace premise {
namespace {

TEST(HashTest, Sha256EqualsThePublishedVectors) {
  EXPECT_EQ(*hash_of(HashKind::sha256, ""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(*hash_of(HashKind::sha256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(*hash_of(HashKind::sha256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(HashTest, Md5EqualsThePublishedVectors) {
  EXPECT_EQ(*hash_of(HashKind::md5, ""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(*hash_of(HashKind::md5, "message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(HashTest, PiecesGiveTheDigestOfTheWhole) {
  const std::string million(1000000, 'a');
  Hasher hasher = *Hasher::create(HashKind::sha256);
  for (std::size_t begin = 0, step = 1; begin < million.size();
       begin += step, step = step * 3 % 9973) {
    hasher.update(std::string_view(million).substr(begin, step));
  }
  EXPECT_EQ(hasher.hex(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(HashTest, AskingForTheDigestDoesNotEndTheStream) {
  Hasher hasher = *Hasher::create(HashKind::sha256);
  hasher.update("a");
  EXPECT_NE(hasher.hex(), *hash_of(HashKind::sha256, "abc"));
  hasher.update("bc");
  EXPECT_EQ(hasher.hex(), *hash_of(HashKind::sha256, "abc"));
}

TEST(HashTest, ADigestIsToldFromOtherText) {
  EXPECT_TRUE(is_hash(HashKind::md5, "D41D8cd98f00b204e9800998ecf8427e"));
  EXPECT_FALSE(is_hash(HashKind::md5, "d41d8cd98f00b204e9800998ecf8427"));
  EXPECT_FALSE(is_hash(HashKind::md5, "d41d8cd98f00b204e9800998ecf8427g"));
  EXPECT_FALSE(is_hash(HashKind::sha256, "d41d8cd98f00b204e9800998ecf8427e"));
}

}  // namespace
}  // namespace premise
