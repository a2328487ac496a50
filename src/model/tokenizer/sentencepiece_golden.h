// Reads the files of tests/golden/sentencepiece (see make_sentencepiece_goldens.py). Tests only.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/tokenizer/vocabulary.h"

namespace premise::golden {

using Json = nlohmann::json;

inline Json read(const std::string& name) {
  std::ifstream file(std::string(PREMISE_SOURCE_DIR) + "/tests/golden/sentencepiece/" + name);
  return Json::parse(file);
}

inline std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

inline Vocabulary vocabulary(const Json& file) {
  Vocabulary vocabulary;
  vocabulary.pieces = file.at("pieces").get<std::vector<std::string>>();
  for (const int kind : file.at("kinds").get<std::vector<int>>()) {
    vocabulary.kinds.push_back(static_cast<TokenKind>(kind));
  }
  vocabulary.scores = file.at("scores").get<std::vector<float>>();
  vocabulary.unknown = file.at("unknown").get<TokenId>();
  vocabulary.add_space_prefix = file.at("add_space_prefix").get<bool>();
  return vocabulary;
}

inline std::vector<TokenId> encode(const TokenModel& model, std::string_view text,
                                   bool first = true) {
  std::vector<TokenId> ids;
  model.encode(text, first, ids);
  return ids;
}

}  // namespace premise::golden
