// Takes private data out of what is recorded of a machine: names of the host and of people,
// addresses of networks and of network cards, UUIDs, serial numbers, ids of containers.
//
// The first line of defence is that probes do not ask for such things. This is the second one, for
// what stands beside the answer. The same original always becomes the same stand-in, so that a
// recording stays consistent (a container's id in /proc/self/cgroup and in the folders named after
// it), and a recording that is examined asks for the names that stand in it.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace premise {

class Redactor {
 public:
  struct Identity {
    std::string host_name;  // of this machine; empty: nothing to hide
    std::string user_name;
    std::string home;  // "/home/wang"
  };

  explicit Redactor(Identity identity) : identity_(std::move(identity)) {}

  /// The text without what is private.
  std::string operator()(std::string_view text);

 private:
  std::size_t take_token(std::string_view text, std::size_t at, std::string& out);
  std::string stand_in(std::string_view kind, std::string_view original);

  Identity identity_;
  std::map<std::string, std::string, std::less<>> stand_ins_;
  std::map<std::string, int, std::less<>> counts_;
};

/// Who and where this process is.
Redactor::Identity identity_of_process();

}  // namespace premise
