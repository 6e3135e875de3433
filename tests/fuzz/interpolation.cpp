// ${...} in any text.
#include <cstdint>
#include <string>

#include "check.hpp"
#include "compose/template.hpp"

using namespace difyd::compose;

namespace {

std::optional<std::string_view> find(std::string_view name) {
  if (name == "A") return "a";
  if (name == "E") return "";
  if (name == "D") return "$A ${A}";  // values are not looked into again
  return std::nullopt;
}

std::string doubled(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '$' ? 2 : 1, c);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  DEMAND(substitute(doubled(text), find, {}) == text);
  try {
    const std::string out = substitute(text, find, [](std::string_view name) { DEMAND(!find(name)); });
    DEMAND(text.find('$') != std::string_view::npos || out == text);
  } catch (const template_error&) {
  }
  return 0;
}
