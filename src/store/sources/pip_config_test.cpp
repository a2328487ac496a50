// Expected values: what pip 23.0 does with the same files and variables (`pip config debug`, and
// the order of sections in its ConfigOptionParser).
#include "store/sources/pip_config.h"

#include "store/test_support.h"

namespace premise {
namespace {

using Strings = std::vector<std::string>;

class PipConfigTest : public testing::Test {
 protected:
  /// No file of the machine that runs the test counts.
  PipConfig read(std::map<std::string, std::string> variables) {
    variables.emplace("HOME", folder_.path().string());
    variables.emplace("XDG_CONFIG_DIRS", folder_.path().string());
    const auto config =
        read_pip_config(environment_of(std::move(variables)), folder_ / "system.conf");
    EXPECT_TRUE(config.ok());
    return config.ok() ? *config : PipConfig{};
  }
  std::string file(const std::string& name, std::string_view text) {
    write_file(folder_ / name, text);
    return (folder_ / name).string();
  }

  TempFolder folder_;
};

TEST_F(PipConfigTest, WithoutAnySettingItIsPipsOwnIndex) {
  const PipConfig config = read({{"PIP_CONFIG_FILE", "/dev/null"}});
  ASSERT_EQ(config.indexes.size(), 1u);
  EXPECT_TRUE(config.indexes[0].starts_with("https://"));
  EXPECT_TRUE(config.indexes[0].ends_with("/simple"));
  EXPECT_EQ(config.timeout.count(), 15);
}

TEST_F(PipConfigTest, VariablesComeBeforeFilesAndListsAreWords) {
  const std::string path = file("pip.conf", "[global]\nindex-url = https://file.example/simple\n");
  EXPECT_EQ(read({{"PIP_CONFIG_FILE", path}, {"PIP_EXTRA_INDEX_URL", ""}}).indexes,
            Strings{"https://file.example/simple"});
  const PipConfig config = read({{"PIP_CONFIG_FILE", path},
                                 {"PIP_INDEX_URL", "https://env.example/simple"},
                                 {"PIP_EXTRA_INDEX_URL", "https://a.example  https://b.example"},
                                 {"PIP_FIND_LINKS", "/srv/wheels"}});
  EXPECT_EQ(config.indexes,
            (Strings{"https://env.example/simple", "https://a.example", "https://b.example"}));
  EXPECT_EQ(config.find_links, Strings{"/srv/wheels"});
}

TEST_F(PipConfigTest, ReadsTheDialectOfPython) {
  const PipConfig config =
      read({{"PIP_CONFIG_FILE", file("pip.conf",
                                     "# comment\n"
                                     "; comment\n"
                                     "[global]\r\n"
                                     "INDEX_URL: https://m.example/simple\n"
                                     "extra-index-url =\n"
                                     "    https://a.example\n"
                                     "    # between\n"
                                     "    https://b.example\n"
                                     "timeout = 60\n"
                                     "cert=/etc/ca.pem\n"
                                     "proxy = http://p.example:3128\n"
                                     "trusted-host = m.example n.example:8080\n")}});
  EXPECT_EQ(config.indexes,
            (Strings{"https://m.example/simple", "https://a.example", "https://b.example"}));
  EXPECT_EQ(config.timeout.count(), 60);
  EXPECT_EQ(config.certificates, "/etc/ca.pem");
  EXPECT_EQ(config.proxy, "http://p.example:3128");
  EXPECT_EQ(config.trusted_hosts, (Strings{"m.example", "n.example:8080"}));
}

TEST_F(PipConfigTest, TheCommandsSectionComesBeforeGlobal) {
  const std::string path = file("pip.conf",
                                "[install]\nindex-url = https://install.example\n"
                                "[global]\nindex-url = https://global.example\n");
  EXPECT_EQ(read({{"PIP_CONFIG_FILE", path}}).indexes, Strings{"https://install.example"});
}

TEST_F(PipConfigTest, TheUsersFileCountsUnlessAnotherOneIsNamed) {
  file(".config/pip/pip.conf", "[global]\nindex-url = https://user.example\nproxy = http://p\n");
  EXPECT_EQ(read({}).indexes.at(0), "https://user.example");
  const std::string named = file("named.conf", "[global]\nindex-url = https://named.example\n");
  const PipConfig config = read({{"PIP_CONFIG_FILE", named}});
  EXPECT_EQ(config.indexes.at(0), "https://named.example");
  EXPECT_EQ(config.proxy, "");
}

TEST_F(PipConfigTest, TheSystemsFileCountsLeast) {
  file("system.conf", "[global]\nproxy = http://system\ntimeout = 7\n");
  file(".pip/pip.conf", "[global]\nproxy = http://legacy\n");
  file(".config/pip/pip.conf", "[global]\ntimeout = 9\n");
  const PipConfig config = read({});
  EXPECT_EQ(config.proxy, "http://legacy");
  EXPECT_EQ(config.timeout.count(), 9);
}

TEST_F(PipConfigTest, NoIndexLeavesOnlyFindLinks) {
  const PipConfig config = read({{"PIP_CONFIG_FILE", "/dev/null"},
                                 {"PIP_NO_INDEX", "1"},
                                 {"PIP_FIND_LINKS", "/srv/wheels https://l.example/"}});
  EXPECT_TRUE(config.indexes.empty());
  EXPECT_EQ(config.find_links, (Strings{"/srv/wheels", "https://l.example/"}));
}

TEST_F(PipConfigTest, OtherNamesOfTheCaBundleAreKnown) {
  EXPECT_EQ(read({{"PIP_CONFIG_FILE", "/dev/null"}, {"REQUESTS_CA_BUNDLE", "/r.pem"}}).certificates,
            "/r.pem");
  EXPECT_EQ(read({{"PIP_CONFIG_FILE", "/dev/null"},
                  {"REQUESTS_CA_BUNDLE", "/r.pem"},
                  {"PIP_CERT", "/c.pem"}})
                .certificates,
            "/c.pem");
}

TEST_F(PipConfigTest, WhatIsNoIniFileIsNamedWithItsLine) {
  const std::string path = file("pip.conf", "[global]\nthis is wrong\n");
  const auto config =
      read_pip_config(environment_of({{"PIP_CONFIG_FILE", path}}), folder_ / "none");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().code, ErrorCode::usage);
  EXPECT_NE(config.error().what.en.find("line 2"), std::string::npos);
}

}  // namespace
}  // namespace premise
