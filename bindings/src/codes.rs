//! The closed lists of core as enums of the languages. Each grows with the versions: what a newer one means comes as `Unknown` with its code.

macro_rules! mirrored {
    ($($(#[$doc:meta])* $name:ident { $($(#[$arm_doc:meta])* $arm:ident),+ $(,)? })+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
        pub enum $name {
            $($(#[$arm_doc])* $arm,)+
            /// Of a newer version.
            Unknown {
                /// Its code.
                code: String,
            },
        }

        impl From<doorstep_core::model::$name> for $name {
            fn from(of: doorstep_core::model::$name) -> Self {
                match of {
                    $(doorstep_core::model::$name::$arm => Self::$arm,)+
                    doorstep_core::model::$name::Unknown(code) => Self::Unknown { code },
                }
            }
        }

        impl From<$name> for doorstep_core::model::$name {
            fn from(of: $name) -> Self {
                match of {
                    $($name::$arm => Self::$arm,)+
                    $name::Unknown { code } => Self::Unknown(code),
                }
            }
        }
    )+ };
}

mirrored! {
    /// Why a visit was made.
    Purpose {
        /// 日常走访: the regular call.
        Routine,
        /// 重点关爱: care for those who need it.
        Care,
        /// 安全检查: fire, gas, building.
        Safety,
        /// 政策宣传: to tell people of something.
        Notice,
        /// 上门服务: to do something on behalf of a resident.
        Service,
        /// 回访: to answer or to follow up.
        FollowUp,
        /// 巡查: a patrol of a place.
        Patrol,
    }
    /// How a visit went.
    Outcome {
        /// Somebody was met, or the patrol was done.
        Met,
        /// Nobody was at home.
        NotAtHome,
        /// The people did not want to be visited.
        Refused,
        /// The people live here no longer.
        MovedAway,
    }
    /// What a place is.
    PlaceKind {
        /// 小区
        Estate,
        /// 楼栋
        Building,
        /// 街巷
        Alley,
        /// 院落
        Yard,
    }
    /// What an issue is about.
    Category {
        /// 环境卫生
        Sanitation,
        /// 市政设施: lamps, pavements, manholes.
        Facilities,
        /// 消防安全
        FireSafety,
        /// 邻里纠纷
        Dispute,
        /// 噪音
        Noise,
        /// 违章搭建
        IllegalBuilding,
        /// 民生救助
        Welfare,
        /// Anything else.
        Other,
    }
    /// How soon an issue wants to be seen to.
    Urgency {
        /// In its turn.
        Normal,
        /// Today.
        Urgent,
        /// Now: somebody may come to harm.
        Emergency,
    }
    /// How an issue came in.
    Channel {
        /// A grid worker heard or saw it.
        Worker,
        /// At the hall's counter.
        Hall,
        /// By telephone.
        Telephone,
        /// Seen on a patrol.
        Patrol,
    }
    /// What an event of a case says.
    EventKind {
        /// 采集: the case was recorded at the door.
        Captured,
        /// Somebody added a note.
        Noted,
        /// 受理: the centre took it up.
        Registered,
        /// 退回: the centre gave it back to the worker.
        Returned,
        /// 结案: it is done.
        Closed,
        /// A ruling of the server: the same was claimed before, by another case.
        DuplicateOf,
    }
    /// Where a case stands.
    CaseState {
        /// Recorded, not yet taken up.
        Captured,
        /// Taken up by the centre.
        Registered,
        /// Ended.
        Closed,
    }
    /// What a file is.
    AttachmentKind {
        /// 照片
        Photo,
        /// 录音
        Audio,
        /// 视频
        Video,
        /// 文件
        Document,
    }
}

/// The kinds of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, uniffi::Enum)]
pub enum RecordKind {
    /// 楼栋街巷
    Place,
    /// 住户
    Household,
    /// 居民
    Resident,
    /// 单位
    Organisation,
    /// 当事人
    Party,
    /// 办件
    Case,
}

use doorstep_core::docs::DocKind;

impl From<DocKind> for RecordKind {
    fn from(kind: DocKind) -> Self {
        match kind {
            DocKind::Place => Self::Place,
            DocKind::Household => Self::Household,
            DocKind::Resident => Self::Resident,
            DocKind::Organisation => Self::Organisation,
            DocKind::Party => Self::Party,
            DocKind::Case => Self::Case,
        }
    }
}

impl From<RecordKind> for DocKind {
    fn from(kind: RecordKind) -> Self {
        match kind {
            RecordKind::Place => Self::Place,
            RecordKind::Household => Self::Household,
            RecordKind::Resident => Self::Resident,
            RecordKind::Organisation => Self::Organisation,
            RecordKind::Party => Self::Party,
            RecordKind::Case => Self::Case,
        }
    }
}
