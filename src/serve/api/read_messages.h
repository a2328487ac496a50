// OpenAI's `messages` into a Conversation.
#pragma once

#include "serve/api/fields.h"

namespace premise {

void read_messages(Fields& fields, Conversation& conversation);

}  // namespace premise
