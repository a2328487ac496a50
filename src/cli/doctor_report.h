// How the doctor speaks: a page for people, a document for programs.
#pragma once

#include <string>
#include <vector>

#include "machine/finding.h"
#include "machine/measure/measured.h"

namespace premise {

struct DoctorReport {
  Findings findings;  // of the same area side by side, as sort_by_area() leaves them
  Measured measured;
  std::vector<std::string> left_out;  // by --quick: names of probes and measurements
  std::string recorded_at;            // the folder of a recorded machine; empty: this machine
};

/// Joins what belongs to one area, in the order of the report; otherwise the order stays.
void sort_by_area(Findings& findings);

/// {"findings": […], "measured": {…}, "left_out": […]}
std::string doctor_json(const DoctorReport& report, Language language);

struct PageStyle {
  bool color = false;
  std::size_t columns = 0;  // of the terminal; 0: lines are not broken
};

/// A table, one row a finding, what mends it below; at the end the count of what is wrong.
std::string doctor_page(const DoctorReport& report, Language language, PageStyle style);

}  // namespace premise
