#include "model/tokenizer/piece_trie.h"

#include <algorithm>

namespace premise {

PieceTrie::PieceTrie(std::vector<std::pair<std::string, TokenId>> pieces) {
  std::erase_if(pieces, [](const auto& piece) { return piece.first.empty(); });
  std::sort(pieces.begin(), pieces.end());
  // Node n covers the pieces [begin, end) that share its first `depth` bytes.
  struct Range {
    std::size_t begin, end, depth;
  };
  std::vector<Range> ranges{{0, pieces.size(), 0}};
  nodes_.emplace_back();
  labels_.push_back(0);
  for (Node node = 0; node < nodes_.size(); ++node) {
    auto [begin, end, depth] = ranges[node];
    while (begin < end && pieces[begin].first.size() == depth) {
      if (nodes_[node].piece == absent) nodes_[node].piece = pieces[begin].second;
      ++begin;
    }
    nodes_[node].first_child = static_cast<Node>(nodes_.size());
    while (begin < end) {
      const char label = pieces[begin].first[depth];
      std::size_t stop = begin;
      while (stop < end && pieces[stop].first[depth] == label) ++stop;
      ranges.push_back({begin, stop, depth + 1});
      nodes_.emplace_back();
      labels_.push_back(static_cast<std::uint8_t>(label));
      ++nodes_[node].child_count;
      begin = stop;
    }
  }
}

PieceTrie::Node PieceTrie::step(Node from, char byte) const {
  const auto label = static_cast<std::uint8_t>(byte);
  const Place& place = nodes_[from];
  const std::uint8_t* begin = labels_.data() + place.first_child;
  const std::uint8_t* end = begin + place.child_count;
  const std::uint8_t* found = std::lower_bound(begin, end, label);
  if (found == end || *found != label) return nowhere;
  return static_cast<Node>(found - labels_.data());
}

PieceTrie::Match PieceTrie::longest_match(std::string_view text, std::size_t at) const {
  Match match;
  Node node = root;
  for (std::size_t i = at; i < text.size(); ++i) {
    node = step(node, text[i]);
    if (node == nowhere) break;
    if (piece_at(node) != absent) match = {piece_at(node), i + 1 - at};
  }
  return match;
}

}  // namespace premise
