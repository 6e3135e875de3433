// The maintenance page: what visitors and programs read while Dify is down.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "difyd/base/clock.hpp"
#include "difyd/base/html.hpp"
#include "page_words.hpp"

namespace difyd::front {
namespace {

using std::chrono::milliseconds;

// Enough for a page that is read once in a while; no script, nothing from elsewhere.
constexpr const char* style =
    ":root{color-scheme:light dark;--ink:#1d2733;--soft:#5b6875;--line:#e0e6ec;--ground:#f5f7fa;"
    "--card:#fff;--accent:#2563eb}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9aa7b4;--line:#2e3a47;"
    "--ground:#131a22;--card:#1b242e;--accent:#6ea0ff}}"
    "*{box-sizing:border-box}body{margin:0;min-height:100vh;display:flex;align-items:center;"
    "justify-content:center;padding:1.5rem;background:var(--ground);color:var(--ink);"
    "font:16px/1.6 system-ui,-apple-system,\"Segoe UI\",\"Hiragino Sans\",\"Noto Sans CJK JP\",\"Noto Sans "
    "JP\",sans-serif}"
    "main{width:100%;max-width:34rem;background:var(--card);border:1px solid var(--line);"
    "border-radius:14px;padding:2rem}"
    "h1{font-size:1.5rem;line-height:1.3;margin:0 0 .5rem}p{margin:.5rem 0;color:var(--soft)}"
    ".reason{color:var(--ink);border-left:3px solid var(--accent);padding-left:.8rem;margin:1rem 0;"
    "white-space:pre-line;overflow-wrap:anywhere}"
    "ol{list-style:none;margin:1.4rem 0;padding:0}li{display:flex;gap:.8rem;align-items:baseline;"
    "padding:.3rem 0;color:var(--soft)}"
    "li i{flex:none;width:.7rem;height:.7rem;border-radius:50%;border:2px solid var(--line);"
    "position:relative;top:.05rem}li span{flex:1}"
    "li.done i{background:var(--soft);border-color:var(--soft)}"
    "li.now{color:var(--ink);font-weight:600}li.now i{background:var(--accent);border-color:var(--accent)}"
    "li b{font-weight:400;color:var(--soft);white-space:nowrap;font-variant-numeric:tabular-nums}"
    "footer{margin-top:1.4rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.875rem}"
    "footer p{margin:.2rem 0}"
    ".hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}";

milliseconds elapsed(milliseconds since, milliseconds now) {
  return since.count() > 0 && now > since ? now - since : milliseconds(0);
}

std::string step_line(const shown_step& step, const char* state, std::string_view said,
                      const std::string& time) {
  return std::string("<li class=\"") + state + "\"><i></i><span>" + html_escaped(step.words) +
         "<span class=\"hidden\"> (" + std::string(said) + ")</span></span>" +
         (time.empty() ? "" : "<b>" + time + "</b>") + "</li>\n";
}

std::string step_list(const maintenance_page& page, language in, milliseconds now) {
  const auto steps = steps_of(page.why, in);
  const auto current = std::ranges::find(steps, page.step, &shown_step::name);
  if (current == steps.end()) return {};
  const auto& small = small_words_of(in);
  std::string text = "<ol>\n";
  for (auto each = steps.begin(); each != steps.end(); ++each) {
    const bool here = each == current;
    const auto time =
        here && page.step_boot.count() > 0 ? time_words(elapsed(page.step_boot, now), in) : std::string();
    text += step_line(*each,
                      here             ? "now"
                      : each < current ? "done"
                                       : "later",
                      here             ? small.now
                      : each < current ? small.done
                                       : small.later,
                      time);
  }
  return text + "</ol>\n";
}

std::string since_text(const maintenance_page& page, language in, milliseconds now) {
  if (page.since == wall_time{}) return {};
  const auto& small = small_words_of(in);
  auto time = to_rfc3339(page.since).substr(0, 16);
  time[10] = ' ';
  std::string text = "<p>" + std::string(small.since) + " " + time + " UTC";
  if (page.since_boot.count() > 0)
    text += " · " + std::string(in == language::japanese ? small.so_far : std::string_view()) +
            (in == language::japanese ? " " : "") + time_words(elapsed(page.since_boot, now), in) +
            (in == language::english ? " " + std::string(small.so_far) : "");
  return text + "</p>\n";
}

// Often enough to be seen moving, however long a program is told to stay away.
int refresh_of(const maintenance_page& page) { return std::clamp(page.retry_after, 1, 15); }

std::string html(const maintenance_page& page, language in, milliseconds now) {
  const auto words = words_of(page.why, in);
  const auto& small = small_words_of(in);
  const auto title = html_escaped(words.title);
  const auto refresh = std::to_string(refresh_of(page));
  std::string text = "<!doctype html>\n<html lang=\"" + std::string(small.code) +
                     "\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta name=\"robots\" content=\"noindex\">\n"
                     "<meta http-equiv=\"refresh\" content=\"" +
                     refresh + "\">\n<title>" + title + "</title>\n<style>" + style +
                     "</style>\n</head>\n<body>\n<main>\n<h1>" + title + "</h1>\n";
  if (!words.detail.empty()) text += "<p>" + html_escaped(words.detail) + "</p>\n";
  if (!page.reason.empty()) text += "<p class=\"reason\">" + html_escaped(page.reason) + "</p>\n";
  text += step_list(page, in, now) + "<footer>\n" + since_text(page, in, now);
  return text + "<p>" + std::string(small.again_before) + refresh + std::string(small.again_after) +
         "</p>\n</footer>\n</main>\n</body>\n</html>\n";
}

double seconds(milliseconds time) { return static_cast<double>(time.count() / 100) / 10.0; }

// Dify's own errors have code, message and status: its front end shows the message.
std::string json(const maintenance_page& page, language in, milliseconds now) {
  const auto words = words_of(page.why, in);
  nlohmann::ordered_json out{
      {"code", "maintenance"},  {"message", words.title},         {"status", 503},
      {"detail", words.detail}, {"situation", to_text(page.why)}, {"retry_after", page.retry_after}};
  if (!page.reason.empty()) out["reason"] = page.reason;
  if (!page.step.empty()) out["step"] = page.step;
  if (!page.step.empty() && page.step_boot.count() > 0)
    out["step_seconds"] = seconds(elapsed(page.step_boot, now));
  if (page.since != wall_time{}) out["since"] = to_rfc3339(page.since);
  if (page.since_boot.count() > 0) out["seconds"] = seconds(elapsed(page.since_boot, now));
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

pages make_pages(const maintenance_page& page, std::string_view own_html, milliseconds now) {
  pages result;
  for (const auto in : {language::english, language::japanese}) {
    auto& forms = result[static_cast<std::size_t>(in)];
    forms[static_cast<std::size_t>(form::html)] = {
        503, "text/html; charset=utf-8", own_html.empty() ? html(page, in, now) : std::string(own_html)};
    forms[static_cast<std::size_t>(form::json)] = {503, "application/json", json(page, in, now)};
  }
  return result;
}

const reply& choose(const pages& from, std::string_view accept, std::string_view accept_language) {
  return from[static_cast<std::size_t>(language_of(accept_language))]
             [static_cast<std::size_t>(form_of(accept))];
}

}  // namespace difyd::front
