// Reading the rows of the data files of this folder: the first thing that is wrong is remembered
// and named by file, list, row and field; what comes after it reads as empty.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "machine/compatibility/version.h"

namespace premise {

class RowReader {
 public:
  RowReader(std::string file, const nlohmann::json& document)
      : file_(std::move(file)), document_(document) {}

  /// Calls read() for each row of a list; within it, the functions below read the row's fields.
  template <typename Read>
  void for_each(const char* list, Read read) {
    const auto found = document_.find(list);
    if (found == document_.end() || !found->is_array()) return wrong(list, "");
    for (const nlohmann::json& row : *found) {
      place_ = std::string(list) + "[" + std::to_string(&row - &found->front()) + "]";
      row_ = &row;
      if (!row.is_object()) return wrong(place_, "");
      read();
    }
  }

  std::string text(const char* field);  // not empty
  double number(const char* field);     // not negative
  std::int64_t whole(const char* field);
  bool flag(const char* field);
  Version version(const char* field);
  std::vector<Version> versions(const char* field);

  /// Whether the row has the field and it is not null.
  bool has(const char* field) const {
    const auto found = row_->find(field);
    return found != row_->end() && !found->is_null();
  }

  Status status() const { return error_ ? Status(*error_) : Status(); }
  void wrong(const std::string& place, const char* field);

 private:
  const nlohmann::json& field(const char* name) const;

  std::string file_;
  const nlohmann::json& document_;
  const nlohmann::json* row_ = nullptr;
  std::string place_;
  std::optional<Error> error_;
};

/// The document, its "date" and its "sources"; or what is wrong with it.
struct DataFile {
  nlohmann::json document;
  std::string date;
  std::vector<std::pair<std::string, std::string>> sources;
};
Result<DataFile> parse_data_file(const std::string& name, std::string_view json);

}  // namespace premise
