// What difyd --help says beside the commands.
#pragma once

namespace difyd::cli {

inline constexpr const char* about =
    "difyd keeps a Dify stack running on one machine and upgrades it as stop, migrate, start.";

inline constexpr const char* closing =
    "Exit codes, of every command:\n"
    "  0    done\n"
    "  1    failed\n"
    "  2    wrong: the command line, a service or version that is named, or the configuration\n"
    "  3    the daemon does not answer\n"
    "  4    refused as things are now; nothing was changed\n"
    "  5    undone: the old version serves\n"
    "  6    held: an operator must decide (difyd status says what can be done)\n"
    "  130  interrupted; what the daemon had begun goes on in it\n"
    "difyd check: 0 good, 1 warnings, 2 errors. difyd compose: docker compose's codes.\n\n"
    "With --json the answer is JSON on standard output, and so is an error, with the same exit code:\n"
    "  {\"error\":{\"code\":...,\"message\":...,\"remedy\":...}}, with file, line and column where they are "
    "known.\n"
    "What follows an operation, and logs, prints one object per line.\n\n"
    "A first evening:\n"
    "  difyd init                a configuration with secrets of its own; an installation that runs: difyd "
    "adopt\n"
    "  difyd config check        is the configuration good?\n"
    "  difyd serve               run the daemon in the foreground (or: systemctl start difyd)\n"
    "  difyd check               what the stack stands on, what is missing, what to do\n"
    "  difyd status              what runs, since when, and why not\n"
    "  difyd plan 1.12.1         what an upgrade would change; changes nothing\n"
    "  difyd upgrade 1.12.1      stop, migrate, start, with the downtime that it needs";

inline constexpr const char* short_closing =
    "Global options: --json, --config FILE, --socket PATH. Exit codes and examples: difyd --help";

}  // namespace difyd::cli
