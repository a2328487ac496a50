#include "planning/capacity.h"

namespace premise {

Text name_of(FigureSource source) {
  switch (source) {
    case FigureSource::measured:
      return text({"measured", "实测"});
    case FigureSource::data_sheet:
      return text({"data sheet", "规格书"});
    case FigureSource::assumed:
      break;
  }
  return text({"assumed", "假设"});
}

std::string_view id_of(FigureSource source) {
  switch (source) {
    case FigureSource::measured:
      return "measured";
    case FigureSource::data_sheet:
      return "data_sheet";
    case FigureSource::assumed:
      break;
  }
  return "assumed";
}

}  // namespace premise
