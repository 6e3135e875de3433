#include "difyd/control/claim.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>

#include "difyd/base/log.hpp"
#include "difyd/base/sha256.hpp"

namespace difyd::control {
namespace {

using protocol = asio::local::stream_protocol;

// /var/run/docker.sock and /run/docker.sock are one engine.
std::string engine_text(http::endpoint engine) {
  if (engine.is_unix()) {
    std::error_code ignored;
    if (const auto real = std::filesystem::weakly_canonical(engine.path, ignored); !ignored)
      engine.path = real.string();
  }
  return http::to_text(engine);
}

// Within the 107 bytes of sun_path, and readable in `ss -xl`.
protocol::endpoint name_of(const std::string& project, const http::endpoint& engine) {
  const auto digest = sha256_hex(project + '\n' + engine_text(engine)).substr(0, 24);
  return {std::string(1, '\0') + "difyd/" + project.substr(0, 60) + '/' + digest};
}

claim_holder peer_of(protocol::socket& socket) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return {};
  return {peer.pid, peer.uid, {}};
}

Error already_supervised(const std::string& project, const claim_holder& by) {
  return {"already-supervised",
          "cannot supervise project " + project + ": process " + std::to_string(by.pid) +
              " is a difyd that supervises it on this engine",
          "Use that daemon, or end it first; two configurations need two values of `project`"};
}

}  // namespace

Result<std::optional<claim>> claim::take(asio::any_io_executor executor, const std::string& project,
                                         const http::endpoint& engine) {
  boost::system::error_code failed;
  const auto name = name_of(project, engine);
  protocol::acceptor acceptor(executor);
  acceptor.open(name.protocol());
  acceptor.bind(name, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (!failed) return claim(std::move(acceptor));
  protocol::socket socket(executor);
  socket.open();
  socket.non_blocking(true);
  boost::system::error_code refused;
  socket.connect(name, refused);
  const auto holder = refused ? claim_holder{} : peer_of(socket);
  if (!refused && (holder.uid == 0 || holder.uid == ::geteuid()))
    return fail(already_supervised(project, holder));
  log::warning("serve", "cannot claim the project; difyd compose will not know that it is supervised",
               {{"cause", failed.message()}});
  return std::nullopt;
}

task<void> claim::answer(std::string control_socket) {
  for (;;) {
    boost::system::error_code failed;
    auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
    if (failed == asio::error::operation_aborted) throw boost::system::system_error(failed);
    if (failed) {  // no descriptor is left, for example: not worth the daemon's end
      co_await pause(std::chrono::seconds(1));
      continue;
    }
    boost::system::error_code gone;
    socket.non_blocking(true);
    asio::write(socket, asio::buffer(control_socket), gone);  // fits the socket's buffer: never waits
  }
}

task<std::optional<claim_holder>> holder_of(std::string project, http::endpoint engine) {
  protocol::socket socket(co_await asio::this_coro::executor);
  socket.open();
  socket.non_blocking(true);
  boost::system::error_code failed;
  socket.connect(name_of(project, engine), failed);
  // A daemon too busy to accept is there all the same.
  if (failed == asio::error::would_block || failed == asio::error::try_again) co_return claim_holder{};
  if (failed) co_return std::nullopt;
  auto holder = peer_of(socket);
  auto read = [](protocol::socket& from) -> task<Result<std::string>> {
    std::string text;
    boost::system::error_code end;
    co_await asio::async_read(from, asio::dynamic_buffer(text, 4096),
                              asio::redirect_error(asio::use_awaitable, end));
    co_return text;
  };
  if (auto path =
          co_await with_deadline(read(socket), std::chrono::seconds(2), "ask the daemon for its socket"))
    holder.socket = std::move(*path);
  co_return holder;
}

}  // namespace difyd::control
