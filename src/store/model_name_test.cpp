#include "store/model_name.h"

#include <gtest/gtest.h>

namespace premise {
namespace {

TEST(ModelNameTest, ATagFollowsAColon) {
  const ModelName name = *parse_model_name("gemma3:270m-base");
  EXPECT_EQ(name.name, "gemma3");
  EXPECT_EQ(name.tag, "270m-base");
  EXPECT_EQ(name.text(), "gemma3:270m-base");
}

TEST(ModelNameTest, WithoutATagItIsLatest) {
  EXPECT_EQ(parse_model_name("qwen2.5")->text(), "qwen2.5:latest");
}

TEST(ModelNameTest, HostileNamesAreRefused) {
  const std::string long_name(97, 'a');
  for (const std::string& name :
       {std::string(), std::string(":"), std::string("a:"), std::string(":a"), std::string("a:b:c"),
        std::string("../a"), std::string("a/b"), std::string(".hidden"), std::string("-rf"),
        std::string("a b"), std::string("a\nb"), std::string("a\x1b[2Jb"), std::string("a\0b", 3),
        std::string("模型"), std::string("a:../../b"), std::string("a%2e"), long_name,
        "a:" + std::string(65, 'b')}) {
    const auto parsed = parse_model_name(name);
    ASSERT_FALSE(parsed.ok()) << name;
    EXPECT_EQ(parsed.error().code, ErrorCode::usage);
    EXPECT_EQ(parsed.error().what.en.find('\x1b'), std::string::npos);
  }
  EXPECT_TRUE(parse_model_name(long_name.substr(1)).ok());
}

}  // namespace
}  // namespace premise
