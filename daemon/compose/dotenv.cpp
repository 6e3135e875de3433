#include <difyd/compose/dotenv.hpp>

#include "dotenv_parser.hpp"

namespace difyd::compose {

Result<env_text> read_dotenv(std::string_view text, const std::string& name, const text_map& environment) {
  workspace w;
  const auto file = w.add_file(name);
  const lookup find = [&](std::string_view key) -> std::optional<std::string_view> {
    const auto found = environment.find(key);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  };
  try {
    env_text read;
    read.variables = parse_dotenv(w, file, text, find);
    read.warnings = std::move(w.warnings);
    return read;
  } catch (broken& e) {
    e.error.message = on_one_line(e.error.message);
    e.error.remedy = on_one_line(e.error.remedy);
    return fail(std::move(e.error));
  }
}

}  // namespace difyd::compose
