#include "rehearsal_rules.hpp"

#include <algorithm>
#include <cstdlib>

#include "difyd/base/text.hpp"

namespace difyd::supervisor {
namespace {

constexpr std::string_view made_on = " was made on PostgreSQL ", needs = " needs extension ";

std::unexpected<Error> unfit(std::string code, const database::endpoint& where, const std::string& cause,
                             std::string remedy) {
  return fail(std::move(code), "cannot rehearse on the server " + to_text(where) + ": " + cause,
              std::move(remedy));
}

std::string after(const std::string& line, std::string_view words) {
  const auto at = line.find(words);
  return at == std::string::npos ? std::string() : std::string(trim(line.substr(at + words.size())));
}

}  // namespace

const char* const dump_facts_script = R"(set -eu
pg_restore --list "/backup/$DUMP" >/tmp/list
sed -n "s/^; *Dumped from database version: /$DUMP was made on PostgreSQL /p
s/^[0-9; ]* EXTENSION - \([^ ]*\).*/$DUMP needs extension \1/p" /tmp/list
)";

Result<dump_facts> read_dump_facts(std::string_view output) {
  dump_facts facts;
  for (const auto& line : split(output, '\n')) {
    if (auto version = after(line, made_on); !version.empty()) facts.version = std::move(version);
    if (auto name = after(line, needs); !name.empty()) facts.extensions.push_back(std::move(name));
  }
  if (facts.version.empty())
    return fail("backup-corrupt", "cannot rehearse: the dump does not say which PostgreSQL it is of",
                "Look at it: difyd backup verify");
  return facts;
}

Result<> may_copy_to(const database::endpoint& where, const database::server_facts& found) {
  const std::string host = where.keys + ".host";
  if (found.pooled)
    return unfit("database-pooler", where, "it is a connection pooler",
                 "Give " + host + " and " + where.keys + ".port of PostgreSQL itself");
  if (found.read_only)
    return unfit("database-read-only", where, "it takes no writes", "Point " + host + " at a primary server");
  if (!found.create_database)
    return unfit("database-permission", where, "role " + where.user + " may not create databases",
                 "As an administrator there: ALTER ROLE \"" + where.user + "\" CREATEDB");
  return {};
}

Result<> may_load(const database::endpoint& where, const database::server_facts& found,
                  const std::vector<std::string>& available, const dump_facts& dump) {
  if (found.version_number / 10000 < std::atoi(dump.version.c_str()))
    return unfit("database-older", where,
                 "it is PostgreSQL " + found.version + ", and the backup is of " + dump.version,
                 "Give " + where.keys + ".host of a server that is not older");
  for (const auto& each : dump.extensions)
    if (std::ranges::find(available, each) == available.end())
      return unfit("extension-missing", where,
                   "it does not have the extension " + each + ", which the backup needs",
                   "Install it there, or give " + where.keys + ".host of a server that has it");
  return {};
}

void point_at(stack::job_spec& migrator, const database::endpoint& where, const std::string& sslmode) {
  auto& environment = migrator.environment;
  environment["DB_HOST"] = where.host;
  environment["DB_PORT"] = std::to_string(where.port);
  environment["DB_USERNAME"] = where.user;
  environment["DB_PASSWORD"] = where.password;
  environment["DB_SSL_MODE"] = environment["PGSSLMODE"] = sslmode;
  // What the release says about TLS there is about its own server, and would win.
  std::vector<std::string> kept;
  for (auto& each : split(environment["DB_EXTRAS"].value_or(""), '&'))
    if (!each.starts_with("ssl")) kept.push_back(std::move(each));
  environment["DB_EXTRAS"] = join(kept, "&");
}

}  // namespace difyd::supervisor
