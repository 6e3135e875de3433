#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <charconv>

#include "difyd/base/text.hpp"
#include "difyd/host/probes.hpp"

namespace difyd::host {
namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;

// The server's port in the mount's options, else NFS's.
std::uint16_t port_of(const std::string& options) {
  std::uint16_t port = 2049;
  for (const auto& each : split(options, ','))
    if (each.starts_with("port=")) std::from_chars(each.data() + 5, each.data() + each.size(), port);
  return port;
}

task<Result<>> connect_once(std::string address, std::uint16_t port) {
  tcp::socket socket(co_await asio::this_coro::executor);
  boost::system::error_code failure;
  const auto where = asio::ip::make_address(address, failure);
  if (failure) co_return fail("name-unknown", "cannot read the address " + address);
  co_await socket.async_connect({where, port}, asio::redirect_error(asio::use_awaitable, failure));
  if (!failure) co_return Result<>{};
  if (failure == asio::error::operation_aborted) throw boost::system::system_error(failure);
  const std::string message = "cannot connect to " + address + " port " + std::to_string(port) + ": ";
  co_return fail(failure == asio::error::connection_refused ? "server-refuses" : "server-silent",
                 message + failure.message());
}

task<Result<>> connect_to_server(std::string server, std::uint16_t port) {
  if (server.size() > 2 && server.front() == '[') server = server.substr(1, server.size() - 2);
  auto addresses = co_await resolve(server);
  if (!addresses) co_return fail(std::move(addresses.error()));
  Result<> last = fail("name-unknown", "cannot resolve " + server + ": it has no address");
  for (const auto& each : *addresses) {
    const std::string what = "connect to " + each + " port " + std::to_string(port);
    last = co_await with_deadline(connect_once(each, port), 3s, what);
    if (last || addresses->size() > 4) break;
  }
  co_return last;
}

// What a second mount of a disk would say of this machine is nothing new.
bool worth_a_second_mount(const storage_expectation& expected, const finding& broken) {
  if (expected.kind == storage_kind::local) return false;
  const bool away =
      broken.code == "mount-missing" || broken.code == "storage-hung" || broken.code == "storage-stale";
  const auto source = wish_of(expected).source;
  return away && !source.starts_with("/dev/") && source.find('=') == std::string::npos;
}

// Whose fault it is that the storage does not answer: the server's, or this machine's.
task<std::vector<finding>> find_fault(share storage, storage_expectation expected, finding broken) {
  std::vector<finding> found;
  if (worth_a_second_mount(expected, broken)) {
    const auto wish = wish_of(expected);
    Result<> connected;
    if (expected.kind == storage_kind::nfs) {
      connected = co_await connect_to_server(expected.server, port_of(wish.options));
      found.push_back(judge_nfs_server(expected, connected));
    }
    // Where no connection comes about no mount does.
    const auto second = connected ? co_await try_second_mount(wish.fstype, wish.source, wish.options,
                                                              expected.uid, storage.options())
                                  : connected;
    found.push_back(judge_second_mount(second));
    broken = judge_here(expected, std::move(broken), second);
  }
  found.insert(found.begin(), std::move(broken));
  co_return found;
}

}  // namespace

// A mount that is not the right one is not touched: writing a probe file into the boot disk
// below it would say "writable" about the wrong thing.
task<std::vector<finding>> probe_storage(share storage, storage_expectation expected) {
  std::vector<finding> found;
  const auto mounts = read_mounts();
  if (mounts) found.push_back(judge_mount(expected, *mounts));
  if (!found.empty() && found.back().level >= severity::error)
    co_return co_await find_fault(storage, expected, found.back());
  const auto state = co_await storage.probe(expected.uid);
  auto share_finding = judge_share(expected, state);
  if (share_finding.level >= severity::error) {
    // One finding for one subject: that it is mounted is no news beside that it does not answer.
    found = co_await find_fault(storage, expected, std::move(share_finding));
    co_return found;
  }
  found.push_back(std::move(share_finding));
  if (state)
    if (auto beneath = judge_beneath(expected, *state)) found.push_back(std::move(*beneath));
  co_return found;
}

}  // namespace difyd::host
