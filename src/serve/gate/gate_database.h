// The gate's one SQLite file: keys, daily counters and the audit log, shared by every process that
// works with it (a running server, `premise keys`, `premise audit`).
//
// One file, so that an answer's audit line and its share of the daily quota are committed together
// or not at all. It is apart from the model store's database: that one may be thrown away and built
// again from the blobs, this one may not, and only its owner may read it (mode 0600).
#pragma once

#include <chrono>
#include <filesystem>
#include <string_view>

#include "database/database.h"

namespace premise {

struct GateDatabase {
  /// $PREMISE_HOME/gate.db is where the program keeps it.
  static constexpr std::string_view file_name = "gate.db";

  /// Opens or makes the file (and its folder). A damaged file or one of a newer schema is refused
  /// and left as it is.
  static Result<Database> open(
      const std::filesystem::path& path,
      std::chrono::milliseconds busy_timeout = DatabaseOptions{}.busy_timeout);
};

}  // namespace premise
