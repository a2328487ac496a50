// premise.toml: nothing in it is ignored, and every refusal says where.
#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <fstream>
#include <sstream>

#include "config/config_keys.h"
#include "config/read_value.h"

namespace premise {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Config parsed(const std::string& toml) {
  auto config = parse_config(toml, "premise.toml");
  if (config.ok()) return std::move(config).value();
  ADD_FAILURE() << config.error().what.en << " in " << toml;
  return {};
}
std::string refused(const std::string& toml) {
  const auto config = parse_config(toml, "premise.toml");
  if (!config.ok()) {
    EXPECT_EQ(config.error().code, ErrorCode::usage);
    EXPECT_FALSE(config.error().what.zh.empty());
    return config.error().what.en;
  }
  ADD_FAILURE() << "was taken: " << toml;
  return {};
}
const char* const example_path = PREMISE_SOURCE_DIR "/docs/premise.example.toml";

TEST(ConfigExample, IsReadAndShowsEveryKeyWithWhatAReloadDoes) {
  std::ifstream file(example_path);
  std::stringstream text;
  text << file.rdbuf();
  const Config config = parsed(text.str());
  ASSERT_EQ(config.models.size(), 1u);
  const toml::table root = toml::parse(text.str());
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  const auto check = [&](const std::string& name, const toml::table* table, const auto& section) {
    ASSERT_NE(table, nullptr) << name;
    EXPECT_EQ(table->size(), keys_of(section).size()) << name;
    for (const auto& key : keys_of(section)) {
      const toml::node* node = table->get(key.name);
      ASSERT_NE(node, nullptr) << name << "." << key.name;
      const std::string& line = lines.at(node->source().begin.line - 1);
      EXPECT_EQ(line.find("(live)") != std::string::npos, key.live) << line;
    }
  };
  for_each_section(
      [&](const char* name, const auto& section) { check(name, root[name].as_table(), section); },
      config);
  check("model", root["model"][0].as_table(), ModelConfig{});
}

// What the example calls a default is one.
TEST(ConfigExample, GivesTheDefaults) {
  auto example = load_config(example_path);
  ASSERT_TRUE(example.ok()) << example.error().what.en;
  Config config = std::move(example).value();
  config.models.clear();
  std::vector<std::string> keys;
  for (const ConfigChange& change : compare({}, config)) keys.push_back(change.key);
  EXPECT_THAT(keys, ElementsAre("log.rotate_bytes")) << "the size is rounded";
}

TEST(ConfigReading, AnEmptyFileIsTheDefaults) {
  EXPECT_THAT(compare({}, parsed("")), IsEmpty());
  EXPECT_EQ(parsed("").server.port, 8080);
}

TEST(ConfigReading, EveryTypeArrives) {
  const Config config = parsed(
      "[server]\nport = 0\nbody_bytes = \"1 MiB\"\nidle_seconds = 1\nallowed_hosts = [\"a\", "
      "\"b\"]\n"
      "[[model]]\npath = \"x.gguf\"\ncontext = 512\nparallel = 16\nkv_memory = 2000000\n"
      "[[model]]\nname = \"y\"\npath = \"x.gguf\"\n"
      "[auth]\nrequired = true\n[limits]\nrequests_per_minute = 60\ntokens_per_minute = 5\n"
      "[filter]\nwords = \"words.txt\"\naction = \"mask\"\n"
      "[cache]\nresults = \"redis://localhost:6379/0\"\n[log]\nformat = \"json\"\n"
      "[tracing]\nendpoint = \"http://c:4318/v1/traces\"\nsample = 0.5\n");
  EXPECT_EQ(config.server.port, 0);
  EXPECT_EQ(config.server.body_bytes, std::uint64_t{1} << 20);
  EXPECT_EQ(config.server.idle_seconds, 1.0);
  EXPECT_THAT(config.server.allowed_hosts, ElementsAre("a", "b"));
  ASSERT_EQ(config.models.size(), 2u);
  EXPECT_EQ(served_name(config.models[0]), "x.gguf");
  EXPECT_EQ(config.models[0].context, 512);
  EXPECT_EQ(config.models[0].kv_memory, 2'000'000u);
  EXPECT_FALSE(config.models[1].kv_memory);
  EXPECT_EQ(served_name(config.models[1]), "y");
  EXPECT_TRUE(config.auth.required);
  EXPECT_THAT(config.filter.words, ElementsAre("words.txt"));
  EXPECT_EQ(config.cache.results, "redis://localhost:6379/0");
  EXPECT_EQ(config.tracing.sample, 0.5);
}

TEST(ConfigReading, ATypeOfTheCacheThatDoesNotExistIsNotReplacedByAnother) {
  const std::string model = "[[model]]\npath = \"x\"\n";
  EXPECT_THAT(refused(model + "kv_type = \"q9\"\n"), HasSubstr("one of: f16, f32, q8_0"));
  EXPECT_THAT(refused(model + "kv_memory = 0\n"), HasSubstr("at least 1"));
}

TEST(ConfigReading, LimitsOfASwapThatMakeNoSenseAreRefusedByName) {
  const std::string model = "[[model]]\npath = \"x\"\n";
  EXPECT_THAT(refused(model + "error_rate = 1.5\n"),
              HasSubstr("premise.toml:3: model.error_rate must be a number between 0 and 1"));
  EXPECT_THAT(refused(model + "error_rate = nan\n"), HasSubstr("model.error_rate"));
  EXPECT_THAT(refused(model + "watch_seconds = -1\n"), HasSubstr("model.watch_seconds"));
  EXPECT_THAT(refused(model + "watch_requests = 0\n"), HasSubstr("model.watch_requests"));
  EXPECT_THAT(refused(model + "drain_seconds = \"30\"\n"), HasSubstr("model.drain_seconds"));
  EXPECT_EQ(parsed(model + "watch_seconds = 0.5\n").models[0].watch_seconds, 0.5);
}

TEST(ConfigReading, UnknownKeysAreRefusedWithTheNearest) {
  EXPECT_EQ(refused("[server]\nhost = \"x\"\nprot = 1\n"),
            "premise.toml:3: unknown key server.prot; did you mean port?");
  EXPECT_EQ(refused("[sever]\n"), "premise.toml:1: unknown key sever; did you mean server?");
  EXPECT_THAT(refused("[[models]]\npath = \"x\"\n"), HasSubstr("did you mean model?"));
  EXPECT_THAT(refused("[[model]]\npath = \"x\"\nctx = 1\n"),
              HasSubstr("premise.toml:3: unknown key"));
  EXPECT_THAT(refused("zebra = 1\n"), HasSubstr("unknown key zebra"));
  EXPECT_THAT(refused("\"\\u001b[2J\" = 1\n"), HasSubstr("\\x1b")) << "nothing reaches a terminal";
}

TEST(ConfigReading, WrongValuesAreRefusedByLineAndKey) {
  const std::pair<const char*, const char*> wrong[] = {
      {"[server]\nport = 65536\n",
       "premise.toml:2: server.port must be an integer between 0 and 65535"},
      {"[server]\nport = -1\n", "premise.toml:2: server.port"},
      {"[server]\nport = \"8080\"\n", "premise.toml:2: server.port"},
      {"[server]\nport = 80.5\n", "premise.toml:2: server.port"},
      {"[server]\nport = true\n", "premise.toml:2: server.port"},
      {"[server]\nhost = 1\n", "premise.toml:2: server.host must be a string"},
      {"[server]\nhost = \"a\\u0000b\"\n", "server.host"},
      {"[server]\nhost = \"\"\n", "server.host is empty"},
      {"[server]\nidle_seconds = nan\n", "server.idle_seconds"},
      {"[server]\nidle_seconds = inf\n", "server.idle_seconds"},
      {"[server]\nallowed_hosts = [1]\n", "server.allowed_hosts"},
      {"[server]\nallowed_hosts = 1\n", "a string or a list of strings"},
      {"[server]\nbody_bytes = \"8 QiB\"\n", "server.body_bytes"},
      {"[server]\nbody_bytes = -5\n", "server.body_bytes"},
      {"[server]\ntls_cert = \"c.pem\"\n", "tls_key"},
      {"server = 1\n", "server must be a table: [server]"},
      {"[model]\npath = \"x\"\n", "must be a list of tables: [[model]]"},
      {"model = [1]\n", "premise.toml:1: model"},
      {"[[model]]\nname = \"x\"\n", "premise.toml:1: this model has no path"},
      {"[[model]]\npath = \"x\"\n[[model]]\npath = \"x\"\n",
       "premise.toml:3: two models are named x"},
      {"[[model]]\npath = \"x\"\nparallel = 0\n", "model.parallel"},
      {"[auth]\nrequired = 1\n", "auth.required must be true or false"},
      {"[filter]\naction = \"shout\"\n", "filter.action must be one of: reject, mask, log"},
      {"[cache]\nresults = \"redis\"\n", "one of: off, memory, redis://…"},
      {"[cache]\nresults = \"redis://\"\n", "premise.toml:2: cache.results: the Redis URL has no"},
      {"[cache]\nresults = \"redis://h:70000\"\n", "between 1 and 65535"},
      {"[cache]\nresults = \"rediss://h\"\n", "cache.results: rediss:// is not supported"},
      {"[limits]\ncounters = \"redis://h/zero\"\n", "limits.counters: after the host"},
      {"[limits]\ncounters = \"off\"\n", "one of: memory, redis://…"},
      {"[log]\nlevel = \"loud\"\n", "log.level"},
      {"[tracing]\nendpoint = \"ftp://x\"\n", "one of: http://…, https://…"},
      {"[tracing]\nsample = 1.5\n", "tracing.sample must be a number between 0 and 1"},
      {"[server\n", "premise.toml:1: this is not TOML"},
      {"[server]\nport = 1\nport = 2\n", "premise.toml:3: this is not TOML"}};
  for (const auto& [toml, said] : wrong) EXPECT_THAT(refused(toml), HasSubstr(said)) << toml;
}

TEST(ConfigReading, APasswordInAnAddressIsNotRepeated) {
  const std::string said = refused("[limits]\ncounters = \"redis://:hunter2@h:0/x\"\n");
  EXPECT_THAT(said, HasSubstr("limits.counters"));
  EXPECT_THAT(said, ::testing::Not(HasSubstr("hunter2")));
}

TEST(ConfigReading, SizesHaveUnits) {
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("8 GiB"), std::uint64_t{8} << 30);
  EXPECT_EQ(parse_size("500MB"), 500'000'000u);
  EXPECT_EQ(parse_size("1kB"), 1000u);
  EXPECT_EQ(parse_size("2Ki"), 2048u);
  for (const char* wrong :
       {"", "GiB", "-1", "1.5 GiB", "8 GiBs", "8 iB", "99999999999 TiB", "99999999999999999999"})
    EXPECT_FALSE(parse_size(wrong)) << wrong;
}

TEST(ConfigReading, FilesAreTakenFromTheConfigurationsFolder) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "premise-config";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "premise.toml")
      << "[filter]\nwords = [\"a.txt\", \"/etc/b.txt\"]\n[[model]]\npath = \"gemma3:270m\"\n";
  const auto config = load_config(folder / "premise.toml");
  ASSERT_TRUE(config.ok()) << config.error().what.en;
  EXPECT_THAT(config->filter.words, ElementsAre((folder / "a.txt").string(), "/etc/b.txt"));
  EXPECT_EQ(config->models.at(0).path, "gemma3:270m") << "may be a name in the store";
  EXPECT_EQ(load_config(folder / "absent.toml").error().code, ErrorCode::bad_input);
  EXPECT_EQ(load_config(folder).error().code, ErrorCode::bad_input);
}

TEST(ConfigReloading, SaysWhatIsLiveAndWhatWaits) {
  const Config before = parsed("[server]\nport = 1\n[[model]]\nname = \"a\"\npath = \"x\"\n");
  const Config after = parsed(
      "[server]\nport = 2\n[log]\nlevel = \"debug\"\n[limits]\ntokens_per_minute = 9\n"
      "[[model]]\nname = \"a\"\npath = \"x\"\ncontext = 5\n[[model]]\nname = \"b\"\npath = "
      "\"y\"\n");
  EXPECT_THAT(
      compare(before, after),
      ElementsAre(ConfigChange{"server.port", false},
                  ConfigChange{"limits.tokens_per_minute", true}, ConfigChange{"log.level", true},
                  ConfigChange{"model.a.context", false}, ConfigChange{"model.b", false}));
  EXPECT_THAT(compare(after, before).back(), (ConfigChange{"model.b", false}));
  const Config live = apply_live(before, after);
  EXPECT_EQ(live.server.port, 1);
  EXPECT_EQ(live.log.level, "debug");
  EXPECT_EQ(live.limits.tokens_per_minute, 9);
  EXPECT_EQ(live.models.size(), 1u);
  for (const ConfigChange& change : compare(live, after)) EXPECT_FALSE(change.live) << change.key;
}

}  // namespace
}  // namespace premise
