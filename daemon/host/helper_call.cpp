#include "helper_call.hpp"

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
