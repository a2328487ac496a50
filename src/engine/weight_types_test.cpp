// Every type that weights may have, through whole models: what a type is worth is decided by its
// decoder alone, and the kernels compute with that.
//
// Deviations are measured as max |difference| / std(logits of the reference), over 48 positions.
#include <gtest/gtest.h>

#include <map>

#include "engine/logits_testing.h"

namespace premise {
namespace {

using testing::deviation;
using testing::Logits;
using testing::MatrixType;

struct Case {
  DType type;
  double tolerance;  // of the CPU backend against the interpreter
};

// With a KV cache of F32. Plain types: the order of sums (5e-6 measured). The others: int16
// activations, much the same for every type (2.9e-4 to 3.8e-4 measured). AVX2 and AVX-512 agree bit
// for bit.
constexpr double plain = 1e-4;
constexpr double quantized = 1e-3;
constexpr Case cases[] = {
    {DType::f32, plain},      {DType::f16, plain},        {DType::bf16, plain},
    {DType::q8_0, quantized}, {DType::q4_0, quantized},   {DType::q4_1, quantized},
    {DType::q5_0, quantized}, {DType::q5_1, quantized},   {DType::q2_k, quantized},
    {DType::q3_k, quantized}, {DType::q4_k, quantized},   {DType::q5_k, quantized},
    {DType::q6_k, quantized}, {DType::iq4_nl, quantized}, {DType::iq4_xs, quantized},
};

// The Llama model with matrices of a type, and what the interpreter makes of it.
struct Subject {
  testing::TinyFile file;
  Logits interpreted;
};

Result<Logits> logits_of(const testing::TinyFile& file, std::string_view isa,
                         ActivationBits activations = ActivationBits::sixteen) {
  std::vector<TokenId> tokens;
  for (int i = 0; i < 48; ++i) tokens.push_back(i * 37 % 320);
  EngineOptions options;
  options.context = tokens.size();
  options.tokens_per_step = 20;
  options.kv_type = DType::f32;
  options.activations = activations;
  return testing::score(*file.source, isa, 2, options, tokens);
}

Result<Subject> make_subject(MatrixType as) {
  Subject subject;
  PREMISE_TRY(const auto model, testing::tiny_model("llama"));
  PREMISE_TRY(subject.file, testing::tiny_file(model, as));
  PREMISE_TRY(subject.interpreted, logits_of(subject.file, "ref"));
  return subject;
}

class WeightType : public ::testing::TestWithParam<Case> {
 protected:
  // Made once for the tests of a type: searching block scales takes a while.
  static const Subject& subject() {
    static std::map<DType, Result<Subject>> made;
    const DType type = GetParam().type;
    auto found = made.find(type);
    if (found == made.end()) found = made.emplace(type, make_subject({type})).first;
    EXPECT_TRUE(found->second.ok()) << (found->second.ok() ? "" : found->second.error().what.en);
    return *found->second;
  }

  static void compare(std::string_view isa) {
    if (const std::string why = testing::why_not(isa); !why.empty()) GTEST_SKIP() << why;
    const auto logits = logits_of(subject().file, isa);
    ASSERT_TRUE(logits.ok()) << logits.error().what.en;
    const double measured = deviation(*logits, subject().interpreted);
    RecordProperty("deviation", fmt::format("{:.2e}", measured));
    EXPECT_LT(measured, GetParam().tolerance);
  }
};

TEST_P(WeightType, InterpretedIsItsDecodedValues) {
  const auto decoded = make_subject({GetParam().type, true});
  ASSERT_TRUE(decoded.ok()) << decoded.error().what.en;
  EXPECT_LT(deviation(subject().interpreted, decoded->interpreted), 1e-5);
}
TEST_P(WeightType, Avx2EqualsInterpreter) { compare("avx2"); }
TEST_P(WeightType, Avx512EqualsInterpreter) { compare("avx512"); }

// 8 bits where a group does not stand out: 4e-2 to 8e-2 measured, as noise that nothing adds up.
TEST_P(WeightType, MixedActivationsStayNearAndAreTheSameOnEveryInstructionSet) {
  std::vector<Logits> mixed;
  for (const std::string_view isa : {"avx2", "avx512"}) {
    if (const std::string why = testing::why_not(isa); !why.empty()) GTEST_SKIP() << why;
    auto logits = logits_of(subject().file, isa, ActivationBits::mixed);
    ASSERT_TRUE(logits.ok()) << logits.error().what.en;
    const double measured = deviation(*logits, subject().interpreted);
    RecordProperty("deviation", fmt::format("{:.2e}", measured));
    EXPECT_LT(measured, GetParam().tolerance * 100);
    EXPECT_EQ(measured > GetParam().tolerance, GetParam().tolerance == quantized);
    mixed.push_back(std::move(logits).value());
  }
  EXPECT_EQ(mixed.front(), mixed.back());
}

TEST_P(WeightType, IsOnTheFastPathWhereItsCodesAreMultiplied) {
  for (const std::string_view isa : {"ref", "avx2", "avx512"}) {
    if (!testing::why_not(isa).empty()) continue;
    const auto host = Host::create({1, isa});
    ASSERT_TRUE(host.ok());
    const auto engine = Engine::create(*subject().file.source, **host, {.context = 64});
    ASSERT_TRUE(engine.ok()) << engine.error().what.en;
    const bool packed = GetParam().tolerance == quantized;
    const ProductPath expected = isa == "ref" ? ProductPath::scalar
                                 : packed     ? ProductPath::integers
                                              : ProductPath::floats;
    std::size_t products = 0;
    for (const OpReport& op : (*engine)->executable().report()) {
      if (!op.path) continue;
      EXPECT_EQ(op.path, expected) << isa << " " << op.weight;
      EXPECT_EQ(op.fast, expected == ProductPath::integers) << isa << " " << op.weight;
      EXPECT_EQ(op.type, traits(GetParam().type).name);
      ++products;
    }
    EXPECT_GT(products, 7u) << isa;
  }
}

INSTANTIATE_TEST_SUITE_P(All, WeightType, ::testing::ValuesIn(cases), [](const auto& each) {
  return std::string(traits(each.param.type).name);
});

TEST(WeightTypes, AllThatComputeAreTested) {
  for (const DTypeTraits& type : all_dtypes())
    EXPECT_EQ(type.computes, std::ranges::count(cases, type.dtype, &Case::type) == 1) << type.name;
}

}  // namespace
}  // namespace premise
