#include "parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/verb.hpp>

namespace difyd::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

parse_failure failure_of(const error_code& error) {
  if (!error) return parse_failure::none;
  if (error == beast_http::error::header_limit) return parse_failure::header_too_large;
  if (error == beast_http::error::body_limit) return parse_failure::body_too_large;
  if (error == beast_http::error::end_of_stream || error == beast_http::error::partial_message)
    return parse_failure::truncated;
  return parse_failure::malformed;
}

template <bool is_request>
class beast_parser final : public parser, private beast_http::basic_parser<is_request> {
  using base = beast_http::basic_parser<is_request>;

 public:
  beast_parser(parse_limits limits, bool skip_body) {
    base::header_limit(limits.header);
    base::body_limit(limits.body);
    if (skip_body) base::skip(true);
  }

  parse_failure put(std::string& buffer, bool stop_at_body) override {
    base::eager(!stop_at_body);
    std::size_t taken = 0;
    error_code error;
    while (taken < buffer.size() && !base::is_done() && !(stop_at_body && base::is_header_done())) {
      const std::size_t count =
          base::put(boost::asio::const_buffer(buffer.data() + taken, buffer.size() - taken), error);
      taken += count;
      if (error || count == 0) break;
    }
    buffer.erase(0, taken);
    if (error == beast_http::error::need_more) error = {};
    return failure_of(error);
  }

  parse_failure put_end() override {
    error_code error;
    if (!base::is_header_done()) return parse_failure::truncated;  // Beast takes nothing at all for a message
    if (!base::is_done()) base::put_eof(error);
    return failure_of(error);
  }

  bool header_done() const override { return base::is_header_done(); }
  bool done() const override { return base::is_done(); }
  bool keep_alive() const override { return base::keep_alive(); }

 private:
  void on_request_impl(beast_http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    head.method = method;
    head.target = target;
    head.version = version;
  }
  void on_response_impl(int status, string_view, int version, error_code&) override {
    head.status = status;
    head.version = version;
  }
  void on_field_impl(beast_http::field, string_view name, string_view value, error_code&) override {
    head.headers.add(std::string(name), std::string(value));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view bytes, error_code&) override {
    body.append(bytes);
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&) override {
    body.append(bytes);
    return bytes.size();
  }
  void on_finish_impl(error_code&) override {}
};

}  // namespace

std::unique_ptr<parser> request_parser(parse_limits limits) {
  return std::make_unique<beast_parser<true>>(limits, false);
}

std::unique_ptr<parser> response_parser(parse_limits limits, bool to_head) {
  return std::make_unique<beast_parser<false>>(limits, to_head);
}

}  // namespace difyd::http
