#include "difyd/cli/run.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "config_commands.hpp"
#include "context.hpp"
#include "daemon_commands.hpp"
#include "difyd/cli/compose_commands.hpp"
#include "difyd/config/load.hpp"

namespace difyd::cli {
namespace {

constexpr const char* about =
    "difyd keeps a Dify stack running on one machine and upgrades it as stop, migrate, start.";

constexpr const char* closing =
    "Exit codes: 0 done; 1 failed; 2 wrong usage; 3 the daemon does not answer; 4 refused, nothing was\n"
    "changed; 5 undone, the old version serves; 6 held, an operator must decide (difyd status says what\n"
    "can be done). difyd check: 0 good, 1 warnings, 2 errors. difyd compose: docker compose's codes.\n\n"
    "A first evening:\n"
    "  difyd config check        is the configuration good?\n"
    "  difyd serve               run the daemon in the foreground (or: systemctl start difyd)\n"
    "  difyd check               what the stack stands on, what is missing, what to do\n"
    "  difyd status              what runs, since when, and why not\n"
    "  difyd plan 1.12.1         what an upgrade would change; changes nothing\n"
    "  difyd upgrade 1.12.1      stop, migrate, start, with the downtime that it needs";

struct arguments {
  options global;
  bool no_wait = false;
  bool with_health = false;
  bool follow = false;
  std::string version;
  std::string id;
  std::vector<std::string> services;
  std::string tail;
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

// The project's own compose command, on whatever the daemon or docker compose started.
int compose_of_project(const arguments& given, std::vector<std::string> words) {
  const auto outcome = config::load_all(given.global.config, config::this_process());
  const std::string project = outcome.values.project.empty() ? "dify" : outcome.values.project;
  std::vector<std::string> all{"compose", "-p", project};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> list;
  for (auto& word : all) list.push_back(word.data());
  list.push_back(nullptr);
  return run_compose(static_cast<int>(all.size()), list.data());
}

int logs(const arguments& given) {
  std::vector<std::string> words{"logs"};
  if (given.follow) words.push_back("-f");
  if (!given.tail.empty()) words.insert(words.end(), {"--tail", given.tail});
  words.insert(words.end(), given.services.begin(), given.services.end());
  return compose_of_project(given, std::move(words));
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
    app_.footer(closing);
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.set_help_flag("-h,--help", "print this help");
    app_.add_option("--config", given_.global.config, "difyd's configuration")->capture_default_str();
    app_.add_option("--socket", given_.global.socket,
                    "the daemon's control socket (default: as configured; $DIFYD_SOCKET)");
    app_.add_flag("--json", given_.global.json, "print JSON");
    add_stack_commands();
    add_upgrade_commands();
    add_other_commands();
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      const int code = app_.exit(error);
      return code == 0 ? succeeded : usage_error;
    }
    return chosen_ ? chosen_() : usage_error;
  }

 private:
  CLI::App* add(const char* name, const char* help, std::function<int()> what) {
    auto* command = app_.add_subcommand(name, help);
    command->fallthrough();
    command->callback([this, what = std::move(what)] { chosen_ = what; });
    return command;
  }
  CLI::App* waiting(CLI::App* command) {
    command->add_flag("--no-wait", given_.no_wait, "return once the daemon has accepted it");
    return command;
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
    log->add_option("--tail", given_.tail, "only the last N lines of each");
  }

  void add_upgrade_commands() {
    auto* plan = add("plan", "what an upgrade (or just converging) would change; changes nothing",
                     [this] { return show_plan(given_.global, given_.version); });
    plan->add_option("version", given_.version, "the release, for example 1.12.1");
    auto* upgrade = waiting(add("upgrade", "stop, migrate, start: to a newer release", [this] {
      return start_upgrade(given_.global, given_.version, !given_.no_wait);
    }));
    upgrade->add_option("version", given_.version, "the release, for example 1.12.1")->required();
    auto* migrations =
        add("migrations", "the migrations that were run", [this] { return show_migrations(given_.global); });
    auto* log = migrations->add_subcommand("log", "the whole output of one");
    log->add_option("id", given_.id, "as difyd migrations lists it")->required();
    log->callback([this] { log_chosen_ = true; });
    migrations->callback([this] {
      chosen_ = [this] {
        return log_chosen_ ? show_migration_log(given_.global, given_.id, given_.follow)
                           : show_migrations(given_.global);
      };
    });
    add("history", "past upgrades with their times", [this] { return show_history(given_.global); });
  }

  void add_other_commands() {
    add("status", "phase, versions, services, findings", [this] { return show_status(given_.global); });
    add("check", "probe everything that the stack stands on", [this] { return check(given_.global); });
    auto* config = add("config", "difyd's own configuration, as it is in force",
                       [this] { return print_config(given_.global); });
    config->add_subcommand("check", "find mistakes")->callback([this] {
      config_ = [this] { return check_config(given_.global); };
    });
    config->add_subcommand("reference", "every key with its default and meaning")->callback([this] {
      config_ = [] { return print_reference(); };
    });
    config->callback(
        [this] { chosen_ = config_ ? config_ : [this] { return print_config(given_.global); }; });
    add("version", "the version of this program", [this] { return print_version(given_.global); });
  }

  CLI::App app_;
  arguments given_;
  std::function<int()> chosen_;
  std::function<int()> config_;
  bool log_chosen_ = false;
};

}  // namespace

int run(int argc, char** argv) {
  // `compose` has docker compose's flags, which are not ours to parse here.
  if (argc > 1 && std::strcmp(argv[1], "compose") == 0) return run_compose(argc - 1, argv + 1);
  command_line line;
  return line.run(argc, argv);
}

}  // namespace difyd::cli
