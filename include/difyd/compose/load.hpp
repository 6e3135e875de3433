// load(source, reader) -> project: docker compose's loader without docker compose. No I/O but
// through the reader; no global state. Semantics: REFERENCE section 1 (docker compose 2.26.1).
#pragma once

#include <difyd/compose/project.hpp>
#include <difyd/compose/reader.hpp>

namespace difyd::compose {

// What a command line and an environment ask for.
struct source {
  text_list files;                // -f, in order; "-" = standard input. Empty: COMPOSE_FILE, else searched
  text_list env_files;            // --env-file, in order; empty: COMPOSE_ENV_FILES, else <project dir>/.env
  std::string project_directory;  // --project-directory; may be relative to cwd
  std::string project_name;       // -p
  text_list profiles;             // --profile; empty: COMPOSE_PROFILES
  text_list services;             // selected services; empty = all
  bool with_dependencies = true;  // keep what the selected services depend on
  text_map environment;           // the process's environment
  std::string cwd;                // absolute
};

struct loaded {
  struct project project;
  text_list warnings;  // one sentence each, in the order met
};

// Errors carry file:line:column where there is one. Codes:
//   compose-file-not-found   no file where one was named or searched (docker compose exits 14)
//   compose-invalid          the model breaks a rule of compose (docker compose exits 15)
//   compose-syntax           YAML, dotenv or interpolation syntax (docker compose exits 15 or 1)
//   env-file-not-found       a required env file is missing
//   no-such-service          a selected service does not exist
Result<loaded> load(const source& from, const reader& files);

// The process's environment (environ) and current directory as a source to start from.
source source_of_this_process();

}  // namespace difyd::compose
