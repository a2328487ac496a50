// The automaton of Aho and Corasick, "Efficient string matching" (1975). Its state is the longest
// beginning of any stop string that the text ends with; exactly that much must be held back.
// Children are kept in one hash table, since stop strings come from clients and a dense table of
// 256 children a byte would let a long one take a thousand times its size.
#include "model/tokenizer/stop_strings.h"

#include <algorithm>
#include <utility>

namespace premise {

StopStrings::StopStrings(std::span<const std::string> strings) : nodes_(1) {
  for (std::size_t index = 0; index < strings.size(); ++index) {
    Node node = 0;
    for (const char byte : strings[index]) {
      const std::uint64_t key = std::uint64_t{node} * 256 + static_cast<unsigned char>(byte);
      const auto [place, added] = children_.try_emplace(key, static_cast<Node>(nodes_.size()));
      if (added) nodes_.push_back({.depth = nodes_[node].depth + 1});
      node = place->second;
    }
    Place& end = nodes_[node];
    if (node == 0 || end.stop_bytes != 0) continue;
    end.stop_bytes = end.depth;
    end.stop_index = static_cast<std::uint32_t>(index);
  }
  // By depth, so that the shorter beginnings a node refers to are finished before it.
  std::vector<std::pair<std::uint64_t, Node>> edges(children_.begin(), children_.end());
  std::sort(edges.begin(), edges.end(), [this](const auto& a, const auto& b) {
    return nodes_[a.second].depth < nodes_[b.second].depth;
  });
  for (const auto& [key, node] : edges) {
    const auto parent = static_cast<Node>(key / 256);
    Place& place = nodes_[node];
    if (parent != 0) place.shorter = next(nodes_[parent].shorter, static_cast<char>(key % 256));
    if (place.stop_bytes != 0) continue;
    place.stop_bytes = nodes_[place.shorter].stop_bytes;
    place.stop_index = nodes_[place.shorter].stop_index;
  }
}

std::optional<StopStrings::Node> StopStrings::child(Node node, char byte) const {
  const auto found = children_.find(std::uint64_t{node} * 256 + static_cast<unsigned char>(byte));
  if (found == children_.end()) return std::nullopt;
  return found->second;
}

StopStrings::Node StopStrings::next(Node node, char byte) const {
  for (;;) {
    if (const auto deeper = child(node, byte)) return *deeper;
    if (node == 0) return 0;
    node = nodes_[node].shorter;
  }
}

std::string_view StopMatcher::release(std::size_t end) {
  const std::string_view text = std::string_view(buffer_).substr(shown_, end - shown_);
  shown_ = end;
  return text;
}

std::string_view StopMatcher::push(std::string_view text) {
  if (stopped_) return {};
  // What was returned is dropped once it outweighs what is held back: each byte moves O(1) times.
  if (shown_ > buffer_.size() / 2) {
    buffer_.erase(0, shown_);
    shown_ = 0;
  }
  for (const char byte : text) {
    buffer_ += byte;
    node_ = strings_->next(node_, byte);
    const StopStrings::Place& place = strings_->nodes_[node_];
    if (place.stop_bytes == 0) continue;
    stopped_ = place.stop_index;
    return release(buffer_.size() - place.stop_bytes);
  }
  return release(buffer_.size() - strings_->nodes_[node_].depth);
}

std::string_view StopMatcher::flush() {
  if (stopped_) return {};
  node_ = 0;
  return release(buffer_.size());
}

}  // namespace premise
