// What BERT does to text before WordPiece: cleaning, spaces around ideographs, accents off, lower
// case, and the split into words and punctuation marks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace premise {

struct BertTextOptions {
  bool clean_text = true;
  bool split_chinese = true;
  bool strip_accents = true;
  bool lowercase = true;
};

/// Words and marks in the order of the text, as code points. Never fails; bytes that are not UTF-8
/// count as U+FFFD, which cleaning removes. Near-linear in the text.
std::vector<std::u32string> bert_words(std::string_view text, const BertTextOptions& options);

}  // namespace premise
