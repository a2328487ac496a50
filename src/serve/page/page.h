// The page at `/`: static files, built from web/ and linked into the program.
//
// The files are linked into the program alone, as a table that this room refers to weakly. So no
// other code waits for the page to be built, and tests, sanitizer builds and -DPREMISE_PAGE=OFF,
// which have no table, need no Node. The alternative, the table in this room, would hold back every
// room above until npm is done, since CMake orders generated sources before all that link them.
#pragma once

#include <optional>
#include <span>

#include "serve/http/message.h"
#include "serve/page/page_file.h"

namespace premise {

/// True for GET and HEAD of the page's own paths: `/`, `/index.html`, `/favicon.svg` and everything
/// below `/assets/`.
bool is_page_request(const HttpRequest& request);

/// The answer to GET and HEAD of the page's own paths: `/`, `/index.html`, `/favicon.svg` and
/// everything below `/assets/`. Nothing for any other request, which is then the API's. The files
/// hold no secret and need no key; the page asks its user for one. Any thread.
std::optional<HttpResponse> page_response(const HttpRequest& request);

/// The same from these files; none: an answer that says that this program has no page.
std::optional<HttpResponse> page_response(const HttpRequest& request,
                                          std::span<const PageFile> files);

}  // namespace premise
