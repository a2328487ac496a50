// Who runs this process, as the audit log names people who act without a key.
#pragma once

#include <sys/types.h>

#include <string>

namespace premise {

/// "user alice"; "user 4711" where the system knows no name.
std::string user_called(uid_t user);

/// The effective user of this process, and who had logged in before becoming it (sudo, su), where
/// the kernel has recorded that: "user root, login alice".
std::string local_user();

}  // namespace premise
