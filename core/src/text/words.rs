//! Words for codes: of documents, of reasons, of kinds and fields.

use crate::model::{AttachmentKind, CaseState, Category, Channel, EventKind, Outcome, PlaceKind, Purpose, Urgency};

use super::{Lang, Text};

/// A code with its words.
type Word = (&'static str, &'static str, &'static str);

const OUTCOMES: &[Word] = &[
    ("met", "已见到", "met"),
    ("not-at-home", "无人在家", "not at home"),
    ("refused", "拒访", "did not want a visit"),
    ("moved-away", "已搬走", "moved away"),
];
const PURPOSES: &[Word] = &[
    ("routine", "日常走访", "routine"),
    ("care", "重点关爱", "care"),
    ("safety", "安全检查", "safety"),
    ("notice", "政策宣传", "notice"),
    ("service", "上门服务", "service"),
    ("follow-up", "回访", "follow-up"),
    ("patrol", "巡查", "patrol"),
];
const PLACE_KINDS: &[Word] =
    &[("estate", "小区", "estate"), ("building", "楼栋", "building"), ("alley", "街巷", "alley"), ("yard", "院落", "yard")];
const CATEGORIES: &[Word] = &[
    ("sanitation", "环境卫生", "sanitation"),
    ("facilities", "市政设施", "facilities"),
    ("fire-safety", "消防安全", "fire safety"),
    ("dispute", "邻里纠纷", "dispute"),
    ("noise", "噪音", "noise"),
    ("illegal-building", "违章搭建", "illegal building"),
    ("welfare", "民生救助", "welfare"),
    ("other", "其他", "other"),
];
const URGENCIES: &[Word] = &[("normal", "一般", "normal"), ("urgent", "紧急", "urgent"), ("emergency", "特急", "emergency")];
const CHANNELS: &[Word] =
    &[("worker", "网格员", "worker"), ("hall", "大厅", "hall"), ("telephone", "电话", "telephone"), ("patrol", "巡查", "patrol")];
const CASE_STATES: &[Word] = &[("captured", "已采集", "captured"), ("registered", "已受理", "registered"), ("closed", "已结案", "closed")];
const EVENTS: &[Word] = &[
    ("captured", "采集", "captured"),
    ("noted", "备注", "noted"),
    ("registered", "受理", "registered"),
    ("returned", "退回", "returned"),
    ("closed", "结案", "closed"),
    ("duplicate-of", "判定重复", "ruled a duplicate"),
];
const LOCKS: &[Word] =
    &[("open", "可读", "open"), ("locked", "锁定", "locked"), ("erased", "已删除", "erased"), ("redacted", "已隐去", "redacted")];
const ATTACHMENTS: &[Word] =
    &[("photo", "照片", "photo"), ("audio", "录音", "audio"), ("video", "视频", "video"), ("document", "文件", "document")];
const KINDS: &[Word] = &[
    ("place", "楼栋街巷", "place"),
    ("household", "住户", "household"),
    ("resident", "居民", "resident"),
    ("organisation", "单位", "organisation"),
    ("party", "当事人", "party"),
    ("case", "办件", "case"),
    ("visit", "走访", "visit"),
    ("amendment", "走访补充", "amendment"),
    ("note", "备注", "note"),
    ("event", "办件记录", "event"),
    ("issue", "诉求", "issue"),
    ("save", "档案修改", "change"),
    ("attachment", "附件", "attachment"),
    ("grid", "网格", "grid"),
    ("document", "档案", "record"),
    ("refused record", "被退回记录", "refused record"),
];
const FIELDS: &[Word] = &[
    ("access", "进入方式", "access"),
    ("accuracy", "定位精度", "accuracy"),
    ("address", "地址", "address"),
    ("born", "出生日期", "day of birth"),
    ("ca", "CA 证书文件", "CA file"),
    ("case_kind", "办件种类", "kind of case"),
    ("category", "类型", "category"),
    ("channel", "来源", "channel"),
    ("community", "社区", "community"),
    ("companions", "同行人员", "companions"),
    ("contact", "联系人", "contact"),
    ("credit_code", "统一社会信用代码", "credit code"),
    ("description", "内容", "description"),
    ("developer", "开发商", "developer"),
    ("door", "门牌", "door"),
    ("duplicate_of", "重复于", "duplicate of"),
    ("findings", "走访情况", "findings"),
    ("grid", "网格", "grid"),
    ("guardian", "监护人", "guardian"),
    ("household", "住户", "household"),
    ("id_number", "身份证号", "identity number"),
    ("kind", "类别", "kind"),
    ("latitude", "纬度", "latitude"),
    ("longitude", "经度", "longitude"),
    ("members", "成员", "member"),
    ("name", "名称", "name"),
    ("notice", "告知书版本", "notice"),
    ("noticed_at", "告知时间", "told at"),
    ("noticed_by", "告知人", "told by"),
    ("owners_committee", "业委会", "owners' committee"),
    ("parent", "所属", "stands in"),
    ("phone", "电话", "telephone"),
    ("place", "地点", "place"),
    ("place_kind", "类别", "kind"),
    ("point", "位置", "point"),
    ("property_company", "物业", "property company"),
    ("purpose", "用途", "purpose"),
    ("remark", "备注", "remark"),
    ("removed", "注销", "removed"),
    ("reporter", "反映人", "reporter"),
    ("server", "服务器地址", "server address"),
    ("size", "大小", "size"),
    ("tag", "标签", "tag"),
    ("tags", "标签", "tag"),
    ("text", "文字", "text"),
    ("trade", "行业", "trade"),
    ("urgency", "紧急程度", "urgency"),
];
/// The rules of [`Invalid`](crate::model::Invalid) in Chinese; their English is what the core says.
const RULES: &[(&str, &str)] = &[
    ("is empty", "不能为空"),
    ("is missing", "没有填写"),
    ("is missing, and so is a telephone number", "和电话至少要填一项"),
    ("holds control characters", "含有控制字符"),
    ("is missing for somebody under 14", "未满 14 周岁必须填写"),
    ("is zero", "为零"),
    ("is more than 200 MB", "超过 200 MB"),
    ("holds no certificate as PEM", "不含 PEM 格式的证书"),
    ("is not an address such as https://doorstep.example.cn", "不是 https://doorstep.example.cn 这样的网址"),
];
const FAILURES: &[(&str, Text)] = &[
    ("sync.unreachable", Text::Unreachable),
    ("sync.timed_out", Text::TimedOut),
    ("sync.not_the_server", Text::NotTheServer),
    ("sync.not_ready", Text::ServerNotReady),
    ("sync.store", Text::AnswerNotStored),
    ("sync.abandoned", Text::SyncAbandoned),
    ("sync.unfit", Text::AnswerUnfit),
];
const REFUSALS: &[(&str, Text)] = &[
    ("sync.grant_ended", Text::RefusedGrantEnded),
    ("sync.superseded", Text::RefusedSuperseded),
    ("sync.erased", Text::RefusedErased),
    ("sync.clock_ahead", Text::RefusedClock),
    ("sync.revoked", Text::RefusedRevoked),
    ("sync.schema", Text::RefusedSchema),
    ("sync.depends_on_refused", Text::RefusedDepends),
    ("policy.not_in_scope", Text::RefusedScope),
    ("policy.not_for_role", Text::RefusedRole),
    ("policy.not_own", Text::RefusedNotOwn),
];

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident: $of:ty = $words:ident;)+) => {
        impl Lang { $(
            $(#[$doc])*
            pub fn $name(self, of: &$of) -> String {
                self.word($words, of.code()).to_owned()
            }
        )+ }

        /// Each enum with its words, for the test that none lacks one.
        #[cfg(test)]
        pub(super) fn all_codes() -> Vec<(&'static str, bool)> {
            let mut codes = Vec::new();
            $( codes.extend(<$of>::KNOWN.iter().map(|of| (of.code(), $words.iter().any(|(code, _, _)| *code == of.code())))); )+
            codes
        }
    };
}

words! {
    /// How a visit went.
    outcome: Outcome = OUTCOMES;
    /// Why a visit was made.
    purpose: Purpose = PURPOSES;
    /// What a place is.
    place_kind: PlaceKind = PLACE_KINDS;
    /// What an issue is about.
    category: Category = CATEGORIES;
    /// How soon.
    urgency: Urgency = URGENCIES;
    /// How an issue came in.
    channel: Channel = CHANNELS;
    /// Where a case stands.
    case_state: CaseState = CASE_STATES;
    /// What happened in a case.
    event: EventKind = EVENTS;
    /// What a file is.
    attachment: AttachmentKind = ATTACHMENTS;
}

impl Lang {
    fn word<'a>(self, words: &[Word], code: &'a str) -> &'a str {
        match (words.iter().find(|(other, _, _)| *other == code), self) {
            (Some((_, zh, _)), Self::Zh) => zh,
            (Some((_, _, en)), Self::En) => en,
            (None, _) => code,
        }
    }

    /// The word for a kind of record, or for what a command recorded.
    pub fn kind(self, kind: &str) -> &str {
        self.word(KINDS, kind)
    }

    /// Whether something can be read, or why not: `open`, `locked`, `erased`, `redacted`.
    pub fn lock(self, lock: &str) -> &str {
        self.word(LOCKS, lock)
    }

    /// The word for a field: `door`, `tags/独居`.
    pub fn field(self, field: &str) -> String {
        match field.split_once('/') {
            Some((container, key)) => format!("{} {key}", self.word(FIELDS, container)),
            None => self.word(FIELDS, field).to_owned(),
        }
    }

    /// The rule that a value breaks, as it follows the name of its field.
    pub fn rule(self, rule: &str) -> String {
        let known = || {
            let exact = RULES.iter().find(|(en, _)| *en == rule).map(|(_, zh)| (*zh).to_owned());
            let longest = rule.strip_prefix("is longer than ").and_then(|rest| rest.strip_suffix(" characters"));
            exact.or_else(|| longest.map(|most| format!("超过 {most} 个字")))
        };
        match self {
            Self::Zh => known().unwrap_or_else(|| format!(":{rule}")),
            Self::En => rule.to_owned(),
        }
    }

    /// Why a sync failed, by the code that the status keeps.
    pub fn failure(self, code: &str) -> String {
        self.code(FAILURES, code)
    }

    /// Why the server refused something, by its code.
    pub fn refusal(self, code: &str) -> String {
        self.code(REFUSALS, code)
    }

    /// A text by a code; a code of a newer version is shown as it is.
    pub fn code(self, texts: &[(&str, Text)], code: &str) -> String {
        texts.iter().find(|(other, _)| *other == code).map_or_else(|| code.to_owned(), |(_, text)| self.say(*text).to_owned())
    }
}

/// All words in both languages, for the tests.
#[cfg(test)]
pub(super) fn all_words() -> Vec<Word> {
    [OUTCOMES, PURPOSES, PLACE_KINDS, CATEGORIES, URGENCIES, CHANNELS, CASE_STATES, EVENTS, ATTACHMENTS, KINDS, FIELDS].concat()
}

/// The reasons that honest work can meet, with their words or without.
#[cfg(test)]
pub(super) fn has_refusal(code: &str) -> bool {
    REFUSALS.iter().any(|(other, _)| *other == code)
}
