#include "planning/history.h"

#include <gmock/gmock.h>

#include <cstring>

#include "base/mapped_file.h"
#include "planning/testing.h"

namespace premise {
namespace {

using premise::testing::TemporaryFolder;

PredictionRecord record(std::int64_t time) {
  PredictionRecord made;
  made.time = time;
  made.model = "gemma3:270m-base";
  made.memory_bytes = {305e6, 300e6};
  made.decode_tokens_per_second = {90, 100};
  return made;
}

TEST(History, KeepsWhatWasWritten) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "new" / "predictions.json";
  EXPECT_TRUE(read_history(path)->empty()) << "a missing file is no error";
  ASSERT_TRUE(append_history(path, record(7)).ok());
  ASSERT_TRUE(append_history(path, record(8)).ok());
  const auto found = read_history(path);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ((*found)[1].time, 8);
  EXPECT_EQ((*found)[0].model, "gemma3:270m-base");
  EXPECT_DOUBLE_EQ((*found)[0].decode_tokens_per_second.error(), -0.1);
  EXPECT_EQ((*found)[0].prefill_tokens_per_second.error(), 0) << "was not measured";
}

TEST(History, KeepsTheLatest) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "predictions.json";
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(append_history(path, record(i)).ok());
  const auto found = read_history(path);
  ASSERT_EQ(found->size(), history_records_max);
  EXPECT_EQ(found->back().time, 39);
}

TEST(History, DamageIsNamedAndLeftAsItIs) {
  const TemporaryFolder folder;
  for (const char* damaged : {"{", "[]", "{}", R"({"records":7})"}) {
    const auto path = folder.write("predictions.json", damaged);
    const auto found = read_history(path);
    ASSERT_FALSE(found.ok()) << damaged;
    EXPECT_EQ(found.error().code, ErrorCode::bad_input);
    EXPECT_FALSE(found.error().hint.empty());
    EXPECT_FALSE(append_history(path, record(1)).ok());
    EXPECT_EQ(MappedFile::open(path)->bytes().size(), std::strlen(damaged));
  }
}

TEST(History, StrangeNumbersBecomeNothing) {
  const TemporaryFolder folder;
  const auto path = folder.write("predictions.json", R"({"records":[
      7, {"time":1e300,"threads":-4,"model":3,"memory_bytes":{"predicted":"x","measured":-1}}]})");
  const auto found = read_history(path);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ((*found)[0].memory_bytes.measured, 0);
}

}  // namespace
}  // namespace premise
