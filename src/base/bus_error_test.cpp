#include "base/bus_error.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/mapped_file.h"

namespace premise {
namespace {

// Maps a file of two pages, cuts it to nothing and reads it.
void read_a_file_cut_short() {
  std::string path = testing::TempDir() + "bus_error_XXXXXX";
  const int file = ::mkstemp(path.data());
  if (file < 0 || ::ftruncate(file, 8192) != 0) std::exit(90);
  auto mapped = MappedFile::open(path);
  if (!mapped || ::ftruncate(file, 0) != 0) std::exit(91);
  ::unlink(path.c_str());
  const volatile std::byte* bytes = mapped->bytes().data();
  std::exit(bytes[5000] == std::byte{0} ? 92 : 93);
}

TEST(BusErrorDeathTest, a_file_cut_short_while_mapped_ends_the_process_with_a_sentence) {
  EXPECT_EXIT(
      {
        end_cleanly_on_bus_error(Language::english);
        read_a_file_cut_short();
      },
      testing::ExitedWithCode(3), "a model file was cut short");
  EXPECT_EXIT(
      {
        end_cleanly_on_bus_error(Language::chinese);
        read_a_file_cut_short();
      },
      testing::ExitedWithCode(3), "文件被截短");
}

}  // namespace
}  // namespace premise
