#include "helper_call.hpp"

#include <cstdlib>

#include "difyd/host/verbs.hpp"

namespace difyd::host {

process_spec helper_spec(std::string helper, std::vector<std::string> arguments, std::string input,
                         duration limit) {
  process_spec spec;
  spec.argv = std::move(arguments);
  spec.argv.insert(spec.argv.begin(), std::move(helper));
  spec.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
  spec.input = std::move(input);
  spec.limit = limit;
  return spec;
}

void add_network(std::vector<std::string>& environment) {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
                           "NO_PROXY", "SSL_CERT_FILE"})
    if (const char* value = std::getenv(name); value && *value)
      environment.push_back(std::string(name) + "=" + value);
}

Result<std::string> answer_of(Result<process_result> ended) {
  if (!ended) {
    if (ended.error().code == "process-not-started")
      return fail("helper-missing", ended.error().message, "Install difyd completely, or set DIFYD_HELPER");
    return std::unexpected(std::move(ended.error()));
  }
  if (ended->exit_code == 0) return std::move(ended->output);
  const Error otherwise{
      "share-io", "cannot run difyd-helper: it ended with code " + std::to_string(ended->exit_code), {}};
  return std::unexpected(parse_error_json(ended->output, otherwise));
}

}  // namespace difyd::host
