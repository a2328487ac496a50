// Pieces as a trie over bytes: walks all pieces that begin at one place of a text.
//
// Nodes are numbered breadth first, so that the children of a node are neighbours: a node stores
// where they begin, and one array of labels serves all. A double array would save a binary search
// at wide nodes but takes seconds to build for 250,000 pieces; this one takes a sort.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/tokenizer/token_model.h"

namespace premise {

class PieceTrie {
 public:
  using Node = std::uint32_t;
  static constexpr Node root = 0;
  static constexpr Node nowhere = std::numeric_limits<Node>::max();
  static constexpr TokenId absent = -1;

  struct Match {
    TokenId id = absent;
    std::size_t bytes = 0;
  };

  PieceTrie() : PieceTrie(std::vector<std::pair<std::string, TokenId>>{}) {}

  /// Empty pieces are ignored; of equal pieces the one with the lowest id is kept.
  explicit PieceTrie(std::vector<std::pair<std::string, TokenId>> pieces);

  bool empty() const { return nodes_.size() == 1; }

  Node step(Node from, char byte) const;

  /// The piece that ends at this node, or absent.
  TokenId piece_at(Node node) const { return nodes_[node].piece; }

  /// The longest piece that begins at `at`.
  Match longest_match(std::string_view text, std::size_t at) const;

 private:
  struct Place {
    Node first_child = 0;
    std::uint32_t child_count = 0;
    TokenId piece = absent;
  };
  std::vector<Place> nodes_;
  std::vector<std::uint8_t> labels_;  // labels_[n]: the byte that leads from its parent to node n
};

}  // namespace premise
