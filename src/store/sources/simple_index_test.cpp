#include "store/sources/simple_index.h"

#include <gtest/gtest.h>

#include "store/test_support.h"

namespace premise {
namespace {

const std::string page_url = "https://m.example/simple/my-model/";
const std::string digest = sha256_of("a wheel");

std::vector<IndexFile> html(std::string_view body) {
  return *parse_index_page(body, "text/html; charset=utf-8", page_url);
}

TEST(SimpleIndexTest, ProjectNamesAreNormalizedAsPep503Says) {
  EXPECT_EQ(normalized_project("My__Model.-x"), "my-model-x");
  EXPECT_EQ(normalized_project("gemma3-270m"), "gemma3-270m");
}

TEST(SimpleIndexTest, ReadsJsonPages) {
  const std::string body = R"({"meta":{"api-version":"1.1"},"files":[
    {"filename":"my_model-1.0-py3-none-any.whl","url":"../../f/my_model-1.0-py3-none-any.whl",
     "hashes":{"sha256":")" +
                           digest + R"("},"size":7,"yanked":false},
    {"filename":5,"url":"https://f.example/x.tar.gz","hashes":{}}, "rubbish", {"url":7}]})";
  const auto files = *parse_index_page(body, "application/vnd.pypi.simple.v1+json", page_url);
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].file_name, "my_model-1.0-py3-none-any.whl");
  EXPECT_EQ(files[0].url, "https://m.example/f/my_model-1.0-py3-none-any.whl");
  EXPECT_EQ(files[0].sha256, digest);
  EXPECT_EQ(files[0].bytes, 7u);
  EXPECT_EQ(files[1].file_name, "x.tar.gz");
  EXPECT_FALSE(files[1].bytes);
}

TEST(SimpleIndexTest, ReadsHtmlPages) {
  const auto files = html(R"(<!DOCTYPE html><html><head><title>a > b</title></head><body>
    <!-- <a href="comment.whl">no</a> -->
    <A class=x data-requires-python="&gt;=3.9" HREF='../../f/my%5Fmodel-1.0-py3-none-any.whl#sha256=)" +
                          digest + R"('>x</A>
    <a href=https://f.example/x.tar.gz?a=1&amp;b=2>x</a><a name="none">y</a><a href></a>)");
  ASSERT_GE(files.size(), 2u);
  EXPECT_EQ(files[0].file_name, "my_model-1.0-py3-none-any.whl");
  EXPECT_EQ(files[0].url, "https://m.example/f/my%5Fmodel-1.0-py3-none-any.whl");
  EXPECT_EQ(files[0].sha256, digest);
  EXPECT_EQ(files[1].url, "https://f.example/x.tar.gz?a=1&b=2");
  EXPECT_EQ(files[1].sha256, "");
}

TEST(SimpleIndexTest, ABaseElementMovesThePage) {
  const auto files = html(R"(<base href="https://cdn.example/x/"><a href="a.whl">a</a>)");
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].url, "https://cdn.example/x/a.whl");
}

TEST(SimpleIndexTest, APageOfTheNetworkCannotPointAtFilesOfThisMachine) {
  EXPECT_TRUE(html(R"(<a href="file:///etc/passwd">a</a><a href="javascript:x">b</a>)").empty());
}

TEST(SimpleIndexTest, AnEntryWithABrokenDigestIsLeftOut) {
  EXPECT_TRUE(html(R"(<a href="a.whl#sha256=12">a</a>)").empty());
}

TEST(SimpleIndexTest, WhatIsNoPageIsAnError) {
  for (const char* type : {"application/json", "text/html"}) {
    const auto files = parse_index_page("not found", type, "https://u:secret@m.example/a/");
    ASSERT_FALSE(files.ok());
    EXPECT_EQ(files.error().code, ErrorCode::network);
    EXPECT_EQ(files.error().what.en.find("secret"), std::string::npos);
  }
}

TEST(SimpleIndexTest, EveryCutAndEveryByteOfAPageIsSurvived) {
  const std::string page = R"(<!-- c --><base href="/b/"><a x=1 y='2' href="a.whl#sha256=)" +
                           digest + R"(" data-yanked>a</a>)";
  for (std::size_t cut = 0; cut < page.size(); ++cut) {
    (void)parse_index_page(page.substr(0, cut), "text/html", page_url);
    std::string changed = page;
    for (const char c : {'<', '>', '"', '\0', '=', '\xff'}) {
      changed[cut] = c;
      (void)parse_index_page(changed, "text/html", page_url);
    }
  }
}

TEST(SimpleIndexTest, OnlyTheWheelOfThatVersionFits) {
  const auto file = [](std::string name) {
    return IndexFile{.file_name = std::move(name), .url = {}, .sha256 = {}, .bytes = {}};
  };
  const std::vector<IndexFile> files{file("my_model-1.0.tar.gz"),
                                     file("my_model-1.0.1-py3-none-any.whl"),
                                     file("my_model_extra-1.0-py3-none-any.whl"),
                                     file("my_model-1.0-cp311-cp311-linux_x86_64.whl"),
                                     file("My.Model-1.0-py3-none-any.whl"),
                                     file("-.whl"),
                                     file("-none-any.whl")};
  const auto wheel = find_wheel(files, "my-model", "1.0");
  ASSERT_TRUE(wheel);
  EXPECT_EQ(wheel->file_name, "My.Model-1.0-py3-none-any.whl");
  EXPECT_FALSE(find_wheel(files, "my-model", "2.0"));
}

}  // namespace
}  // namespace premise
