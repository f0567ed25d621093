//! The one catalogue: every text that the apps and the phone in the terminal show, in simplified Chinese and in English.
//!
//! A text is an arm of [`Text`] with both languages beside it, so that none is forgotten; `{name}` in it is a value that is put in. Codes of
//! documents (`not-at-home`) have their words here as well; a code of a newer version is shown as it is. Tests hold the two languages
//! against each other: same values, Chinese in the one and none in the other, a word for every code that is known.

mod sentence;
mod words;

use std::fmt::Display;
use std::str::FromStr;

/// A language of the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// Simplified Chinese.
    Zh,
    /// English.
    En,
}

impl FromStr for Lang {
    type Err = String;

    /// `zh` or `en`, also as `zh_CN.UTF-8`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().get(..2) {
            Some("zh") => Ok(Self::Zh),
            Some("en") => Ok(Self::En),
            _ => Err("is neither zh nor en".to_owned()),
        }
    }
}

impl Lang {
    /// The language of the process's environment: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that says something. Chinese where it is
    /// Chinese, English elsewhere.
    pub fn of_environment() -> Self {
        Self::of_variables(["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| std::env::var(name).ok()))
    }

    fn of_variables(values: [Option<String>; 3]) -> Self {
        let said = values.into_iter().flatten().find(|value| !value.is_empty());
        if said.is_some_and(|value| value.to_ascii_lowercase().starts_with("zh")) { Self::Zh } else { Self::En }
    }

    /// A text without values.
    pub const fn say(self, text: Text) -> &'static str {
        let (zh, en) = text.both();
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// A text with its values put in, each in one pass: a value that looks like a place for another is left alone.
    pub fn fill(self, text: Text, values: &[(&str, &dyn Display)]) -> String {
        let mut filled = String::new();
        let mut rest = self.say(text);
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            if let Some((_, value)) = values.iter().find(|(other, _)| *other == name) {
                filled.push_str(&value.to_string());
            }
            rest = after;
        }
        filled + rest
    }

    /// A name and its value.
    pub fn line(self, name: Text, value: &str) -> String {
        self.pair(self.say(name), value)
    }

    /// A name that is no text of its own, and its value.
    pub fn pair(self, name: &str, value: &str) -> String {
        format!("{name}{}{value}", if self == Self::Zh { ":" } else { ": " })
    }
}

pub use sentence::ENROLMENT_CODE;

macro_rules! texts {
    ($($name:ident: $zh:literal, $en:literal;)+) => {
        /// A text, by what it says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the texts themselves stand beside the names")]
        pub enum Text { $($name),+ }

        impl Text {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            const fn both(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($zh, $en)),+ }
            }
        }
    };
}

texts! {
    // Whether a record has arrived.
    Local: "本机", "here";
    Sending: "发送中", "sending";
    Accepted: "已受理", "accepted";
    Refused: "被退回", "refused";
    Conflicted: "有冲突", "conflict";
    AcceptedAt: "服务器 {at} 受理", "accepted {at}";

    // Enrolling and syncing.
    Enrolled: "注册成功,您好,{name}。", "Enrolled. Hello, {name}.";
    NextSync: "下一步:运行 `doorstep phone sync`,取回您负责的网格。", "Next: run `doorstep phone sync` to fetch your grid.";
    Syncing: "正在连接 {server} …", "Connecting to {server} …";
    SyncProgress: "已受理 {sent} 条,已收到 {received} 份,还有 {n} 条待发送", "{sent} accepted, {received} received, {n} waiting";
    Download: "首次下载:已到 {n} / {all} 份,约 {mb} / {all_mb} MB。", "First download: {n} of {all} records, about {mb} of {all_mb} MB.";
    DownloadUsable: "已可使用:通讯录、未结办件和本周到期的都已到,其余继续下载。", "Ready to work with: directory, open cases and this week's dates are here, the rest follows.";
    RetryIn: "{why}{seconds} 秒后再试。", "{why} Trying again in {seconds} s.";
    Synced: "同步完成:往返 {trips} 次,发送 {sent} 条,收到 {received} 份。", "Synced: round trips {trips}, sent {sent}, received {received}.";
    RefusedNow: "其中 {n} 条被退回,请运行 `doorstep phone refused` 查看。", "{n} of them refused: see `doorstep phone refused`.";
    Waiting: "待发送:{n} 条,最早记录于 {since}。", "Waiting to be sent: {n}, the oldest since {since}.";
    NothingWaits: "没有待发送的记录。", "Nothing waits to be sent.";
    RefusedWait: "被退回、待处理:{n} 条(`doorstep phone refused`)。", "Refused, to be looked at: {n} (`doorstep phone refused`).";
    NeverSynced: "还没有同步过。", "Never synced yet.";
    FailedSince: "此后失败 {n} 次,原因:{why}", "Failed since: {n}, because: {why}";
    NextAttempt: "下次尝试:{at}", "Next attempt: {at}";
    ClockWrong: "本机时钟比服务器快 {seconds} 秒(负数为慢),已自动校正。", "This clock is {seconds} s ahead of the server's (behind if negative); it is corrected.";
    NothingLost: "没有丢失:{n} 条记录已保存在本机,等待发送。{seconds} 秒后可再运行 `doorstep phone sync`,或用 `sync --retry` 自动重试。",
        "Nothing is lost: {n} waiting on this phone. Run `doorstep phone sync` again in {seconds} s, or let `sync --retry` do it.";
    NothingLostButRejected: "没有丢失:{n} 条记录已保存在本机。请联系管理员。", "Nothing is lost: {n} waiting on this phone. Ask the administrator.";
    LiveConnected: "已连接 {server}。按 Ctrl-C 结束。", "Connected to {server}. Ctrl-C ends it.";
    LiveExchanged: "已是最新:发送 {sent} 条,收到 {received} 份。", "Up to date: sent {sent}, received {received}.";
    LiveArrived: "收到{kind}:{name}", "Came, {kind}: {name}";
    LiveStopped: "已断开,没有待发送的记录。", "Disconnected; nothing waits to be sent.";
    LiveStoppedWaiting: "已断开。没有丢失:{n} 条记录已保存在本机,等待发送。", "Disconnected. Nothing is lost: {n} waiting on this phone.";
    FieldPerson: "姓名", "Name";
    FieldStreet: "街道", "Street";
    FieldGrids: "网格", "Grids";
    FieldServer: "服务器", "Server";
    FieldHere: "本机档案", "On this phone";
    FieldLastSync: "上次同步", "Last synced";

    // Recording.
    Recorded: "已记录{kind} {id}({sync})。", "Recorded: {kind} {id} ({sync}).";
    Measured: "文件 {size} 字节,SHA-256 {hash}", "The file has {size} bytes, SHA-256 {hash}";
    Resent: "已重新记录{kind},下次同步时发送。", "The {kind} is recorded again and goes out with the next sync.";
    Discarded: "已放弃这条{kind}。", "The {kind} was let go.";
    NextRefused: "重新发送:`refused resend 编号`;改写后发送:`refused mend 编号 内容`;放弃:`refused discard 编号`。",
        "Send again: `refused resend ID`; with other words: `refused mend ID TEXT`; let go: `refused discard ID`.";
    NextInbox: "采纳:`inbox adopt 编号`(全部:`inbox adopt all`);不采纳:`inbox decline 编号`。",
        "Take it: `inbox adopt ID` (everything: `inbox adopt all`); turn it down: `inbox decline ID`.";
    Adopted: "已采纳 {n} 条,下次同步后生效。", "{n} taken; the server hears of it with the next sync.";
    TurnedDown: "未采纳 {n} 条,留在服务器的待更正区。", "{n} turned down; they stay in the server's quarantine.";
    InboxWaits: "待接收的补报记录:{n} 条(`doorstep phone inbox`)。", "Late work that waits for you: {n} (`doorstep phone inbox`).";

    // Lists.
    Nothing: "没有记录。", "None.";
    Count: "共 {n} 条", "{n} in all";
    AndMore: "还有 {n} 条", "and {n} more";
    NeverVisited: "从未走访", "never visited";
    NeverMet: "从未见到人", "never met anybody";
    DaysOverdue: "逾期 {n} 天", "{n} days overdue";
    LateEvents: "(迟到 {n} 条)", "({n} late)";
    ColumnId: "编号", "id";
    ColumnSync: "状态", "arrived";
    ColumnName: "名称", "name";
    ColumnKind: "类别", "kind";
    ColumnAddress: "地址", "address";
    ColumnTags: "标签", "tags";
    ColumnDoor: "门牌", "door";
    ColumnContact: "联系人", "contact";
    ColumnLastVisit: "上次走访", "last visit";
    ColumnLastPatrol: "上次巡查", "last patrol";
    ColumnDue: "应走访日", "due";
    ColumnTrade: "行业", "trade";
    ColumnState: "环节", "state";
    ColumnUrgency: "紧急程度", "urgency";
    ColumnCategory: "类型", "category";
    ColumnPlace: "地点", "place";
    ColumnOpened: "上报时间", "opened";
    ColumnDescription: "内容", "description";
    ColumnGrid: "网格", "grid";
    ColumnWhat: "内容", "what";
    ColumnSubject: "对象", "of";
    ColumnReason: "原因", "reason";
    ColumnWords: "内容", "words";
    ColumnAuthor: "记录人", "recorded by";
    ColumnArrived: "到达时间", "arrived";
    ColumnRecorded: "记录时间", "recorded";

    // One record.
    SectionVisits: "走访记录", "Visits";
    SectionNotes: "备注", "Notes";
    SectionAttachments: "附件", "Attachments";
    SectionConflicts: "冲突(带 * 的为当前显示值)", "Conflicts (* is what is shown)";
    SectionTimeline: "办理经过", "Timeline";
    FieldCompanions: "同行", "with";
    FieldFollowUp: "下次走访", "again on";
    FieldAmendment: "补充", "amended";
    FieldMember: "成员", "member";
    Removed: "已注销", "removed";
    UnknownPerson: "未知人员", "somebody unknown";
    EmptyValue: "(空)", "(empty)";
    CameLate: "迟到,未生效:当时办件已是“{state}”", "came late and moves nothing: the case was {state}";

    // What went wrong, and what to do.
    NotEnrolled: "{folder} 还没有注册。", "{folder} is not enrolled yet.";
    PhoneNotEnrolled: "这部手机还没有注册。", "This phone is not enrolled yet.";
    NextEnrol: "请向管理员要一次性注册码,再运行 `doorstep phone enrol --server 网址 --code 注册码`。",
        "Ask the administrator for a one-time code, then run `doorstep phone enrol --server URL --code CODE`.";
    AlreadyEnrolled: "这个文件夹已经注册过了。", "This folder is enrolled already.";
    NextAnotherStore: "另一部手机请用 `--store` 指定另一个文件夹。", "For another phone, name another folder with `--store`.";
    ForeignFolder: "{folder} 不是本系统的手机文件夹,未作任何改动。", "{folder} holds something else than a phone of Doorstep; nothing was changed there.";
    NextOtherFolder: "请用 `--store` 指定正确的文件夹,或一个新文件夹。", "Name the right folder with `--store`, or a new one.";
    StoreInUse: "这个文件夹正被另一个程序使用。", "Another program is using this folder.";
    NextWait: "请等它结束后再试。", "Wait until it has finished, then try again.";
    StoreDamaged: "这个文件夹的数据已损坏,或由更新的版本写入。", "The data in this folder is damaged, or a newer version wrote it.";
    DocumentDamaged: "有一份档案读不出来。", "A record cannot be read.";
    NextDamaged: "请先原样备份这个文件夹,再用 `--store` 指定新文件夹重新注册;已受理的记录都在服务器上。",
        "Keep a copy of the folder as it is, then enrol anew in another one with `--store`; what was accepted is on the server.";
    WrongKey: "密钥不是这个文件夹的,未作任何改动。", "The key is not that of this folder; nothing was changed there.";
    KeyNeeded: "这个文件夹是加密的,需要密钥。", "This folder is sealed and needs its key.";
    NextRightKey: "请用 `--key-file` 指定这个文件夹自己的密钥文件。", "Name the folder's own key with `--key-file`.";
    NotSealed: "这个文件夹没有加密,未作任何改动。", "This folder is not sealed; nothing was changed there.";
    NextNoKey: "请去掉 `--key-file`,或用 `--store` 指定另一个文件夹。", "Leave out `--key-file`, or name another folder with `--store`.";
    StoreWiped: "这个文件夹的密钥已销毁,数据再也读不出来。", "The key of this folder was destroyed; its data cannot be read any more.";
    NextRemoveFolder: "请删除这个文件夹,再用 `--store` 指定新文件夹重新注册。", "Remove the folder, then enrol anew in another one with `--store`.";
    KeyFileOpen: "密钥文件 {path} 别的用户也能读,没有使用。", "Others may read the key file {path}; it was not used.";
    NextCloseKeyFile: "请先运行 `chmod 600 {path}`。", "Run `chmod 600 {path}` first.";
    KeyFileUnfit: "{path} 不是密钥文件:应正好是 32 个字节。", "{path} is no key file: a key has exactly 32 bytes.";
    DiskFull: "磁盘已满,没有记录。", "The disk is full; nothing was recorded.";
    NextFreeDisk: "请腾出空间后再试。", "Make room and try again.";
    DiskFailed: "读写磁盘失败:{why}。", "The disk failed: {why}.";
    FileUnreadable: "读不到文件 {path}:{why}。", "{path} cannot be read: {why}.";
    OutputFailed: "输出失败:{why}。", "The answer could not be written: {why}.";
    InvalidField: "“{field}”这一项{rule}。", "The {field} {rule}.";
    NotHere: "本机没有这条{kind}。", "There is no such {kind} on this phone.";
    NoSuch: "本机没有找到{kind}“{named}”。", "No {kind} on this phone is found by “{named}”.";
    NextSearch: "可以用 `doorstep phone search` 查找,或先同步。", "Look with `doorstep phone search`, or sync first.";
    Ambiguous: "“{named}”对应 {n} 条记录:", "“{named}” fits {n} records:";
    NextChoose: "请改用左边的编号。", "Use the id on the left instead.";
    NoVisit: "没有编号为“{named}”的走访记录(至少要 8 位)。", "No visit has the id “{named}” (at least 8 characters of it).";
    NextShowDoor: "`doorstep phone show 门牌` 会列出走访编号。", "`doorstep phone show DOOR` lists the ids of its visits.";
    NoRefused: "被退回的记录中没有唯一对应“{named}”的。", "Not one refused record has the id “{named}”.";
    NextListRefused: "`doorstep phone refused` 会列出编号。", "`doorstep phone refused` lists the ids.";
    NoGrid: "没有唯一对应“{named}”的网格。", "Not one grid is called “{named}”.";
    NextListGrids: "`doorstep phone status` 会列出您的网格;还没有同步过的,请先同步。", "`doorstep phone status` lists your grids; sync first if you never did.";
    WhichGrid: "不知道属于哪个网格。", "It is not clear to which grid this belongs.";
    NextGrid: "请用 `--grid` 指定;还没有同步过的,请先同步。", "Name it with `--grid`; if you never synced, sync first.";
    NotInScope: "这份档案不在您负责的网格内,没有记录。", "This is in no grid of yours; nothing was recorded.";
    NextSyncForGrant: "如果刚给您分配了网格,请先同步。", "If a grid was just given to you, sync first.";
    SigningOut: "下次同步时先发送待发的 {n} 条记录,然后注销并清除本机的全部资料。", "With the next sync the {n} that wait are sent, then this phone is signed out and erased.";
    Wiped: "本机已停用,全部资料已清除。", "This phone has ended, and everything on it is erased.";
    HandedOver: "这条记录已移交给网格的现任负责人,本机不再保留内容。", "This was handed over to whoever answers for the grid now; its contents are no longer on this phone.";
    RecordLocked: "您无权查看这份档案的个人信息,因此也不能修改。", "You may not read what is personal in this record, and so not change it.";
    SomeLocked: "有些内容您无权查看,或其密钥尚未送达。", "Some of this is for others to read, or its key has not come yet.";
    AllErased: "这份档案已按要求删除,个人信息不可再读。", "This record was erased: nobody reads any more what was said of the person.";
    SomeRedacted: "有些内容已按要求隐去,不可再读。", "Some of this was redacted: nobody reads it any more.";
    MailPacked: "已装好 {n} 袋,等任何人有信号时代送。", "Packed {n} mails, for anybody's session to carry.";
    MailCarried: "已代送 {n} 袋,服务器未收 {refused} 袋。", "Carried {n} mails; the server did not take {refused}.";
    LeaseOver: "太久没有连上服务器,资料已暂时锁定;连上服务器后自动恢复。记录照常可用。", "The server was not reached for too long, so what is held here is locked until it is. Recording goes on.";
    RecordErased: "这份档案已按要求删除,不能再写入。", "This record was erased; nothing can be written there any more.";
    NotAllowed: "您没有权限这样做,没有记录。", "You may not do this; nothing was recorded.";
    CaseWas: "办件已是“{state}”,这一步不再适用。", "The case is {state} already, so this step does not apply any more.";
    CapturedAlready: "办件已经采集过了。", "The case was captured already.";
    NotTheAuthor: "只有走访人本人可以补充走访记录。", "Only who made a visit may amend it.";
    NothingToChange: "没有说明要修改什么。", "Nothing is said that is to be changed.";
    NextHelp: "加上 `--help` 查看可以修改的内容。", "See `--help` for what can be changed.";
    Record: "档案", "record";
    Or: "或", " or ";

    // Why an exchange failed.
    Unreachable: "没有连上服务器。", "The server was not reached.";
    TimedOut: "服务器没有及时应答。", "The server did not answer in time.";
    NotTheServer: "应答的不是我们的服务器(例如需要登录的 Wi-Fi)。", "Something else than our server answered (a Wi-Fi that wants a login, for example).";
    ServerRejected: "服务器拒绝了请求({code})。", "The server rejected the request ({code}).";
    CodeDoesNotCount: "注册码不对、已用过或已过期。", "The code is wrong, used or expired.";
    NextNewCode: "请向管理员要一个新的注册码。", "Ask the administrator for a new code.";
    NextEnrolAgain: "没有改动。请稍后用同一个注册码再试。", "Nothing has changed. Try again with the same code.";
    DeviceUnknown: "服务器不认识这部手机。", "The server does not know this phone.";
    ServerNotReady: "服务器暂时不能服务。", "The server cannot serve right now.";
    AnswerNotStored: "本机没能保存服务器的应答。", "This phone could not store the server's answer.";
    SyncAbandoned: "上一次同步中途停下了。", "The last sync broke off halfway.";
    AnswerUnfit: "服务器的应答不符合约定。", "The server's answer does not fit.";

    // Why the server refused a record.
    RefusedGrantEnded: "您对这个网格的权限已结束", "your right to this grid has ended";
    RefusedSuperseded: "此间已另有决定", "it was decided otherwise meanwhile";
    RefusedErased: "档案已被删除", "the record was erased";
    RefusedClock: "手机时钟不准", "the phone's clock was wrong";
    RefusedRevoked: "这部手机已被停用", "this phone was revoked";
    RefusedSchema: "软件版本太旧", "the software is too old";
    RefusedDepends: "依赖的记录被退回", "it builds on something refused";
    RefusedRole: "您的岗位没有这项权限", "your role may not do this";
    RefusedNotOwn: "只有本人采集的办件或走访才能这样修改", "only whoever captured the case or made the visit may do this";
    RefusedScope: "不在您负责的网格内", "in no grid of yours";
}

#[cfg(test)]
mod tests;
