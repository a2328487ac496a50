#include "serve/page/page.h"

#include <gmock/gmock.h>

#include <string>

namespace premise {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr PageFile files[] = {
    {"/assets/index-1a2b.js", "text/javascript; charset=utf-8", "aaaa", "let x = 1;", "GZ"},
    {"/favicon.svg", "image/svg+xml", "bbbb", "<svg/>", ""},
    {"/index.html", "text/html; charset=utf-8", "cccc", "<!doctype html>", "GZIP"},
};

HttpRequest ask(std::string path, HttpFields headers = {}, std::string method = "GET") {
  HttpRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.headers = std::move(headers);
  return request;
}

HttpResponse answer(std::string path, HttpFields headers = {}) {
  return page_response(ask(std::move(path), std::move(headers)), files).value();
}

std::string field(const HttpResponse& response, std::string_view name) {
  return std::string(response.headers.find(name).value_or("none"));
}

TEST(Page, IsItsIndexFile) {
  for (const char* path : {"/", "/index.html"}) {
    const HttpResponse response = answer(path);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "<!doctype html>");
    EXPECT_EQ(field(response, "content-type"), "text/html; charset=utf-8");
  }
}

TEST(Page, LeavesEveryOtherPathAndMethodToTheApi) {
  for (const char* path : {"", "/v1/models", "/index", "/index.html/", "/favicon.ico", "/assets",
                           "//", "/../assets/x", "*"})
    EXPECT_FALSE(page_response(ask(path), files)) << path;
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
    EXPECT_FALSE(page_response(ask("/", {}, method), files)) << method;
  EXPECT_TRUE(page_response(ask("/", {}, "HEAD"), files));
}

TEST(Page, HasNoFileThatIsNotInItsTable) {
  for (const char* path : {"/assets/", "/assets/none.js", "/assets/../index.html",
                           "/assets//index-1a2b.js", "/assets/index-1a2b.js/"})
    EXPECT_EQ(answer(path).status, 404) << path;
}

TEST(Page, IsKeptForeverByHashedNameAndAskedForAgainByOthers) {
  EXPECT_EQ(field(answer("/assets/index-1a2b.js"), "cache-control"),
            "public, max-age=31536000, immutable");
  EXPECT_EQ(field(answer("/"), "cache-control"), "no-cache");
  EXPECT_EQ(field(answer("/favicon.svg"), "cache-control"), "no-cache");
  EXPECT_EQ(field(answer("/assets/none.js"), "cache-control"), "no-store");
}

TEST(Page, IsCompressedForThoseWhoAcceptIt) {
  for (const char* accepted :
       {"gzip", "br, GZIP", "gzip;q=0.5", "deflate , gzip; q=1", "*", "br;q=0, *;q=0.1"}) {
    const HttpResponse response = answer("/", {{"Accept-Encoding", accepted}});
    EXPECT_EQ(response.body, "GZIP") << accepted;
    EXPECT_EQ(field(response, "content-encoding"), "gzip");
  }
  for (const char* refused : {"", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *",
                              "*, gzip;q=0", "gzip;q=", "gzip;level=9", "xgzip", ",;,"}) {
    const HttpResponse response = answer("/", {{"Accept-Encoding", refused}});
    EXPECT_EQ(response.body, "<!doctype html>") << refused;
    EXPECT_EQ(field(response, "content-encoding"), "none");
    EXPECT_EQ(field(response, "vary"), "accept-encoding");
  }
  EXPECT_EQ(answer("/favicon.svg", {{"Accept-Encoding", "gzip"}}).body, "<svg/>");
}

TEST(Page, IsNotSentAgainToThoseWhoHaveIt) {
  const std::string tag = field(answer("/"), "etag");
  EXPECT_EQ(tag, "\"cccc\"");
  for (const std::string& known : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")}) {
    const HttpResponse response = answer("/", {{"If-None-Match", known}});
    EXPECT_EQ(response.status, 304) << known;
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(field(response, "etag"), tag);
    EXPECT_EQ(field(response, "cache-control"), "no-cache");
  }
  for (const char* other : {"", "\"x\"", "cccc", "\"cccc-gzip\""})
    EXPECT_EQ(answer("/", {{"If-None-Match", other}}).status, 200) << other;
}

TEST(Page, HasATagForEachEncoding) {
  const HttpFields gzip{{"Accept-Encoding", "gzip"}, {"If-None-Match", "\"cccc\""}};
  EXPECT_EQ(answer("/", gzip).status, 200);
  EXPECT_EQ(field(answer("/", gzip), "etag"), "\"cccc-gzip\"");
}

TEST(Page, RunsAndLoadsNothingButItself) {
  for (const char* path : {"/", "/assets/index-1a2b.js", "/assets/none.js"}) {
    const std::string policy = field(answer(path), "content-security-policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
    EXPECT_THAT(policy, HasSubstr("require-trusted-types-for 'script'"));
    EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
    EXPECT_THAT(policy, Not(HasSubstr("http")));
    EXPECT_EQ(field(answer(path), "x-content-type-options"), "nosniff");
  }
}

TEST(Page, SaysThatItIsNotThereWhereItWasNotBuilt) {
  const HttpResponse response = page_response(ask("/"), {}).value();
  EXPECT_EQ(response.status, 404);
  EXPECT_THAT(response.body, HasSubstr("PREMISE_PAGE"));
  EXPECT_THAT(response.body, HasSubstr("未包含网页"));
  // These tests are such a program: the files are linked into `premise` alone.
  EXPECT_EQ(page_response(ask("/")).value().status, 404);
}

}  // namespace
}  // namespace premise
