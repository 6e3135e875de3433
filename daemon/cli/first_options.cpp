#include "first_options.hpp"

#include <CLI/CLI.hpp>

namespace difyd::cli {
namespace {

constexpr const char* beginning =
    "Writes a new configuration (--config) and the folder secrets beside it, readable by root only. Every "
    "secret\n"
    "that the release publishes and these services use is made anew. Nothing that is there is "
    "overwritten.\n\n"
    "For example, a server of your own for everything:\n"
    "  difyd init 1.12.1 --database-host 10.0.0.3 --database-user dify --database-password-file /root/pw \\\n"
    "    --vector pgvector --vector-host 10.0.0.3\n\n"
    "Global options: --json, --config FILE. Exit codes: difyd --help";

constexpr const char* adopting =
    "Reads the compose files, the .env and how the stack runs; writes a new configuration (--config) and "
    "the\n"
    "folder secrets beside it, and says what is not as it was. Nothing in DIR and nothing that runs is "
    "changed,\n"
    "and nothing that is there is overwritten. There is no ledger to write: the first start of the daemon "
    "finds\n"
    "a database of a known release, proves its schema and makes it the deployed version.\n\n"
    "Global options: --json, --config FILE. Exit codes: difyd --help";

}  // namespace

void add_options(CLI::App& command, init_wish& wish) {
  command.footer(beginning);
  auto& settings = wish.settings;
  const auto option = [&](const char* name, std::string& value, const char* type, const char* help) {
    command.add_option(name, value, help)->type_name(type);
  };
  command.add_option("version", wish.version, "the release (default: the newest of --releases)");
  option("--releases", settings.releases.source, "FOLDER",
         "with dify-<version>.tar.gz, or a folder dify-<version>, per release");
  option("--storage", settings.storage.root, "FOLDER", "where Dify's data will be (default: /srv/dify)");
  option("--nfs", wish.nfs, "SERVER:/EXPORT", "the share that is, or will be, mounted there");
  option("--project", settings.project, "NAME", "of the compose project (default: dify)");
  option("--port", wish.port, "PORT", "that nginx publishes (default: the release's)");
  option("--database", wish.database, "KIND", "bundled (default) or external");
  option("--database-host", settings.database.host, "HOST", "of an external PostgreSQL");
  command.add_option("--database-port", settings.database.port, "its port")->type_name("PORT");
  option("--database-user", settings.database.user, "NAME", "role of Dify and difyd");
  option("--database-password-file", settings.database.password_file, "FILE", "with its password");
  option("--database-sslmode", settings.database.sslmode, "MODE", "as libpq's");
  option("--database-ca-file", settings.database.ca_file, "FILE", "for verify-ca and verify-full");
  option("--vector", settings.vector.kind, "KIND", "weaviate (default), pgvector, qdrant, ...");
  option("--vector-host", settings.vector.host, "HOST", "pgvector on a server of yours");
  command
      .add_option("--vector-port", settings.vector.port,
                  "its port (default: the database's on its host, else 5432)")
      ->type_name("PORT");
  option("--vector-user", settings.vector.user, "NAME", "its role (default: the database's)");
  option("--vector-password-file", settings.vector.password_file, "FILE", "its password (default: the same)");
  option("--vector-database", settings.vector.database, "NAME", "its database (default: the main one)");
  option("--redis", wish.redis, "KIND", "bundled (default) or external");
  option("--redis-host", settings.redis.host, "HOST", "of an external Redis");
  command.add_option("--redis-port", settings.redis.port, "its port")->type_name("PORT");
  option("--redis-password-file", settings.redis.password_file, "FILE", "with its password");
}

void add_options(CLI::App& command, adopt_wish& wish) {
  command.footer(adopting);
  command.add_option("folder", wish.folder, "with its docker-compose.yaml and .env")
      ->required()
      ->type_name("DIR");
  command.add_option("--version", wish.version, "the release, where the images do not say it")
      ->type_name("VERSION");
  command.add_option("--project", wish.project, "name of the compose project, where it is not clear")
      ->type_name("NAME");
  command.add_option("--releases", wish.releases, "releases.source: folder with dify-<version> folders")
      ->type_name("FOLDER");
  command.add_flag("--dry-run", wish.dry_run, "say what would be written, and write nothing");
}

}  // namespace difyd::cli
