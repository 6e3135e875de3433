// The dotenv grammar and the raw one of `env_file: {format: raw}`.
#include <cstdint>
#include <difyd/compose/dotenv.hpp>

#include "check.hpp"
#include "compose/dotenv_parser.hpp"

using namespace difyd::compose;

namespace {

const text_map environment{{"A", "a"}, {"EMPTY", ""}, {"LONG", std::string(100, 'x')}};

void read_raw(std::string_view text) {
  workspace w;
  const auto file = w.add_file("x.env");
  try {
    for (const auto& [key, value] :
         parse_raw_env(w, file, text, [](std::string_view) { return std::nullopt; }))
      DEMAND(!key.empty() && key.find('\n') == std::string::npos && value.find('\n') == std::string::npos);
  } catch (const broken& e) {
    DEMAND(e.error.message.starts_with("cannot load x.env:"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = read_dotenv(text, "x.env", environment);
  if (read)
    for (const auto& [key, value] : read->variables) DEMAND(key.find('=') == std::string::npos);
  else
    DEMAND(read.error().message.starts_with("cannot load x.env:"));
  read_raw(text);
  return 0;
}
