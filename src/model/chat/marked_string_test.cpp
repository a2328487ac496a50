#include "model/chat/marked_string.h"

#include <gtest/gtest.h>

namespace premise {
namespace {

std::string marks(const MarkedString& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) out += text.trusted_at(i) ? 't' : 'd';
  return out;
}

MarkedString mixed() {
  MarkedString text("ab", true);
  text.append("cd", false);
  text.append("ef", false);
  text.append("g", true);
  return text;
}

TEST(MarkedString, EveryByteKeepsTheMarkItCameWith) {
  EXPECT_EQ(mixed().bytes(), "abcdefg");
  EXPECT_EQ(marks(mixed()), "ttddddt");
}

TEST(MarkedString, APartKeepsTheMarksOfItsBytes) {
  const MarkedString text = mixed();
  for (std::size_t begin = 0; begin <= text.size(); ++begin)
    for (std::size_t end = begin; end <= text.size(); ++end) {
      const MarkedString part = text.part(begin, end);
      EXPECT_EQ(part.bytes(), text.bytes().substr(begin, end - begin));
      EXPECT_EQ(marks(part), marks(text).substr(begin, end - begin));
    }
}

TEST(MarkedString, RunsAreMaximalAndCoverTheWindow) {
  std::string seen;
  mixed().visit_runs(1, 7, [&](std::string_view bytes, bool trusted) {
    seen += std::string(bytes) + (trusted ? "t " : "d ");
  });
  EXPECT_EQ(seen, "bt cdefd gt ");
}

TEST(MarkedString, NothingAppendedChangesNothing) {
  MarkedString text;
  text.append("", false);
  text.append("a", true);
  text.append("", false);
  text.append("b", true);
  EXPECT_TRUE(text.all_trusted());
  EXPECT_TRUE(MarkedString().all_trusted());
  EXPECT_FALSE(mixed().all_trusted());
}

}  // namespace
}  // namespace premise
