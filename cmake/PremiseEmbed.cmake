# premise_embed(ROOM FUNCTION FILE HEADER): builds a text file into a room, as
# `std::string_view FUNCTION()`, which HEADER declares. Data stays a file that people read and edit.
function(premise_embed room function file header)
  set(path ${CMAKE_SOURCE_DIR}/${file})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  file(READ ${path} text)
  set(out ${CMAKE_BINARY_DIR}/generated/${function}.cpp)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
"// Written by cmake/PremiseEmbed.cmake from @file@.
#include \"@header@\"

namespace premise {
std::string_view @function@() {
  static constexpr char text[] = R\"premise(@text@)premise\";
  return {text, sizeof text - 1};
}
}  // namespace premise
")
  target_sources(premise_${room} PRIVATE ${out})
endfunction()
