// Aho–Corasick over folded code points: every listed word that ends here, in one pass.
//
// Nodes are numbered breadth first, so that the children of a node are neighbours, sorted by their
// code, and four numbers and a byte say all of a node (17 bytes). A list sorted beforehand becomes
// the trie in one sweep over ranges of it. Rejected: a full goto table (a million code points wide)
// and a double array (smaller steps, but a list of 100,000 words is then built in seconds).
// Source: Aho, Corasick, "Efficient string matching", CACM 18(6), 1975.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace premise {

/// Immutable after build(); thread-safe.
class WordAutomaton {
 public:
  using Node = std::uint32_t;
  static constexpr Node root = 0;
  static constexpr std::size_t word_codes_max = 255;

  /// Without words: nothing is ever found.
  WordAutomaton() : WordAutomaton(std::vector<std::u32string_view>{}) {}
  /// Words are not empty, at most word_codes_max long, and fewer codes than 2^31 in all; any order,
  /// repetitions allowed. They need not outlive the call.
  explicit WordAutomaton(std::vector<std::u32string_view> words);

  /// The node of the longest end of the text so far that is the beginning of a word.
  Node step(Node node, char32_t code) const;
  /// Length of that beginning.
  std::size_t depth(Node node) const { return depth_[node]; }
  /// The next shorter end of the text that is the beginning of a word.
  Node shorter(Node node) const { return shorter_[node]; }
  /// The node itself where a whole word ends there, else the next shorter one where that is so;
  /// root: none.
  Node word_at(Node node) const { return word_[node]; }

  /// What may come next in a word that goes on from the node, by what it is.
  struct Next {
    bool han = false, other_letter = false, other = false;
  };
  bool goes_on(Node node) const { return first_child_[node] < first_child_[node + 1]; }
  Next next_of(Node node) const;

  std::size_t words() const { return words_; }
  std::size_t memory_bytes() const;

 private:
  Node child(Node node, char32_t code) const;
  void build(const std::vector<std::u32string_view>& words);
  void add_node(Node parent, char32_t code);

  std::vector<char32_t> code_;     // that leads to the node
  std::vector<Node> first_child_;  // up to the next node's first child; one entry more than nodes
  std::vector<Node> shorter_;
  std::vector<Node> word_;
  std::vector<std::uint8_t> depth_;
  std::vector<Node> ascii_;  // the root's children by code, for the commonest text
  std::size_t words_ = 0;
};

}  // namespace premise
