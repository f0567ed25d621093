//! Made-up people, the same at every run: names, telephone numbers and shops out of small tables and a counter.

use doorstep_core::model::{Personal, Phone};

const SURNAMES: [&str; 24] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "周", "吴", "徐", "孙", "马", "朱", "胡", "郭", "何", "林", "罗", "高", "单", "仇",
    "曾", "欧阳",
];
const GIVEN: [&str; 32] = [
    "秀英", "桂芳", "建国", "志强", "淑兰", "玉梅", "文华", "德明", "小平", "丽娟", "国庆", "红霞", "永福", "春燕", "家栋", "雪梅", "伟",
    "静", "磊", "敏", "军", "洁", "勇", "艳", "涛", "娜", "明", "芬", "波", "琴", "斌", "莉",
];
const TRADES: [(&str, &str); 10] = [
    ("餐饮", "小吃店"),
    ("餐饮", "火锅店"),
    ("零售", "便利店"),
    ("零售", "水果店"),
    ("药品", "大药房"),
    ("服务", "理发店"),
    ("服务", "洗衣店"),
    ("教育", "幼儿园"),
    ("汽修", "汽车维修部"),
    ("住宿", "旅馆"),
];
const SIGNS: [&str; 16] =
    ["老地方", "好又多", "福满", "鑫源", "惠民", "阳光", "和顺", "兴隆", "百姓", "天天", "同心", "金桥", "春晖", "万家", "如意", "康宁"];

/// Numbers that look random and are the same at every run (SplitMix64, Steele and others 2014).
pub struct Dice(u64);

impl Dice {
    /// Dice of their own for each thing that is thrown for.
    pub const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides.max(1)
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        let index = usize::try_from(self.throw(items.len() as u64)).unwrap_or(0);
        items.get(index).copied()
    }

    /// A person's name.
    pub fn name(&mut self) -> String {
        format!("{}{}", self.pick(&SURNAMES).unwrap_or("王"), self.pick(&GIVEN).unwrap_or("伟"))
    }

    /// A mobile number out of a range that is not given to anybody (starting with 100).
    pub fn phone(&mut self) -> Option<Personal<Phone>> {
        format!("100{:08}", self.throw(100_000_000)).parse().ok().map(Personal::new)
    }

    /// A shop: its sign and its trade.
    pub fn shop(&mut self) -> (String, String) {
        let (trade, kind) = self.pick(&TRADES).unwrap_or(("零售", "便利店"));
        (format!("{}{kind}", self.pick(&SIGNS).unwrap_or("惠民")), trade.to_owned())
    }
}
