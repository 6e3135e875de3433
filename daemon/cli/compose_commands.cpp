#include "difyd/cli/compose_commands.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <string_view>

#include "compose_session.hpp"
#include "context.hpp"
#include "stack_logs.hpp"

namespace difyd::cli {
namespace {

constexpr const char* about =
    "Runs any compose file as docker compose does, and what docker compose started:\n"
    "names, labels and configuration hashes are the same, so both work on the same project.\n"
    "Needs no daemon. A project that a running difyd supervises is not changed.";

constexpr const char* closing =
    "Exit codes, as docker compose 2.40's: 0 done; 1 failed, a wrong compose file or flag too;\n"
    "130 interrupted.\n\n"
    "DOCKER_HOST chooses the engine (unix:// or tcp://). Variables come from the environment, then .env.\n\n"
    "  difyd compose -f docker-compose.yaml config -q     is the file good?\n"
    "  difyd compose up -d --wait                         start it and wait until all is healthy\n"
    "  difyd compose logs -f --tail 20 api worker         what they say, as they say it\n"
    "  difyd compose -p dify ps -a                        by name, without any file";

class compose_line {
 public:
  compose_line() : app_(about, "difyd compose") {
    app_.footer(closing);
    app_.require_subcommand(1);
    add_globals();
    add_config();
    add_up();
    add_others();
    add_lookers();
  }

  int run(int argc, char** argv) {
    json_ = answers_in_json() || std::any_of(argv + 1, argv + argc, [](const char* word) {
              return std::string_view(word) == "--json";
            });
    answer_in_json(json_);
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() != 0 && json_)
        return report({"usage", error.what(), "See: difyd compose --help"}, compose_failed);
      return app_.exit(error) == 0 ? compose_done : compose_failed;
    }
    if (json_ && given_.format.empty()) given_.format = "json";
    return chosen_ ? chosen_(given_) : int(compose_failed);
  }

 private:
  using command = int (*)(const compose_options&);

  // Seen before the parsing, so that mistakes in the command line are told as JSON too.
  void add_json(CLI::App* to) {
    to->add_flag("--json", ignored_, "print JSON: config, ps, logs, and whatever goes wrong");
  }

  CLI::App* add(const char* name, const char* help, command what,
                const char* services = "only these services") {
    auto* sub = app_.add_subcommand(name, help);
    sub->callback([this, what] { chosen_ = what; });
    add_json(sub);
    // Not "services": CLI11 2.4 (Debian 13) refuses a positional that is named like an option of its command.
    if (services != nullptr) sub->add_option("service", given_.services, services);
    return sub;
  }

  void add_globals() {
    add_json(&app_);
    app_.add_option("-f,--file", given_.files, "compose file (repeatable; - is standard input)")
        ->take_all()
        ->allow_extra_args(false);
    app_.add_option("--env-file", given_.env_files, "environment file instead of .env (repeatable)")
        ->take_all()
        ->allow_extra_args(false);
    app_.add_option("--profile", given_.profiles, "profile to enable (repeatable)")
        ->take_all()
        ->allow_extra_args(false);
    app_.add_option("--project-directory", given_.project_directory,
                    "where relative paths begin (default: the first file's directory)");
    app_.add_option("-p,--project-name", given_.project_name, "project name");
    app_.add_option("--ansi", given_.ansi, "colours: never, always, auto")
        ->check(CLI::IsMember({"never", "always", "auto"}));
    app_.add_option("--progress", given_.progress, "progress: auto, tty, plain, quiet")
        ->check(CLI::IsMember({"auto", "tty", "plain", "quiet"}));
    app_.add_option("--parallel", parallel_, "accepted for compatibility");
    app_.add_option("--compose-version", given_.version,
                    "docker compose release whose labels and hashes are written (default: as the project's "
                    "containers say, else 2.40.3)")
        ->envname("DIFYD_COMPOSE_VERSION");
  }

  void add_config() {
    auto* c = add("config", "check the compose file and print it resolved", compose_config);
    c->add_option("--format", given_.format, "yaml or json")->check(CLI::IsMember({"yaml", "json"}));
    c->add_flag("-q,--quiet", given_.quiet, "only check");
    c->add_flag("--services", given_.list_services, "print the names of the services");
    c->add_flag("--images", given_.list_images, "print the images");
    c->add_flag("--volumes", given_.list_volumes, "print the names of the volumes");
    c->add_flag("--profiles", given_.list_profiles, "print the names of the profiles");
    c->add_option("--hash", given_.hash, "print configuration hashes: service names joined by commas, or *");
  }

  void add_timeout(CLI::App* to) {
    to->add_option("-t,--timeout", given_.timeout,
                   "seconds before what does not stop is killed (default: each container's own)");
  }

  void add_up() {
    auto* up = add("up", "create and start what is missing, replace what has changed", compose_up);
    up->add_flag("-d,--detach", given_.detach, "return once everything is started");
    up->add_flag("--wait", given_.wait, "return once everything runs and is healthy");
    up->add_option("--wait-timeout", given_.wait_timeout,
                   "seconds that each dependency, and --wait, may take");
    up->add_flag("--remove-orphans", given_.remove_orphans,
                 "remove containers of services that the file no longer has");
    auto* force = up->add_flag("--force-recreate", given_.force_recreate,
                               "replace containers even if nothing has changed");
    up->add_flag("--no-recreate", given_.no_recreate, "never replace a container")->excludes(force);
    up->add_flag("--no-deps", given_.no_deps, "leave alone what the named services depend on");
    up->add_flag("--no-start", given_.no_start, "create, but start nothing");
    up->add_flag("-V,--renew-anon-volumes", given_.renew_volumes,
                 "give replaced containers new anonymous volumes");
    up->add_option("--pull", given_.pull, "always, missing or never (default: as the file says)")
        ->check(CLI::IsMember({"always", "missing", "never"}));
    up->add_option("--scale", given_.scale, "SERVICE=NUMBER (repeatable)")
        ->take_all()
        ->allow_extra_args(false);
    up->add_flag("--quiet-pull,-y,--yes", ignored_, "accepted for compatibility");
    add_timeout(up);
  }

  void add_others() {
    auto* down = add("down", "stop and remove containers and networks", compose_down, nullptr);
    down->add_flag("-v,--volumes", given_.volumes,
                   "also the volumes that the file declares, and anonymous ones: their data is lost");
    down->add_flag("--remove-orphans", given_.remove_orphans,
                   "also containers of services that the file no longer has");
    add_timeout(down);
    auto* pull = add("pull", "fetch the images", compose_pull);
    pull->add_flag("-q,--quiet", given_.quiet, "no progress");
    add_timeout(add("stop", "stop, without removing", compose_stop));
    add("start", "start what is stopped", compose_start);
    add_timeout(
        add("restart", "restart containers as they are (changes of the file need up)", compose_restart));
  }

  void add_lookers() {
    auto* ps = add("ps", "list the containers", compose_ps);
    ps->add_flag("-a,--all", given_.all, "also what does not run, and one-off containers");
    ps->add_option("--format", given_.format, "table or json")->check(CLI::IsMember({"table", "json"}));
    ps->add_flag("-q,--quiet", given_.quiet, "only ids");
    ps->add_flag("--services", given_.list_services, "only service names");
    auto* logs = add("logs", "print what the containers write", compose_logs);
    logs->add_flag("-f,--follow", given_.follow, "go on as it comes, across restarts");
    logs->add_option("-n,--tail", given_.tail, "only the last N lines of each, or all")->check(line_count);
    logs->add_option("--since", given_.since, "from then on: 2026-11-20T10:00:00Z or 42m");
    logs->add_option("--until", given_.until, "up to then");
    logs->add_flag("-t,--timestamps", given_.timestamps, "with the time of each line");
    logs->add_flag("--no-log-prefix", given_.no_prefix, "without the container's name");
    logs->add_flag("--no-color", no_color_, "without colours")->each([this](const std::string&) {
      given_.ansi = "never";
    });
  }

  CLI::App app_;
  compose_options given_;
  command chosen_ = nullptr;
  int parallel_ = 0;
  bool json_ = false;
  bool ignored_ = false;
  bool no_color_ = false;
};

}  // namespace

int run_compose(int argc, char** argv) {
  compose_line line;
  return line.run(argc, argv);
}

}  // namespace difyd::cli
