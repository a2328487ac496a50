#include "engine/packed_cache/packed_cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <random>

namespace premise {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::uint32_t layout = 7;

std::vector<std::byte> random_bytes(std::size_t count) {
  std::mt19937_64 random(5);
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

class PackedCache : public testing::Test {
 protected:
  PackedCache() {
    std::string name = (fs::temp_directory_path() / "premise-packed-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    home_ = name;
    model_ = home_ / "model.gguf";
    std::ofstream(model_) << "weights";
    options_.folder = home_ / "cache" / "packed";
    options_.model = "model.gguf";
    options_.notice = [this](const Text& line) { said_ += line.en + "\n"; };
  }
  ~PackedCache() override {
    std::error_code code;
    fs::remove_all(home_, code);
  }

  PackedHeader header() const {
    PackedHeader header;
    header.layout_version = layout;
    header.isa = "any";
    header.key = packed_key("", origin());
    header.origins = {{model_.string(), *identity_of_file(model_)}};
    header.sections = {{"a", 2, 16, 32, 0, weights_.size()}};
    header.data_bytes = weights_.size();
    return header;
  }
  SourceOrigin origin() const {
    return {"gguf", 3, {{model_.string(), 7, *identity_of_file(model_)}}};
  }
  fs::path path() const { return packed_path(options_.folder, header().key); }
  fs::path partial() const { return path().string() + ".partial"; }

  Status write() {
    PREMISE_TRY(const auto writer, PackedWriter::start(options_, header(), weights_));
    return writer ? writer->finish()
                  : Status(error(ErrorCode::no, {"somebody else writes", "他人正在写入"}));
  }
  Result<bool> read(const PackedHeader& wanted) {
    back_.assign(weights_.size(), std::byte{0});
    return read_packed(path(), wanted, team_, back_);
  }
  void turn_a_bit(std::uint64_t offset) {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(byte ^ 16));
  }

  fs::path home_, model_;
  PackedCacheOptions options_;
  std::string said_;
  const std::vector<std::byte> weights_ = random_bytes((3 << 20) + 64);
  std::vector<std::byte> back_;
  ThreadTeam team_{2};
};

TEST_F(PackedCache, GivesBackWhatWasWritten) {
  const auto nothing = read(header());
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(*nothing);
  ASSERT_TRUE(write().ok());
  const auto found = read(header());
  ASSERT_TRUE(found.ok()) << found.error().what.en;
  EXPECT_TRUE(*found);
  EXPECT_EQ(back_, weights_);
  EXPECT_FALSE(fs::exists(partial()));
}

TEST_F(PackedCache, NoticesDamageInEveryBlockAndInTheHead) {
  ASSERT_TRUE(write().ok());
  const std::uint64_t end = fs::file_size(path());
  for (const std::uint64_t offset : {std::uint64_t{3}, std::uint64_t{100}, end - weights_.size(),
                                     end - weights_.size() + (1 << 20) + 9, end - 65, end - 1}) {
    turn_a_bit(offset);
    const auto damaged = read(header());
    ASSERT_FALSE(damaged.ok()) << offset;
    EXPECT_EQ(damaged.error().code, ErrorCode::bad_input);
    EXPECT_THAT(damaged.error().what.en, HasSubstr(path().string()));
    turn_a_bit(offset);
  }
  ASSERT_TRUE(read(header()).ok());
}

TEST_F(PackedCache, NoticesAFileThatIsCutOffOrNoFile) {
  ASSERT_TRUE(write().ok());
  for (const std::uint64_t length :
       {fs::file_size(path()) - 64, std::uint64_t{4096}, std::uint64_t{39}, std::uint64_t{0}}) {
    fs::resize_file(path(), length);
    EXPECT_FALSE(read(header()).ok()) << length;
  }
  fs::remove(path());
  fs::create_directory(path());
  EXPECT_FALSE(read(header()).ok());
}

TEST_F(PackedCache, RefusesTheWeightsOfAnotherModelUnderItsName) {
  ASSERT_TRUE(write().ok());
  PackedHeader other = header();
  other.key = "sha256:1";
  EXPECT_FALSE(read(other).ok());
  other = header();
  other.sections[0].columns = 64;
  EXPECT_FALSE(read(other).ok());
}

TEST_F(PackedCache, TellsAFileByItsIdentityAndAStoredOneByItsDigest) {
  const std::string before = packed_key("", origin());
  EXPECT_EQ(packed_key("ab", origin()), "sha256:ab");
  fs::remove(model_);
  std::ofstream(model_) << "weightz";
  EXPECT_NE(packed_key("", origin()), before);
  EXPECT_EQ(packed_key("", {"made in memory", 0, {}}), "");
  EXPECT_EQ(packed_key("", {"gguf", 3, {{"x", 7, {}}}}), "");
}

TEST_F(PackedCache, NamesAFileByItsKey) {
  EXPECT_EQ(path().filename().string(), "file-" + header().key.substr(5) + ".packed");
}

TEST_F(PackedCache, NeverTakesAPathFromAKey) {
  EXPECT_EQ(packed_path("/c", "sha256:../../etc/x").parent_path(), "/c");
  EXPECT_EQ(packed_path("/c", "sha256:" + std::string(64, 'a')),
            "/c/sha256-" + std::string(64, 'a') + ".packed");
}

TEST_F(PackedCache, ListsEntriesAndSweepsThoseOfModelsThatChanged) {
  ASSERT_TRUE(write().ok());
  auto entries = list_packed(options_.folder, layout);
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 1u);
  EXPECT_EQ(entries->front().state, PackedState::current);
  EXPECT_EQ(entries->front().bytes, fs::file_size(path()));
  EXPECT_EQ(entries->front().header.key, header().key);
  EXPECT_EQ(sweep_packed(options_.folder, layout).files, 0u);
  EXPECT_EQ(list_packed(options_.folder, layout + 1)->front().state, PackedState::outdated);

  const fs::path old = path();
  std::ofstream(model_, std::ios::app) << "more";
  const PackedSweep swept = sweep_packed(options_.folder, layout);
  EXPECT_EQ(swept.files, 1u);
  EXPECT_GT(swept.bytes, weights_.size());
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(list_packed(home_ / "nowhere", layout)->empty());
}

TEST_F(PackedCache, SweepsWhatAKilledWriterLeftAndNothingInProgress) {
  fs::create_directories(options_.folder);
  const fs::path left = options_.folder / "file-0.packed.partial";
  std::ofstream(left) << "half";
  const int held = ::open(left.c_str(), O_RDWR);
  ASSERT_EQ(::flock(held, LOCK_EX), 0);
  EXPECT_EQ(sweep_packed(options_.folder, layout).files, 0u);
  ::close(held);
  EXPECT_EQ(sweep_packed(options_.folder, layout).files, 1u);
  EXPECT_FALSE(fs::exists(left));
}

TEST_F(PackedCache, LeavesTheWritingToTheProcessThatWritesAlready) {
  fs::create_directories(options_.folder);
  const int held = ::open(partial().c_str(), O_RDWR | O_CREAT, 0644);
  ASSERT_EQ(::flock(held, LOCK_EX), 0);
  const auto writer = PackedWriter::start(options_, header(), weights_);
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(*writer, nullptr);
  EXPECT_TRUE(fs::exists(partial()));
  ::close(held);
  EXPECT_TRUE(write().ok());
}

TEST_F(PackedCache, SaysWhereThereIsNoRoomBeforeItWrites) {
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit less{1 << 20, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &less), 0);
  const auto writer = PackedWriter::start(options_, header(), weights_);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(writer.error().code, ErrorCode::no_resources);
  EXPECT_FALSE(fs::exists(partial()));
}

TEST_F(PackedCache, SaysWhereTheFolderCannotBeMade) {
  std::ofstream(home_ / "cache") << "a file in the way";
  const auto writer = PackedWriter::start(options_, header(), weights_);
  ASSERT_FALSE(writer.ok());
  EXPECT_EQ(writer.error().code, ErrorCode::bad_input);
}

TEST_F(PackedCache, LeavesNothingWhereTheUserStopsIt) {
  options_.stopped = [] { return true; };
  {
    const auto writer = PackedWriter::start(options_, header(), weights_);
    ASSERT_TRUE(writer.ok());
  }
  EXPECT_FALSE(fs::exists(partial()));
  if (fs::exists(path())) {  // it was faster than the stop: then it is whole
    EXPECT_TRUE(read(header()).ok());
  }
  EXPECT_EQ(said_, "");
}

}  // namespace
}  // namespace premise
