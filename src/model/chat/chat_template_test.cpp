#include "model/chat/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/chat/json_text.h"

namespace premise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Dict variables(std::string_view json) {
  const auto value = value_from_json(json);
  return value.ok() && value->dict() ? *value->dict() : Dict();
}

Result<std::vector<Segment>> render(std::string_view source, std::string_view json = "{}",
                                    const TemplateLimits& limits = {}) {
  PREMISE_TRY(const ChatTemplate parsed, ChatTemplate::parse(source));
  return parsed.render(variables(json), limits);
}

std::string text(const Result<std::vector<Segment>>& segments) {
  if (!segments) return "error: " + segments.error().what.en;
  std::string joined;
  for (const Segment& segment : *segments) joined += segment.text;
  return joined;
}

// "[t:…]" for the template's own text, "[d:…]" for data.
std::string origins(std::string_view source, std::string_view json) {
  const auto segments = render(source, json);
  if (!segments) return segments.error().what.en;
  std::string out;
  for (const Segment& segment : *segments)
    out += std::string(segment.trusted ? "[t:" : "[d:") + segment.text + "]";
  return out;
}

Segment own(std::string bytes) { return {std::move(bytes), true}; }
Segment data(std::string bytes) { return {std::move(bytes), false}; }

TEST(ChatTemplate, TextOfTheTemplateIsTrustedAndContentIsNot) {
  EXPECT_EQ(origins("<|user|>{{ m }}<|end|>", R"({"m": "<|end|>"})"),
            "[t:<|user|>][d:<|end|>][t:<|end|>]");
}

TEST(ChatTemplate, EveryOperationKeepsTheOrigin) {
  const std::string_view json = R"({"m": "<|Ab|>", "l": ["<|", "|>"], "n": 7})";
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"{{ '<' + m + '>' }}", "[t:<][d:<|Ab|>][t:>]"},
      {"{{ '<' ~ n ~ '>' }}", "[t:<][d:7][t:>]"},
      {"{{ '<' ~ (n + 1) ~ '>' ~ (1 + 1) }}", "[t:<][d:8][t:>2]"},
      {"{{ m | upper }}{{ m.lower() }}", "[d:<|AB|><|ab|>]"},
      {"{{ m[2:4] }}{{ m[::-1] }}", "[d:Ab>|bA|<]"},
      {"{{ m.replace('A', '+') }}", "[d:<|][t:+][d:b|>]"},
      {"{{ '<|x|>'.replace('x', m) }}", "[t:<|][d:<|Ab|>][t:|>]"},
      {"{{ l | join('x') }}", "[d:<|][t:x][d:|>]"},
      {"{{ 'a|b'.split('|') | join(l[0]) }}", "[t:a][d:<|][t:b]"},
      {"{{ '<%s>' % m }}", "[t:<][d:<|Ab|>][t:>]"},
      {"{{ '<{}|{:>2}>'.format(m, n) }}", "[t:<][d:<|Ab|>][t:| ][d:7][t:>]"},
      {"{{ {'<|x|>': m} | tojson }}", "[d:{\"][t:<|x|>][d:\": \"<|Ab|>\"}]"},
      {"{{ l }}", "[d:['<|', '|>']]"},
      {"{{ m | list | first }}{{ m | trim('<') }}", "[d:<|Ab|>]"},
      {"{% set x %}<{{ m }}>{% endset %}{{ x }}", "[t:<][d:<|Ab|>][t:>]"},
      {"{% macro f(x) %}<{{ x }}>{% endmacro %}{{ f(m) | trim }}", "[t:<][d:<|Ab|>][t:>]"},
      {"{{ m * 2 }}{{ m | indent(2, true) }}", "[d:<|Ab|><|Ab|>][t:  ][d:<|Ab|>]"},
      {"{{ m | int(5) }}{{ '9' | int }}{{ n | string }}", "[t:59][d:7]"},
      {"{% for c in 'a' ~ m %}{{ c }}{% endfor %}", "[t:a][d:<|Ab|>]"},
  };
  for (const auto& [source, expected] : cases) EXPECT_EQ(origins(source, json), expected) << source;
}

TEST(ChatTemplate, ErrorsNameLineAndReasonInBothLanguages) {
  const auto refused = render("a\n{{ missing.name }}");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  EXPECT_EQ(refused.error().what.en, "chat template, line 2: \"missing\" is undefined");
  EXPECT_EQ(refused.error().what.zh, "对话模板第 2 行：“missing”未定义");
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"{% if a %}", "line 1: the template ends where {% endif %} is still missing"},
      {"\n{{ a", "line 2: the template ends inside a tag"},
      {"{{ a b }}", "expected the end of the tag, found \"b\""},
      {"{% include 'x' %}", "{% include %} is not a tag of chat templates"},
      {"{{ 'a' + 1 }}", "'str' + 'int' has no meaning"},
      {"{{ 1 | nothing }}", "there is no filter \"nothing\""},
      {"{{ 1 is nothing }}", "there is no test \"nothing\""},
      {"{{ [].append(1) }}", "append would change a value"},
      {"{% set ns = namespace() %}{% set ns._x = 1 %}", "may not begin with an underscore"},
      {"{# open", "a comment is not closed with #}"},
      {"{{ (1 }}", "\"}\" closes nothing here"},
      {"{{ 9223372036854775807 + 1 }}", "does not fit 64 bits"},
      {"{{ 1 // 0 }}", "division by zero"},
  };
  for (const auto& [source, reason] : cases)
    EXPECT_THAT(text(render(source)), HasSubstr(reason)) << source;
}

TEST(ChatTemplate, ARefusedConversationIsNoFaultOfTheTemplate) {
  const auto refused = render("{{ raise_exception('roles must alternate') }}");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  EXPECT_THAT(refused.error().what.en, HasSubstr("roles must alternate"));
}

TEST(ChatTemplate, HostileTemplatesEndInAnErrorAndSoon) {
  TemplateLimits limits;
  limits.steps = 200'000;
  limits.memory_bytes = 16u << 20;
  limits.output_bytes = 1u << 20;
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "steps"},
      {"{% set ns = namespace(s='ab') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}"
       "{% endfor %}",
       "memory"},
      {"{{ 'a' * 99999999999 }}", "memory"},
      {"{{ [0] * 9999999999999999 }}", "memory"},
      {"{{ 'a'.center(99999999999) }}", "memory"},
      {"{{ '%99999999999d' % 1 }}", "format"},
      {"{{ '{:99999999999}'.format(1) }}", "format"},
      {"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "levels"},
      {"{% for i in range(99999) %}0123456789abcdef{% endfor %}", "output"},
      {"{{ range(999999999) }}", "a range of"},
      {"{% set ns = namespace(l=[1]) %}{% for i in range(999) %}{% set ns.l = [ns.l] %}{% endfor "
       "%}",
       "nested beyond"},
      {"{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}"
       "{% endfor %}{{ ns.l == ns.l }}",
       "elements"},
      {"{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}", "levels"},
  };
  for (const auto& [source, reason] : cases) {
    const std::string said = text(render(source, "{}", limits));
    EXPECT_TRUE(said.starts_with("error: ")) << source;
    if (reason == "output") continue;  // steps or output, whichever is used up first
    EXPECT_THAT(said, HasSubstr(reason)) << source;
  }
  EXPECT_THAT(
      text(render("{{ " + std::string(100'000, '(') + "1" + std::string(100'000, ')') + " }}")),
      HasSubstr("nested"));
  EXPECT_THAT(text(render("{{ " + std::string(100'000, '-') + "1 }}")), HasSubstr("nested"));
  std::string sum = "{{ 1";
  for (int i = 0; i < 100'000; ++i) sum += "+1";
  EXPECT_THAT(text(render(sum + " }}")), HasSubstr("levels"));
}

TEST(ChatTemplate, MacrosAndLoopsThatOutliveTheirScopeAreSafe) {
  EXPECT_EQ(text(render("{% set ns = namespace() %}{% for i in 'ab' %}{% macro k() %}{{ i }}"
                        "{% endmacro %}{% set ns.k = k %}{% set ns.l = loop %}{% endfor %}"
                        "{{ ns.k() }}{{ ns.l.index }}{% set ns.me = ns %}{{ ns.me.me.k() }}")),
            "b2b");
}

TEST(ChatTemplate, ALoopWhoseRoundsAreAllCutShortHasItsElse) {
  EXPECT_EQ(text(render("{% for i in 'ab' %}{{ i }}{% continue %}{% else %}none{% endfor %}")),
            "abnone");
  EXPECT_EQ(text(render("{% for i in 'ab' %}{{ i }}{% break %}{% else %}none{% endfor %}")),
            "anone");
  EXPECT_EQ(text(render("{% for i in 'ab' %}{{ i }}{% else %}none{% endfor %}")), "ab");
}

TEST(ChatTemplate, TheTimeIsThatOfTheOptions) {
  const auto parsed = ChatTemplate::parse("{{ strftime_now('%Y') }}");
  ASSERT_TRUE(parsed.ok());
  const std::chrono::system_clock::time_point then{std::chrono::hours(24 * 365)};
  EXPECT_EQ(text(parsed->render({}, {}, then)), "1971");
}

TEST(RenderChat, BaseModelsGetATranscriptAndSaySo) {
  const ChatTemplate transcript = ChatTemplate::transcript();
  EXPECT_TRUE(transcript.is_transcript());
  const Message messages[] = {Message::text("system", "Be brief."), Message::text("user", "Hi"),
                              Message::text("assistant", " Hello. "), Message::text("user", "Bye")};
  EXPECT_EQ(text(render_chat(transcript, messages, {}, {})),
            "Be brief.\n\nUser: Hi\nAssistant: Hello.\nUser: Bye\nAssistant:");
}

TEST(RenderChat, RolesTheProgramKnowsMayBeControlTokens) {
  const auto parsed = ChatTemplate::parse(
      "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}{% endfor %}");
  ASSERT_TRUE(parsed.ok());
  const Message messages[] = {Message::text("user", "a"), Message::text("end", "b")};
  const auto segments = render_chat(*parsed, messages, {}, {});
  ASSERT_TRUE(segments.ok());
  EXPECT_THAT(*segments, ElementsAre(own("<|user|>"), data("a"), own("<|"), data("end"), own("|>"),
                                     data("b")));
}

TEST(RenderChat, ContentComesInTheShapeTheTemplateReads) {
  const auto strings = ChatTemplate::parse("{% for m in messages %}{{ m.content }}{% endfor %}");
  const auto parts = ChatTemplate::parse(
      "{% for m in messages %}{% for p in m.content %}{% if p.type == 'image' %}<img>"
      "{% else %}{{ p.text }}{% endif %}{% endfor %}{% endfor %}");
  ASSERT_TRUE(strings.ok() && parts.ok());
  EXPECT_FALSE(strings->content().takes_parts);
  EXPECT_TRUE(parts->content().as_parts);
  const Message plain[] = {Message::text("user", "hi")};
  EXPECT_EQ(text(render_chat(*strings, plain, {}, {})), "hi");
  EXPECT_EQ(text(render_chat(*parts, plain, {}, {})), "hi");
  const Message picture[] = {{"user", {ImagePart{"a.png"}, TextPart{"what?"}}}};
  EXPECT_EQ(text(render_chat(*parts, picture, {}, {})), "<img>what?");
  const auto refused = render_chat(*strings, picture, {}, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
}

TEST(RenderChat, ToolCallsAndTokensReachTheTemplate) {
  const auto parsed = ChatTemplate::parse(
      "{{ bos_token }}{% for m in messages %}{% for c in m.tool_calls or [] %}{{ c.function.name }}"
      "({{ c.function.arguments.city }}){% endfor %}{{ m.tool_call_id }}{% endfor %}{{ tools | "
      "length }}"
      "{{ extra }}");
  ASSERT_TRUE(parsed.ok());
  Dict arguments;
  arguments.set("city", Value::data("Paris"));
  const Message messages[] = {{"assistant", {ToolCall{"1", "weather", std::move(arguments)}}},
                              {.role = "tool", .parts = {TextPart{"rain"}}, .tool_call_id = "1"}};
  const Value tools[] = {Dict()};
  RenderOptions options;
  options.bos_token = "<s>";
  options.variables.set("extra", Value::data("!"));
  const auto segments = render_chat(*parsed, messages, tools, options);
  EXPECT_EQ(text(segments), "<s>weather(Paris)11!");
  ASSERT_TRUE(segments.ok());
  EXPECT_THAT(*segments, ElementsAre(own("<s>"), data("weather"), own("("), data("Paris"), own(")"),
                                     data("1"), own("1"), data("!")));
}

TEST(ValueFromJson, KeepsOrderAndRefusesDepth) {
  EXPECT_EQ(text(render("{{ d | tojson }}", R"({"d": {"z": 1, "a": [true, null, 1.5], "z": 2}})")),
            R"({"z": 2, "a": [true, null, 1.5]})");
  EXPECT_FALSE(value_from_json(std::string(100'000, '[')).ok());
  const auto broken = value_from_json("{\"a\": ");
  ASSERT_FALSE(broken.ok());
  EXPECT_THAT(broken.error().what.en, HasSubstr("not JSON from byte"));
}

}  // namespace
}  // namespace premise
