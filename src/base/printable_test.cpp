#include "base/printable.h"

#include <gtest/gtest.h>

namespace premise {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  EXPECT_EQ(printable("plain\ttext\nnext, 中文, é, 👩‍👩‍👧"),
            "plain\ttext\nnext, 中文, é, 👩‍👩‍👧");
}

TEST(Printable, DisarmsEscapeSequences) {
  EXPECT_EQ(printable("\x1b[2Jgone"), "\\x1b[2Jgone");
  EXPECT_EQ(printable("\x1b]0;title\x07"), "\\x1b]0;title\\x07");
  EXPECT_EQ(printable("line\rforged"), "line\\x0dforged");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\x7f"), "\\x7f");
}

TEST(Printable, DisarmsTheEightBitControlCharacters) {
  EXPECT_EQ(printable("\u009b2J"), "\\xc2\\x9b2J");  // CSI as one character
  EXPECT_EQ(printable("\u00a0"), "\u00a0");
}

TEST(Printable, ShowsBytesThatAreNoUtf8) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xe4\xb8"), "\\xe4\\xb8");                    // cut off
  EXPECT_EQ(printable("\xc0\x80"), "\\xc0\\x80");                    // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
}

}  // namespace
}  // namespace premise
