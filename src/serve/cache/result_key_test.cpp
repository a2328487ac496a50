#include "serve/cache/result_key.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

namespace premise {
namespace {

PreparedRequest prepared_request() {
  PreparedRequest prepared;
  prepared.request.seed = 1;
  prepared.request.sampling.temperature = 0.5f;
  prepared.prompts = {{{2, 818, 5279}, 16, ""}};
  prepared.stop_tokens = {1};
  return prepared;
}

std::string digest_of(const PreparedRequest& request,
                      const ResultSource& source = {"m@1", "key a"}) {
  const auto key = result_key(source, request);
  EXPECT_TRUE(key.ok());
  return key.ok() ? key->digest : "";
}

/// Changes one field of a request.
using Change = std::function<void(PreparedRequest&)>;

template <typename T>
void touch(T& value) {
  if constexpr (std::is_same_v<T, bool>)
    value = !value;
  else if constexpr (std::is_arithmetic_v<T>)
    value = static_cast<T>(value + 1);
  else if constexpr (std::is_same_v<T, std::string>)
    value += "x";
  else if constexpr (requires { value.push_back({}); })
    value.emplace_back();
  else
    value = value ? *value + 1 : 1;  // an optional number
}

template <typename... Fields>
std::vector<std::function<void()>> touches(Fields&... fields) {
  return {[&fields] { touch(fields); }...};
}

// As the key's own writer, these take structs apart by all their members: a new field does not
// compile until it stands here too.
std::vector<std::function<void()>> touches_of(SamplingParams& params) {
  auto& [logit_bias, penalty_window, repetition_penalty, frequency_penalty, presence_penalty,
         dry_multiplier, dry_base, dry_allowed_length, dry_window, dry_breakers, temperature,
         mirostat, mirostat_tau, mirostat_eta, top_k, typical_p, top_p, min_p, seed] = params;
  static_cast<void>(seed);  // decides nothing: the request's own takes its place
  return touches(logit_bias, penalty_window, repetition_penalty, frequency_penalty,
                 presence_penalty, dry_multiplier, dry_base, dry_allowed_length, dry_window,
                 dry_breakers, temperature, mirostat, mirostat_tau, mirostat_eta, top_k, typical_p,
                 top_p, min_p);
}

std::vector<std::function<void()>> touches_of(GenerationRequest& request) {
  auto& [prompts, choices, sampling, seed, max_tokens, stop, logprobs, top_logprobs, ignore_eos,
         echo, owner, prefix_scope] = request;
  static_cast<void>(prompts), static_cast<void>(sampling);
  static_cast<void>(owner), static_cast<void>(prefix_scope);
  return touches(choices, seed, max_tokens, stop, logprobs, top_logprobs, ignore_eos, echo);
}

std::vector<std::function<void()>> touches_of(PreparedPrompt& prompt) {
  auto& [tokens, max_tokens, text] = prompt;
  return touches(tokens, max_tokens, text);
}

std::vector<std::function<void()>> touches_of(PreparedRequest& prepared) {
  auto& [request, prompts, stop_tokens, keep_leading_space] = prepared;
  static_cast<void>(request);
  return touches(prompts, stop_tokens, keep_leading_space);
}

template <typename Part>
void expect_every_field_counts(std::size_t fields, Part part) {
  std::set<std::string> digests = {digest_of(prepared_request())};
  for (std::size_t i = 0; i < fields; ++i) {
    PreparedRequest changed = prepared_request();
    const auto all = touches_of(part(changed));
    ASSERT_EQ(all.size(), fields);
    all[i]();
    EXPECT_TRUE(digests.insert(digest_of(changed)).second) << "field " << i;
  }
}

TEST(ResultKey, EveryFieldThatDecidesTheAnswerChangesIt) {
  expect_every_field_counts(
      18, [](PreparedRequest& r) -> SamplingParams& { return r.request.sampling; });
  expect_every_field_counts(8, [](PreparedRequest& r) -> GenerationRequest& { return r.request; });
  expect_every_field_counts(3, [](PreparedRequest& r) -> PreparedPrompt& { return r.prompts[0]; });
  expect_every_field_counts(3, [](PreparedRequest& r) -> PreparedRequest& { return r; });
}

TEST(ResultKey, WhatDecidesNothingDoesNotChangeIt) {
  PreparedRequest same = prepared_request();
  same.request.owner = "bob";
  same.request.prefix_scope = "server";
  same.request.sampling.seed = 77;
  EXPECT_EQ(digest_of(same), digest_of(prepared_request()));
}

TEST(ResultKey, ModelAndScopeAreApart) {
  const PreparedRequest request = prepared_request();
  std::set<std::string> digests;
  for (const ResultSource& source : {ResultSource{"m@1", "key a"},
                                     {"m@2", "key a"},
                                     {"m@1", "key b"},
                                     {"m@1", "group a"},
                                     {"m@1k", "ey a"}})
    EXPECT_TRUE(digests.insert(digest_of(request, source)).second)
        << source.model << " for " << source.scope;
  EXPECT_FALSE(result_key({"m@1", ""}, request).ok()) << "nobody's";
}

TEST(ResultKey, PartsDoNotRunIntoEachOther) {
  std::set<std::string> digests;
  const auto add = [&](const Change& change) {
    PreparedRequest request = prepared_request();
    change(request);
    EXPECT_TRUE(digests.insert(digest_of(request)).second);
  };
  add([](auto& r) { r.request.stop = {"ab"}; });
  add([](auto& r) { r.request.stop = {"a", "b"}; });
  add([](auto& r) { r.request.stop = {"a", "b", ""}; });
  add([](auto& r) { r.request.stop = {std::string("a\0b", 3)}; });
  add([](auto& r) { r.prompts = {{{1, 2}, 16, ""}}; });
  add([](auto& r) { r.prompts = {{{1}, 16, ""}, {{2}, 16, ""}}; });
  add([](auto& r) { r.prompts = {{{1}, 16, ""}}, r.stop_tokens = {2}; });
}

TEST(ResultKey, AGreedyRequestHasOneAnswerWhateverSeedItWasGiven) {
  PreparedRequest one = prepared_request(), other = prepared_request();
  one.request.sampling.temperature = other.request.sampling.temperature = 0;
  other.request.seed = 99;
  EXPECT_EQ(digest_of(one), digest_of(other));
  one.request.sampling.mirostat = other.request.sampling.mirostat = true;
  EXPECT_NE(digest_of(one), digest_of(other)) << "Mirostat draws at temperature 0, too";
}

TEST(ResultKey, OnlyRequestsThatReproduceAreCacheable) {
  GenerationRequest request;
  EXPECT_TRUE(cacheable(request)) << "greedy";
  request.sampling.temperature = 0.7f;
  EXPECT_FALSE(cacheable(request)) << "another answer each time";
  request.seed = 7;
  EXPECT_TRUE(cacheable(request));
  request.seed.reset();
  request.sampling.temperature = 0;
  request.sampling.mirostat = true;
  EXPECT_FALSE(cacheable(request));
}

TEST(ResultKey, PromptsThatNobodyReadHaveNone) {
  PreparedRequest request = prepared_request();
  request.request.prompts = {std::string("as text")};
  EXPECT_FALSE(result_key({"m@1", "key a"}, request).ok());
}

TEST(ResultKey, CountsChoicesAndIsASha256) {
  PreparedRequest request = prepared_request();
  request.request.choices = 3;
  request.prompts.resize(2);
  const auto key = result_key({"m@1", "key a"}, request);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->choices, 6u);
  EXPECT_EQ(key->digest.size(), 64u);
}

// By Python's hashlib over the same parts (struct.pack("<Q"), lengths in front). Where this
// changes, key_version has to, or servers of two versions would share what is not the same.
TEST(ResultKey, IsWrittenAsItsVersionSays) {
  EXPECT_EQ(digest_of(prepared_request()),
            "f05ae7322c28e677a71ceafdbf862c1035ef25d71411994f349221f15c22c7c4");
}

}  // namespace
}  // namespace premise
