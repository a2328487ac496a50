#include "store/sources/url.h"

#include <gtest/gtest.h>

namespace premise {
namespace {

TEST(UrlTest, SecretsAreNeverShown) {
  EXPECT_EQ(shown_url("https://user:secret@mirror.example:8443/simple/a/?token=secret#secret"),
            "https://mirror.example:8443/simple/a/");
  EXPECT_EQ(shown_url("https://token@mirror.example/simple"), "https://mirror.example/simple");
  EXPECT_EQ(shown_url("https://mirror.example:port/secret").find("secret"), std::string::npos);
}

TEST(UrlTest, ReferencesAreSeenFromTheirPage) {
  EXPECT_EQ(*resolve_url("https://m.example/simple/a/", "../../files/a.whl#sha256=ab"),
            "https://m.example/files/a.whl#sha256=ab");
  EXPECT_EQ(*resolve_url("https://m.example/simple/a/", "https://f.example/a.whl"),
            "https://f.example/a.whl");
  EXPECT_EQ(*resolve_url("file:///srv/simple/a/index.html", "../../files/a.whl"),
            "file:///srv/files/a.whl");
}

TEST(UrlTest, ALoginGoesOnlyWhereItBelongs) {
  const std::string login = "https://me:pw@m.example/simple";
  EXPECT_EQ(with_credentials_of(login, "https://m.example/f/a.whl"),
            "https://me:pw@m.example/f/a.whl");
  for (const std::string other : {"https://f.example/a.whl", "http://m.example/a.whl",
                                  "https://m.example:8443/a.whl", "https://you@m.example/a.whl"}) {
    EXPECT_EQ(with_credentials_of(login, other), other);
  }
}

TEST(UrlTest, FilePathsGoThereAndBack) {
  const std::filesystem::path path = "/srv/模型 100%/a#b.whl";
  EXPECT_EQ(local_path(file_url(path)), path);
  EXPECT_FALSE(local_path("https://m.example/a"));
  EXPECT_FALSE(local_path("file:///a%00b"));
}

TEST(UrlTest, BrokenEscapesStayAsTheyAre) {
  EXPECT_EQ(percent_decoded("a%20b%2"), "a b%2");
  EXPECT_EQ(percent_decoded("%zz%"), "%zz%");
}

}  // namespace
}  // namespace premise
