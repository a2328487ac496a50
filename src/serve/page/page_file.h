// One file of the built page, as web/embed.mjs writes it into the program.
#pragma once

#include <span>
#include <string_view>

namespace premise {

struct PageFile {
  std::string_view path;          // "/index.html", "/assets/index-8f3a.js"
  std::string_view content_type;  // "text/html; charset=utf-8"
  std::string_view hash;          // of the bytes: the same file, the same hash
  std::string_view bytes;
  std::string_view gzip;  // the same compressed; empty where that saves nothing
};

}  // namespace premise
