// Interpolation of one string (REFERENCE 1.6). The text of a default or an error message is
// evaluated only where it is needed, as compose-go does since 2.10.1.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace difyd::compose {

using lookup = std::function<std::optional<std::string_view>(std::string_view name)>;
using unset_warning = std::function<void(std::string_view name)>;

// what() is the cause alone: "invalid interpolation format ..." or "required variable ...".
struct template_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct invalid_template : template_error {
  using template_error::template_error;
};

std::string substitute(std::string_view text, const lookup& find, const unset_warning& unset);

}  // namespace difyd::compose
