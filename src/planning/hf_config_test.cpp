#include "planning/hf_config.h"

#include <gmock/gmock.h>

namespace premise {
namespace {

using ::testing::HasSubstr;

constexpr const char* small =
    R"({"model_type":"llama","num_hidden_layers":2,"hidden_size":64,"intermediate_size":128,
        "num_attention_heads":4,"vocab_size":320,"max_position_embeddings":512,
        "torch_dtype":"float16"})";

std::string with(std::string text, std::string_view from, std::string_view to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

TEST(HfConfig, FieldsLeftOutHaveTheirClassesDefaults) {
  const auto model = parse_hf_config(small, "config.json");
  ASSERT_TRUE(model.ok()) << model.error().what.en;
  EXPECT_EQ(model->shape.kv_heads, 4u);   // as many as heads
  EXPECT_EQ(model->shape.head_dim, 16u);  // hidden / heads
  EXPECT_FALSE(model->shape.tied);
  EXPECT_EQ(model->dtype, DType::f16);
}

TEST(HfConfig, AWindowOfNullIsNone) {
  const std::string mistral = with(small, "llama", "mistral");
  EXPECT_EQ(parse_hf_config(mistral, "c")->shape.window, 4096u);
  EXPECT_EQ(parse_hf_config(with(mistral, "{", R"({"sliding_window":null,)"), "c")->shape.window,
            0u);
  const std::string qwen = with(small, "llama", "qwen2");
  EXPECT_EQ(parse_hf_config(with(qwen, "{", R"({"sliding_window":99,)"), "c")->shape.window, 0u);
}

struct BadConfig {
  std::string text;
  const char* says;
};

TEST(HfConfig, RefusesWhatItCannotUseAndSaysWhere) {
  const BadConfig cases[] = {
      {"", "not a JSON document"},
      {"[]", "not a JSON object"},
      {std::string(100'000, '['), "not a JSON document"},
      {"{}", "model_type"},
      {R"({"model_type":"mamba\u001b[2J"})", "mamba\\x1b[2J"},
      {with(small, R"("hidden_size":64)", R"("hidden_size":-64)"), "hidden_size"},
      {with(small, R"("hidden_size":64)", R"("hidden_size":6.4)"), "hidden_size"},
      {with(small, R"("hidden_size":64)", R"("hidden_size":"64")"), "hidden_size"},
      {with(small, R"("hidden_size":64)", R"("hidden_size":1e99)"), "hidden_size"},
      {with(small, R"("hidden_size":64,)", ""), "hidden_size is missing"},
      {with(small, R"("num_attention_heads":4)", R"("num_attention_heads":0)"),
       "num_attention_heads is 0"},
      {with(small, "{", R"({"tie_word_embeddings":1,)"), "tie_word_embeddings"},
  };
  for (const BadConfig& bad : cases) {
    const auto model = parse_hf_config(bad.text, "config.json");
    ASSERT_FALSE(model.ok()) << bad.text.substr(0, 200);
    EXPECT_EQ(model.error().code, ErrorCode::bad_input);
    EXPECT_THAT(model.error().what.en, HasSubstr(bad.says));
    EXPECT_THAT(model.error().what.en, HasSubstr("config.json"));
  }
}

TEST(HfConfig, AbsurdSizesAreRefusedBeforeTensorsAreListed) {
  for (const char* absurd : {R"("num_hidden_layers":4294967296)", R"("num_hidden_layers":0)"}) {
    const auto model =
        parse_hf_config(with(small, R"("num_hidden_layers":2)", absurd), "config.json");
    ASSERT_TRUE(model.ok());
    const auto source = shape_source(model->shape, DType::f16, "config.json");
    ASSERT_FALSE(source.ok());
    EXPECT_EQ(source.error().code, ErrorCode::bad_input);
    EXPECT_THAT(source.error().what.en, HasSubstr("layers"));
  }
}

}  // namespace
}  // namespace premise
