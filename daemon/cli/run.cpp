#include "difyd/cli/run.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "config_commands.hpp"
#include "context.hpp"
#include "daemon_commands.hpp"
#include "difyd/base/text.hpp"
#include "difyd/cli/compose_commands.hpp"
#include "env_commands.hpp"
#include "first_options.hpp"
#include "help_text.hpp"
#include "report_command.hpp"
#include "stack_logs.hpp"

namespace difyd::cli {
namespace {

struct arguments {
  options global;
  bool no_wait = false;
  bool with_health = false;
  bool follow = false;
  bool yes = false;
  bool codes = false;
  std::string version;
  std::string from;  // a version
  std::string id;
  std::string backup;
  std::vector<std::string> acknowledged;
  std::string plan;  // hash
  std::string reason;
  std::string output;  // a file
  std::vector<std::string> services;
  std::string tail;
  bool timestamps = false;
  adopt_wish adopt;
  init_wish init;
};

// Replaces this program by the daemon: it has libraries that no command needs.
int exec_supervisor(const arguments& given) {
  const std::string program = program_path("difyd-supervisor");
  std::vector<std::string> words{program, "--config", given.global.config};
  if (given.with_health) words.push_back("--with-health");
  std::vector<char*> list;
  for (auto& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  ::execv(program.c_str(), list.data());
  return report(
      {"program-missing", "cannot run " + program + ": " + std::strerror(errno), "Install difyd again"});
}

int logs(const arguments& given) {
  compose_options how;
  how.services = given.services;
  how.tail = given.tail;
  how.follow = given.follow;
  how.timestamps = given.timestamps;
  return show_logs(given.global, std::move(how));
}

int upgrade(const arguments& given) {
  if (given.follow && !given.version.empty())
    return report({"usage", "difyd upgrade takes a version or --follow, not both",
                   "Follow the upgrade in flight: difyd upgrade --follow"},
                  usage_error);
  if (given.follow) return attach_to_upgrade(given.global);
  if (given.version.empty())
    return report({"usage", "difyd upgrade wants a version", "For example: difyd upgrade 1.12.1"},
                  usage_error);
  return start_upgrade(given.global, {given.version, given.acknowledged, given.plan}, !given.no_wait);
}

int rollback_or_restore(const arguments& given) {
  if (given.backup.empty()) return rollback(given.global, !given.no_wait);
  return restore(given.global, given.backup, given.yes, !given.no_wait);
}

bool is_json(const char* word) { return std::strcmp(word, "--json") == 0; }

// The place of the command; argc where there is none.
int first_word(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--config" || word == "--socket")
      ++i;
    else if (!word.starts_with('-'))
      return i;
  }
  return argc;
}

int print_version(const options& given) {
  if (given.json)
    std::printf("{\"version\":\"%s\"}\n", DIFYD_VERSION);
  else
    std::printf("difyd %s\n", DIFYD_VERSION);
  return succeeded;
}

class command_line {
 public:
  command_line() : app_(about, "difyd") {
    app_.footer(short_closing);  // what the commands inherit
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.set_help_flag("-h,--help", "print this help");
    app_.add_option("--config", given_.global.config, "difyd's configuration")->capture_default_str();
    app_.add_option("--socket", given_.global.socket,
                    "the daemon's control socket (default: as configured; $DIFYD_SOCKET)");
    app_.add_flag("--json", given_.global.json, "print JSON");
    add_first_commands();
    add_stack_commands();
    add_maintenance();
    add_upgrade_commands();
    add_other_commands();
    app_.footer(closing);
    app_.set_version_flag("--version", DIFYD_VERSION, "print the version of this program");
  }

  int run(int argc, char** argv) {
    const int word = first_word(argc, argv);
    // A command line that is not understood may still ask for JSON.
    given_.global.json = std::any_of(argv + 1, argv + argc, is_json);
    answer_in_json(given_.global.json);
    if (word < argc)
      if (const auto unknown = unknown_command(app_, "difyd", argc, argv, word))
        return report(*unknown, usage_error);
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForVersion&) {
      return print_version(given_.global);
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) return app_.exit(error);
      if (word >= argc)
        return report({"usage", "no command is given", "difyd --help lists them"}, usage_error);
      const std::string command = argv[word];
      return report({"usage", command + ": " + error.what(), "See: difyd " + command + " --help"},
                    usage_error);
    }
    return chosen_ ? chosen_() : usage_error;
  }

 private:
  // `path` is what was typed up to here: "difyd config".
  static std::optional<Error> unknown_command(const CLI::App& of, std::string path, int argc, char** argv,
                                              int word) {
    std::vector<std::string> names;
    const CLI::App* found = nullptr;
    for (const auto* each : of.get_subcommands({})) {
      names.push_back(each->get_name());
      if (each->get_name() == argv[word]) found = each;
    }
    if (found) {
      const bool more = word + 1 < argc && argv[word + 1][0] != '-' && !found->get_subcommands({}).empty();
      return more ? unknown_command(*found, path + " " + argv[word], argc, argv, word + 1) : std::nullopt;
    }
    const std::string guess = closest(argv[word], names);
    return Error{"usage", "there is no command " + path + " " + argv[word],
                 guess.empty() ? path + " --help lists them" : "Did you mean " + path + " " + guess + "?"};
  }

  CLI::App* add(const char* name, const char* help, std::function<int()> what) {
    return add(app_, name, help, std::move(what));
  }
  // A command that has commands of its own runs where none of them is given.
  CLI::App* add(CLI::App& to, const char* name, const char* help, std::function<int()> what) {
    auto* command = to.add_subcommand(name, help);
    command->fallthrough();
    command->callback([this, command, what = std::move(what)] {
      if (command->get_subcommands().empty()) chosen_ = what;
    });
    return command;
  }
  CLI::App* waiting(CLI::App* command) {
    command->add_flag("--no-wait", given_.no_wait, "return once the daemon has accepted it");
    return command;
  }

  void add_first_commands() {
    add_options(*add("init", "make a configuration for a new installation, with secrets of its own",
                     [this] { return cli::init(given_.global, given_.init); }),
                given_.init);
    add_options(*add("adopt", "make difyd's configuration from an installation that docker compose runs",
                     [this] { return cli::adopt(given_.global, given_.adopt); }),
                given_.adopt);
  }

  void add_stack_commands() {
    auto* serve =
        add("serve", "run the daemon in the foreground", [this] { return exec_supervisor(given_); });
    serve->add_flag("--with-health", given_.with_health, "also run difyd-health, where no systemd unit does");
    add("compose", "the compose engine on any compose file, without the daemon (difyd compose --help)",
        [] { return int(usage_error); });
    waiting(add("up", "start the stack", [this] { return stack_up(given_.global, !given_.no_wait); }));
    waiting(add("down", "stop the stack and remove its containers; data stays",
                [this] { return stack_down(given_.global, !given_.no_wait); }));
    auto* restart = waiting(add("restart", "restart services", [this] {
      return stack_restart(given_.global, given_.services, !given_.no_wait);
    }));
    restart->add_option("services", given_.services, "which (default: all)");
    add("ps", "the services of the stack", [this] { return show_services(given_.global); });
    auto* log = add("logs", "output of the services", [this] { return logs(given_); });
    log->add_option("services", given_.services, "whose (default: all)");
    log->add_flag("-f,--follow", given_.follow, "go on as it comes");
    log->add_option("--tail", given_.tail, "only the last N lines of each, or all")->check(line_count);
    log->add_flag("-t,--timestamps", given_.timestamps, "with the time of each line");
  }

  void add_maintenance() {
    auto* maintenance =
        add("maintenance", "show visitors a page instead of Dify, which goes on running behind it",
            [this] { return show_maintenance(given_.global); });
    auto* on =
        waiting(add(*maintenance, "on", "stop nginx and show the page; until it is switched off", [this] {
          return change_maintenance(given_.global, {true, given_.reason}, !given_.no_wait);
        }));
    on->add_option("--reason", given_.reason, "a sentence that visitors read, in the language that you like")
        ->type_name("TEXT");
    waiting(add(*maintenance, "off", "let visitors in again", [this] {
      return change_maintenance(given_.global, {false, {}}, !given_.no_wait);
    }));
  }

  void add_upgrade_commands() {
    waiting(add("resume", "try a held upgrade again, from where the database is",
                [this] { return resume_upgrade(given_.global, !given_.no_wait); }));
    add("abort", "end the upgrade that runs and put the old version back; before the migration only",
        [this] { return abort_upgrade(given_.global); });
    auto* plan = add("plan", "what an upgrade (or just converging) would change; changes nothing",
                     [this] { return show_plan(given_.global, given_.version); });
    plan->add_option("version", given_.version, "the release, for example 1.12.1");
    auto* rehearsal = waiting(
        add("rehearse", "run a release's migration on a copy of the database, beside the stack",
            [this] { return rehearse(given_.global, given_.version, given_.backup, !given_.no_wait); }));
    rehearsal->add_option("version", given_.version, "the release, for example 1.12.1")->required();
    rehearsal->add_option("--backup", given_.backup, "that the copy is made from (default: the newest)")
        ->type_name("BACKUP");
    auto* upgrade = waiting(
        add("upgrade", "stop, migrate, start: to a newer release", [this] { return cli::upgrade(given_); }));
    upgrade->add_option("version", given_.version, "the release, for example 1.12.1");
    upgrade
        ->add_option("--acknowledge", given_.acknowledged,
                     "an advisory of difyd plan that was read and heeded; may be repeated")
        ->type_name("ID")
        ->allow_extra_args(false);
    upgrade
        ->add_option("--plan", given_.plan,
                     "carry out this plan of difyd plan, or refuse where it is another now")
        ->type_name("HASH");
    upgrade->add_flag("--follow", given_.follow, "follow the upgrade in flight, whoever began it");
    auto* rollback =
        waiting(add("rollback", "put the old version back: while that is possible, or from a backup",
                    [this] { return rollback_or_restore(given_); }));
    rollback->add_option("--restore", given_.backup, "the backup, as difyd backup list has it")
        ->type_name("BACKUP");
    rollback->add_flag("--yes", given_.yes, "do not ask");
    auto* backup = waiting(add("backup", "take a backup now, whatever the stack does",
                               [this] { return take_backup(given_.global, !given_.no_wait); }));
    add(*backup, "list", "the backups that are there", [this] { return show_backups(given_.global); });
    add(*backup, "verify", "hashes, and every dump read back", [this] {
      return verify_backup(given_.global, given_.id);
    })->add_option("id", given_.id, "as difyd backup list has it (default: the newest)");
    auto* advisories = add("advisories", "the commands that an upgrade's advisories want run after it",
                           [this] { return show_commands(given_.global); });
    const auto change = [&](const char* verb, const char* help) {
      add(*advisories, verb, help, [this, verb] { return change_commands(given_.global, verb, given_.id); })
          ->add_option("id", given_.id, "of the advisory")
          ->required();
    };
    change("run", "run those of an advisory again");
    change("drop", "take those of an advisory off the list: you have seen to them yourself");
    auto* repin = waiting(add("repin",
                              "in a hold or while the stack is stopped: make the version that the database "
                              "proves the deployed one, and start it",
                              [this] { return cli::repin(given_.global, given_.version, !given_.no_wait); }));
    repin->add_option("version", given_.version, "the release, for example 1.11.4")->required();
    auto* migrations =
        add("migrations", "the migrations that were run", [this] { return show_migrations(given_.global); });
    auto* log = add(*migrations, "log", "the whole output of one",
                    [this] { return show_migration_log(given_.global, given_.id, given_.follow); });
    log->add_option("id", given_.id, "as difyd migrations lists it; the newest without one");
    log->add_flag("-f,--follow", given_.follow, "of one that runs: go on to its end");
    add("history", "past upgrades with their times", [this] { return show_history(given_.global); });
  }

  void add_other_commands() {
    add("status", "phase, versions, services, findings", [this] { return show_status(given_.global); });
    add("check", "probe everything that the stack stands on", [this] {
      return given_.codes ? show_codes() : check(given_.global);
    })->add_flag("--codes", given_.codes, "the table of findings instead: code, meaning, remedy");
    auto* config = add("config", "difyd's own configuration, as it is in force",
                       [this] { return print_config(given_.global); });
    add(*config, "check", "find mistakes", [this] { return check_config(given_.global); });
    add(*config, "reference", "every key with its default and meaning",
        [this] { return print_reference(given_.global); });
    auto* env = add("env", "the environment of releases", [] { return int(usage_error); });
    env->require_subcommand(1);
    auto* diff = add(*env, "diff", "how two releases differ, and what would be in force",
                     [this] { return show_env_diff(given_.global, given_.from, given_.version); });
    diff->add_option("from", given_.from, "the old release, for example 1.11.4")->required();
    diff->add_option("to", given_.version, "the new release, for example 1.12.1")->required();
    auto* whole =
        add("report", "one archive for an issue thread: journal, logs, findings, versions; no secrets",
            [this] { return write_report(given_.global, given_.output); });
    whole->add_option("--output", given_.output, "where (default: difyd-report-<time>.tar.gz here)")
        ->type_name("FILE");
    add("version", "the version of this program", [this] { return print_version(given_.global); });
  }

  CLI::App app_;
  arguments given_;
  std::function<int()> chosen_;
};

}  // namespace

int run(int argc, char** argv) {
  // `compose` has docker compose's flags, which are not ours to parse here.
  const int word = first_word(argc, argv);
  if (word < argc && std::strcmp(argv[word], "compose") == 0) {
    answer_in_json(std::any_of(argv + 1, argv + word, is_json));
    return run_compose(argc - word, argv + word);
  }
  command_line line;
  return line.run(argc, argv);
}

}  // namespace difyd::cli
