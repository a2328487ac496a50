// What shape of content a template understands.
//
// Templates do not say whether they take content as a string, as a list of parts, or both; guessing
// wrong prints Python lists into the prompt. So small conversations with a mark in them are
// rendered, and the text is searched for the mark.
#pragma once

#include "model/chat/chat_template.h"

namespace premise {

ChatTemplate::Content probe_content(const ChatTemplate& chat_template);

}  // namespace premise
