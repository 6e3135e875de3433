#include "page_words.hpp"

namespace difyd::front {
namespace {

struct in_both {
  const char* english;
  const char* japanese;

  const char* in(language which) const { return which == language::japanese ? japanese : english; }
};

struct situation_words {
  situation why;
  in_both title;
  in_both detail;
};

constexpr situation_words situations[] = {
    {situation::starting, {"Dify is starting", "Dify を起動しています"}, {"", ""}},
    {situation::upgrading,
     {"Dify is being upgraded", "Dify をアップグレードしています"},
     {"The upgrade is under way.", "アップグレード作業を行っています。"}},
    {situation::going_back,
     {"Dify is being started again", "Dify を再び起動しています"},
     {"The upgrade was given up; the version of before comes back.",
      "アップグレードを取りやめ、元のバージョンに戻しています。"}},
    {situation::held,
     {"Dify is down for maintenance", "Dify はメンテナンス中です"},
     {"The upgrade did not finish. An operator has to decide how it goes on.",
      "アップグレードが完了しませんでした。管理者が対応を判断します。"}},
    {situation::restoring,
     {"Dify is being restored", "Dify を復元しています"},
     {"A backup is being put back.", "バックアップから復元しています。"}},
    {situation::restore_held,
     {"Dify is down for maintenance", "Dify はメンテナンス中です"},
     {"The restore of a backup did not finish. An operator has to decide how it goes on.",
      "バックアップからの復元が完了しませんでした。管理者が対応を判断します。"}},
    {situation::stopped,
     {"Dify is stopped", "Dify は停止しています"},
     {"An operator has stopped it.", "管理者が停止しました。"}},
    {situation::closed,
     {"Dify is down for maintenance", "Dify はメンテナンス中です"},
     {"An operator is at work on it.", "管理者が作業を行っています。"}},
};

struct step_words {
  const char* name;
  in_both words;
};

constexpr step_words upgrade_steps[] = {
    {"drain", {"Finishing work in progress", "実行中の処理の完了"}},
    {"stop", {"Stopping the old version", "旧バージョンの停止"}},
    {"backup", {"Taking a backup", "バックアップの作成"}},
    {"migrate", {"Migrating the database", "データベースの移行"}},
    {"start", {"Starting the new version", "新バージョンの起動"}},
    {"verify", {"Checking the new version", "新バージョンの確認"}},
    {"commit", {"Completing the upgrade", "アップグレードの完了処理"}},
};

constexpr step_words restore_steps[] = {
    {"load", {"Loading the backup", "バックアップの読み込み"}},
    {"stop", {"Stopping Dify", "Dify の停止"}},
    {"swap", {"Exchanging the databases", "データベースの入れ替え"}},
    {"finish", {"Starting the restored version", "復元したバージョンの起動"}},
};

constexpr small_words english{
    "en",       "Down since", "so far", "done", "now", "to come", "This page tries again by itself every ",
    " seconds."};
constexpr small_words japanese{"ja",     "停止日時", "経過",          "完了",
                               "実行中", "未実行",   "このページは ", " 秒ごとに自動で再読み込みされます。"};

template <std::size_t N>
std::vector<shown_step> in_language(const step_words (&steps)[N], language in) {
  std::vector<shown_step> result;
  for (const auto& each : steps) result.push_back({each.name, each.words.in(in)});
  return result;
}

}  // namespace

page_words words_of(situation why, language in) {
  for (const auto& each : situations)
    if (each.why == why) return {each.title.in(in), each.detail.in(in)};
  return {"Dify is down for maintenance", {}};
}

std::vector<shown_step> steps_of(situation why, language in) {
  if (why == situation::upgrading) return in_language(upgrade_steps, in);
  if (why == situation::restoring) return in_language(restore_steps, in);
  return {};
}

const small_words& small_words_of(language in) { return in == language::japanese ? japanese : english; }

std::string time_words(std::chrono::milliseconds time, language in) {
  constexpr in_both hours{" h", " 時間"}, minutes{" min", " 分"}, seconds{" s", " 秒"};
  const auto total = std::max<std::int64_t>(0, time.count() / 1000);
  const auto part = [in](std::int64_t count, const in_both& unit) {
    return std::to_string(count) + unit.in(in);
  };
  if (total < 60) return part(total, seconds);
  if (total < 3600) return part(total / 60, minutes) + " " + part(total % 60, seconds);
  return part(total / 3600, hours) + " " + part(total / 60 % 60, minutes);
}

}  // namespace difyd::front
