#include "engine/cache/prefix_tree.h"

#include <algorithm>
#include <cassert>

namespace premise {
namespace {

// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit in reaches every bit out.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::uint64_t hash_of(const PrefixScope& scope, PrefixTree::Node parent,
                      std::span<const std::int32_t> tokens) {
  std::uint64_t hash = mix(mix(scope.salt) ^ scope.adapter);
  hash = mix(hash ^ static_cast<std::uint32_t>(parent));
  for (const std::int32_t token : tokens) hash = mix(hash ^ static_cast<std::uint32_t>(token));
  return hash;
}

}  // namespace

PrefixTree::Node PrefixTree::find(const PrefixScope& scope, Node parent,
                                  std::span<const std::int32_t> tokens) const {
  const auto [begin, end] = index_.equal_range(hash_of(scope, parent, tokens));
  for (auto candidate = begin; candidate != end; ++candidate) {
    const Entry& entry = at(candidate->second);
    if (entry.parent == parent && entry.scope == scope && std::ranges::equal(entry.tokens, tokens))
      return candidate->second;
  }
  return none;
}

PrefixTree::Node PrefixTree::add(const PrefixScope& scope, Node parent,
                                 std::span<const std::int32_t> tokens) {
  assert(scope.shares() && find(scope, parent, tokens) == none);
  Node node = static_cast<Node>(entries_.size());
  if (unused_.empty()) {
    entries_.emplace_back();
  } else {
    node = unused_.back();
    unused_.pop_back();
  }
  Entry& entry = at(node);
  entry.scope = scope;
  entry.parent = parent;
  entry.hash = hash_of(scope, parent, tokens);
  entry.pins = 1;
  entry.tokens.assign(tokens.begin(), tokens.end());
  entry.blocks.assign(groups_, -1);
  if (parent != none) ++at(parent).children;
  index_.emplace(entry.hash, node);
  return node;
}

void PrefixTree::set_block(Node node, std::size_t group, std::int32_t block) {
  assert(at(node).blocks[group] == -1);
  at(node).blocks[group] = block;
}

void PrefixTree::forget_block(Node node, std::size_t group) {
  at(node).blocks[group] = -1;
  prune(node);
}

void PrefixTree::unpin(Node node) {
  assert(at(node).pins > 0);
  --at(node).pins;
  prune(node);
}

// Removes the node where nothing needs it, and then its ancestors that it alone kept.
void PrefixTree::prune(Node node) {
  while (node != none) {
    Entry& entry = at(node);
    const bool holds = std::ranges::any_of(entry.blocks, [](auto block) { return block >= 0; });
    if (holds || entry.pins > 0 || entry.children > 0) return;
    const auto [begin, end] = index_.equal_range(entry.hash);
    index_.erase(std::find_if(begin, end, [&](const auto& e) { return e.second == node; }));
    unused_.push_back(node);
    const Node parent = entry.parent;
    entry = Entry{};
    if (parent != none) --at(parent).children;
    node = parent;
  }
}

}  // namespace premise
