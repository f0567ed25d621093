//! Files that an operator hands over: lists to import, settings.

use doorstep_server::import::{parse_households, parse_organisations, parse_places};
use doorstep_server::settings::{Flags, Loaded};

use super::fuzz;

const PLACES: &str = "序号,网格,名称,类型,社区,小区,纬度,经度,标签,物业公司,开发商,业委会,地址\n\
    1,第17网格,幸福里,小区,窑湾社区,,30.5728,104.0668,老旧小区；三无、老旧小区,,华润,有,窑湾路1号\n2,第17网格,3栋,楼栋,窑湾社区,幸福里,,,,,,,\n";
const HOUSEHOLDS: &str =
    "楼栋,网格,门牌,户主,电话,备注,标签,居民\n3栋,第17网格,2单元301,张三,138-0000-0000,\"有狗，\n敲门\",独居,张三；李四、张三\n";
const ORGANISATIONS: &str =
    "name,grid,place,credit_code,contact,phone,trade,address,tags\n小吃店,第17网格,3栋,,李四,13800000000,餐饮,窑湾路1号,夜间\n";

/// A seed as UTF-8 and as Excel in China saves it.
fn both(text: &str) -> Vec<Vec<u8>> {
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    vec![text.as_bytes().to_vec(), marked, encoding_rs::GB18030.encode(text).0.into_owned()]
}

#[test]
fn lists_to_import() {
    fuzz(bolero::check!(), "places", both(PLACES), |bytes| parse_places(bytes).is_ok());
    fuzz(bolero::check!(), "households", both(HOUSEHOLDS), |bytes| parse_households(bytes).is_ok());
    fuzz(bolero::check!(), "organisations", both(ORGANISATIONS), |bytes| parse_organisations(bytes).is_ok());
}

#[test]
fn settings() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("doorstep.toml");
    let seed = include_bytes!("../../../server/doorstep.example.toml").to_vec();
    fuzz(bolero::check!(), "settings", vec![seed], |bytes| {
        std::fs::write(&file, bytes).unwrap();
        match Loaded::read(Some(&file), &Flags::default()) {
            Ok(_) => true,
            Err(error) => error.to_string().is_empty(),
        }
    });
}
