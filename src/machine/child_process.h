// Other programs, and questions that may never be answered, in processes of their own.
//
// What a doctor asks may hang: nvidia-smi on a wedged driver, statvfs on a network share whose
// server is gone. Such a process can sit in the kernel where not even SIGKILL reaches it, so that
// after the time limit it is killed, waited for briefly, and then left behind: the doctor goes on.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "machine/source.h"

namespace premise {

/// MachineSource::run_command().
CommandAnswer run_child(const std::vector<std::string>& argv, std::chrono::milliseconds time_limit);

/// How a function ended that ran in a fork of this process.
struct TrialEnd {
  bool timed_out = false;
  int signal = 0;     // that ended it; 0: it returned
  std::string bytes;  // what it returned
};

/// Runs `question` in a fork, since it may be killed by a signal or never return; it may call only
/// functions that are safe in a fork of a program with threads (system calls; no allocation beyond
/// small strings' own storage). It returns how many bytes of `buffer` (64) it filled. Nothing
/// where no process could be made.
std::optional<TrialEnd> try_in_fork(const std::function<std::size_t(char* buffer)>& question,
                                    std::chrono::milliseconds time_limit);

}  // namespace premise
