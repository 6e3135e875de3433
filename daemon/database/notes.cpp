// What difyd keeps beside the lease: lines, by topic.
#include "queries.hpp"

namespace difyd::database {

Result<std::vector<std::string>> ask_notes(session& s, const std::string& topic) {
  const std::string what = "read difyd's notes";
  const auto table = s.query("select to_regclass('difyd.notes') is not null", {}, what);
  if (!table) return fail(table.error());
  std::vector<std::string> lines;
  if (table->front()[0] != "t") return lines;
  const auto found =
      s.query("select text from difyd.notes where topic = ? order by at desc limit 200", {topic}, what);
  if (!found) return fail(found.error());
  for (auto each = found->rbegin(); each != found->rend(); ++each) lines.push_back((*each)[0].value_or(""));
  return lines;
}

Result<> ask_add_note(session& s, const std::string& topic, const std::string& text) {
  const std::string what = "write down what difyd must know later";
  for (const char* sql :
       {"create schema if not exists difyd",
        "create table if not exists difyd.notes (at timestamptz not null default clock_timestamp(),"
        " topic text not null, text text not null, primary key (topic, text))"})
    if (auto done = s.query(sql, {}, what); !done) return fail(done.error());
  const auto kept = s.query("insert into difyd.notes (topic, text) values (?, ?) on conflict do nothing",
                            {topic, text}, what);
  if (!kept) return fail(kept.error());
  return {};
}

}  // namespace difyd::database
