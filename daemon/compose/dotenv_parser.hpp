// The dotenv grammar of docker compose (REFERENCE 1.4). Pure.
#pragma once

#include "template.hpp"
#include "tree.hpp"

namespace difyd::compose {

// Parses `text` (the content of w.files[file]). `find` is asked first when a value names a variable
// or a line is a bare name; a value then finds what stands earlier in this file and in `known`, which
// is returned along with it. Throws broken.
text_map parse_dotenv(workspace& w, std::uint16_t file, std::string_view text, const lookup& find,
                      text_map known = {});

// KEY=value lines as docker run reads them: no quotes, no interpolation (env_file format: raw).
text_map parse_raw_env(workspace& w, std::uint16_t file, std::string_view text, const lookup& find);

}  // namespace difyd::compose
