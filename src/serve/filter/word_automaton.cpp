#include "serve/filter/word_automaton.h"

#include <algorithm>

#include "serve/filter/code_class.h"

namespace premise {
namespace {

constexpr char32_t ascii_codes = 128;

/// The words of a sorted list that begin with a node's text.
struct WordRange {
  std::uint32_t first = 0, last = 0;
};

std::size_t count_nodes(const std::vector<std::u32string_view>& sorted) {
  std::size_t nodes = 1;
  std::u32string_view before;
  for (const std::u32string_view word : sorted) {
    const auto common = std::ranges::mismatch(before, word).in2 - word.begin();
    nodes += word.size() - static_cast<std::size_t>(common);
    before = word;
  }
  return nodes;
}

}  // namespace

WordAutomaton::WordAutomaton(std::vector<std::u32string_view> words) {
  std::ranges::sort(words);
  words.erase(std::ranges::unique(words).begin(), words.end());
  words_ = words.size();
  const std::size_t nodes = count_nodes(words);
  code_.reserve(nodes);
  first_child_.reserve(nodes + 1);
  shorter_.reserve(nodes);
  word_.reserve(nodes);
  depth_.reserve(nodes);
  build(words);
  ascii_.assign(ascii_codes, root);
  for (Node node = first_child_[root]; node < first_child_[root + 1]; ++node)
    if (code_[node] < ascii_codes) ascii_[code_[node]] = node;
}

// Nodes are taken in the order in which they were made: all shorter beginnings, and so every node
// that a new one may fall back to, have their children by then.
void WordAutomaton::build(const std::vector<std::u32string_view>& words) {
  code_.push_back(0);
  shorter_.push_back(root);
  word_.push_back(root);
  depth_.push_back(0);
  std::vector<WordRange> level{{0, static_cast<std::uint32_t>(words.size())}};
  std::vector<WordRange> next;
  Node node = root;
  for (std::size_t length = 0; !level.empty(); ++length, level.swap(next), next.clear()) {
    for (WordRange range : level) {
      first_child_.push_back(static_cast<Node>(code_.size()));
      if (range.first < range.last && words[range.first].size() == length) {
        if (length > 0) word_[node] = node;
        ++range.first;
      }
      while (range.first < range.last) {
        const char32_t code = words[range.first][length];
        const auto same = [&](std::u32string_view word) { return word[length] == code; };
        const auto end =
            std::partition_point(words.begin() + range.first, words.begin() + range.last, same);
        const auto last = static_cast<std::uint32_t>(end - words.begin());
        add_node(node, code);
        next.push_back({range.first, last});
        range.first = last;
      }
      ++node;
    }
  }
  first_child_.push_back(static_cast<Node>(code_.size()));
  // A node's own word is known only after it was made; ends of shorter ones are inherited now.
  for (Node at = 1; at < code_.size(); ++at)
    if (word_[at] != at) word_[at] = word_[shorter_[at]];
}

void WordAutomaton::add_node(Node parent, char32_t code) {
  Node end = root;
  if (parent != root) {
    Node from = shorter_[parent];
    while (from != root && child(from, code) == root) from = shorter_[from];
    end = child(from, code);
  }
  code_.push_back(code);
  shorter_.push_back(end);
  word_.push_back(root);
  depth_.push_back(static_cast<std::uint8_t>(depth_[parent] + 1));
}

WordAutomaton::Node WordAutomaton::child(Node node, char32_t code) const {
  const auto first = code_.begin() + first_child_[node];
  const auto last = code_.begin() + first_child_[node + 1];
  const auto found = std::lower_bound(first, last, code);
  return found == last || *found != code ? root : static_cast<Node>(found - code_.begin());
}

WordAutomaton::Node WordAutomaton::step(Node node, char32_t code) const {
  for (;; node = shorter_[node]) {
    if (node == root) return code < ascii_codes ? ascii_[code] : child(root, code);
    if (const Node next = child(node, code); next != root) return next;
  }
}

WordAutomaton::Next WordAutomaton::next_of(Node node) const {
  Next next;
  for (Node child = first_child_[node]; child < first_child_[node + 1]; ++child) {
    const std::uint16_t found = class_of(code_[child]);
    if ((found & code_han) != 0)
      next.han = true;
    else if ((found & code_letter) != 0)
      next.other_letter = true;
    else
      next.other = true;
  }
  return next;
}

std::size_t WordAutomaton::memory_bytes() const {
  return (code_.capacity() + first_child_.capacity() + shorter_.capacity() + word_.capacity() +
          ascii_.capacity()) *
             sizeof(Node) +
         depth_.capacity();
}

}  // namespace premise
