// A line of the audit log: who asked what, when, and what became of it.
//
// Lines form a chain: each holds SHA-256 over its fields and the hash of the line before it, and
// the head (how many lines, the last one's hash) stands in a row of its own. So a line that was
// removed, changed, moved or put in between shows, and so does a tail that was cut off: the lines
// no longer lead to the head.
//
// What this does not prove: whoever may write the database may also compute a new chain and a new
// head, since nothing in the file is secret. Against that helps only a head that was noted where
// they cannot write (`premise audit head`; a server's log names it at its start and end): `premise
// audit verify --head` tells whether the noted line is still in the chain. A key for the hashes
// (HMAC) was rejected: the server would hold it on the same machine, beside the file it guards.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace premise {

struct AuditEntry {
  std::int64_t time_ms = 0;  // since 1970, UTC: when the request came
  std::string request;       // its id, as the client saw it
  std::int64_t key_id = 0;   // 0: no key was taken
  std::string key_name;
  std::string client;  // address
  std::string action;  // path of the dialect, or a word for what Premise itself notes
  std::string model;
  std::int64_t prompt_tokens = 0;
  std::int64_t output_tokens = 0;
  std::string outcome;  // "complete", "refused", …
  std::string reason;   // of a refusal or failure
  std::string prompt;   // empty unless the configuration wants texts kept
  std::string answer;
};

struct AuditLine : AuditEntry {
  std::int64_t id = 0;  // 1, 2, 3 … without a gap
  std::string hash;     // 64 hexadecimal digits
};

/// The end of the chain. An empty log has count 0 and an empty hash.
struct AuditHead {
  std::int64_t count = 0;  // the id of the last line
  std::string hash;
};

/// The hash that a line has to have behind the line of hash `previous` (empty: the first).
///
/// It is taken over these fields in this order, each as the number of its bytes in decimal, a
/// colon, the bytes, a comma (a netstring, so that no two lines read alike): "premise audit 1",
/// previous, id, time_ms, request, key_id, key_name, client, action, model, prompt_tokens,
/// output_tokens, outcome, reason, prompt, answer. Numbers are decimal.
Result<std::string> audit_hash(std::string_view previous, const AuditLine& line);

/// The entry as it is kept. Texts become valid UTF-8 (other bytes as \xNN); all but prompt and
/// answer lose control characters and what exceeds a kilobyte, and a prompt or an answer what
/// exceeds four megabytes, with a note of how many bytes there were.
AuditEntry kept_form(AuditEntry entry);

}  // namespace premise
