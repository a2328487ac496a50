// How a line lies in its row. Shared by the files of AuditLog.
#pragma once

#include <string>

#include "serve/gate/audit_log.h"

namespace premise {

constexpr std::string_view audit_columns =
    "id, time_ms, request, key_id, key_name, client, action, model, prompt_tokens, output_tokens, "
    "outcome, reason, prompt, answer, hash";
constexpr int audit_columns_count = 15;

/// The line of a row whose first columns are audit_columns.
AuditLine read_audit_line(const Statement& row);

/// What the line that notes a removal says; verify() wants it word for word.
constexpr std::string_view prune_action = "audit prune";
std::string prune_reason(const AuditHead& anchor);

}  // namespace premise
