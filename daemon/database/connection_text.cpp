#include "connection_text.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>

#include "difyd/base/text.hpp"

namespace difyd::database {
namespace {

constexpr std::size_t most_addresses = 4;

bool is_unix_folder(const std::string& host) { return host.starts_with('/'); }

std::string quoted(const std::string& value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

long seconds_for_each(duration limit, std::size_t addresses) {
  const auto each =
      std::chrono::duration_cast<std::chrono::seconds>(limit).count() / static_cast<long>(addresses);
  return std::max<long>(each, 2);  // libpq's least
}

std::string numeric(const addrinfo& each) {
  char text[NI_MAXHOST];
  if (::getnameinfo(each.ai_addr, each.ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0)
    return {};
  return text;
}

}  // namespace

std::string to_text(const endpoint& where) {
  return is_unix_folder(where.host) ? where.host + " (port " + std::to_string(where.port) + ")"
                                    : where.host + ":" + std::to_string(where.port);
}

Result<std::vector<std::string>> addresses_of(const endpoint& where) {
  if (is_unix_folder(where.host)) return std::vector<std::string>{};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(where.host.c_str(), nullptr, &hints, &list);
  if (error != 0)
    return fail("database-name-unknown", "cannot resolve " + where.host + ": " + ::gai_strerror(error),
                "Correct " + where.keys + ".host, or the name server of this machine");
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  std::vector<std::string> found;
  for (const addrinfo* each = list; each && found.size() < most_addresses; each = each->ai_next)
    if (auto text = numeric(*each); !text.empty() && std::ranges::find(found, text) == found.end())
      found.push_back(std::move(text));
  return found;
}

std::string connection_text(const endpoint& where, const std::string& database,
                            const std::vector<std::string>& addresses) {
  const std::size_t count = std::max<std::size_t>(addresses.size(), 1);
  const auto call = where.call_limit.count();
  std::string text = "host=" + quoted(join(std::vector<std::string>(count, where.host), ","));
  const auto add = [&](const char* key, const std::string& value) {
    text += std::string(" ") + key + "=" + quoted(value);
  };
  if (!addresses.empty()) add("hostaddr", join(addresses, ","));
  add("port", std::to_string(where.port));
  add("dbname", database);
  add("user", where.user);
  if (!where.password.empty()) add("password", where.password);
  // Without a password libpq would look for one in the home directory.
  add("passfile", "/nonexistent");
  add("sslmode", where.sslmode);
  if (!where.ca_file.empty()) add("sslrootcert", where.ca_file);
  add("gssencmode", "disable");
  add("application_name", where.application_name);
  add("client_encoding", "UTF8");
  add("connect_timeout", std::to_string(seconds_for_each(where.connect_limit, count)));
  add("keepalives", "1");
  add("keepalives_idle", "20");
  add("keepalives_interval", "5");
  add("keepalives_count", "4");
  add("tcp_user_timeout", std::to_string(call));
  // Server-side too: a machine that died keeps no lock for longer than a minute.
  add("options", "-c statement_timeout=" + std::to_string(call * 9 / 10) + " -c lock_timeout=" +
                     std::to_string(call / 2) + " -c idle_in_transaction_session_timeout=60000" +
                     " -c tcp_keepalives_idle=20 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4");
  return text;
}

}  // namespace difyd::database
