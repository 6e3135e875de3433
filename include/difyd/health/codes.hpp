// Every code that a finding can have: the one table from which the manual's is made.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "difyd/model/finding.hpp"

namespace difyd::health {

struct code_row {
  std::string_view code;
  std::string_view subject;  // "service.<name>" for a family
  severity worst = severity::error;
  std::string_view meaning;
  std::string_view remedy;  // in short; a finding's own names what it is about
  bool new_vm_helps = false;
};

// By subject, the worst of each first.
std::span<const code_row> codes();
const code_row* find_code(std::string_view code);

// The table of the manual, in Markdown, without what is well.
std::string render_codes();

}  // namespace difyd::health
