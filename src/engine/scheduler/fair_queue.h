// Who is next: requests wait by owner, and the owner who was served least goes first.
//
// Start-time fair queueing (Goyal, Vin, Chen 1996) counted in tokens: every owner has an account of
// tokens computed for it, the one with the smallest account is next, and its oldest request is
// taken. An owner that comes back after a pause starts no lower than where the queue is now, so
// that silence saves nothing up; when nobody is left the accounts begin anew. A plain queue in
// order of arrival lets one owner with a thousand requests delay everybody; round robin over owners
// counts an 8,000-token prompt like a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "engine/request/request.h"

namespace premise {

using OwnerId = std::uint64_t;

/// One thread at a time.
class FairQueue {
 public:
  /// A request arrives; ids rise. It counts as live until leave().
  void push(OwnerId owner, RequestId request);

  /// The request that is next, which stays.
  std::optional<RequestId> next() const;

  /// Takes a waiting request out; false where it does not wait.
  bool remove(OwnerId owner, RequestId request);

  /// One request of the owner ended, wherever it was.
  void leave(OwnerId owner);

  /// Tokens were, or will now be, computed for the owner.
  void charge(OwnerId owner, std::size_t tokens);

  /// The owner has been chosen: whoever comes later starts no lower than it stands.
  void choose(OwnerId owner);

  std::uint64_t served(OwnerId owner) const { return owners_.at(owner).served; }
  std::size_t waiting() const { return waiting_; }
  std::size_t owners() const { return owners_.size(); }

 private:
  // Accounts of owners without requests that are remembered at most.
  static constexpr std::size_t absent_kept = 4096;

  struct Owner {
    std::uint64_t served = 0;  // tokens
    std::size_t live = 0;      // requests waiting or running
    std::deque<RequestId> waiting;
  };
  void forgive();

  std::map<OwnerId, Owner> owners_;
  std::uint64_t now_ = 0;  // where the owner stood who was chosen last
  std::size_t waiting_ = 0;
  std::size_t live_ = 0;
  std::size_t absent_ = 0;  // owners without live requests
};

}  // namespace premise
