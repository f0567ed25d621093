use super::*;
use doorstep_core::model::{PlaceKind, Tag};
use encoding_rs::GB18030;

fn faults(report: &ImportReport) -> Vec<(u64, &str, &str)> {
    report.rows.iter().flat_map(|row| row.faults.iter().map(|fault| (row.line, &*fault.column, &*fault.rule))).collect()
}

fn tags(tags: &[Tag]) -> Vec<&str> {
    tags.iter().map(Tag::as_str).collect()
}

#[test]
fn places_are_read_by_chinese_or_english_names_in_any_order() {
    let chinese = "序号,网格,名称,类型,社区,小区,纬度,经度,标签,物业公司,开发商,业委会,地址\n\
        1,第17网格,幸福里,小区,窑湾社区,,30.5728,104.0668,老旧小区；三无、老旧小区,,华润,有,窑湾路1号\n\
        2,第17网格,3栋,楼栋,窑湾社区,幸福里,,,,,,,\n";
    let english = "Grid,NAME,kind,Community,Estate,Latitude,longitude,tags,Property Company,developer,owners' committee,address,,\n\
        第17网格,幸福里,estate,窑湾社区,,30.5728,104.0668,老旧小区;三无,,华润,有,窑湾路1号,,\n\
        第17网格,3栋,Building,窑湾社区,幸福里,,,,,,,,,\n ,,,\n";
    let places = parse_places(chinese.as_bytes()).unwrap();
    assert_eq!(places, parse_places(english.as_bytes()).unwrap());
    let [estate, building] = &places[..] else { panic!("{places:?}") };
    assert_eq!((estate.line, &estate.kind, tags(&estate.tags)), (2, &PlaceKind::Estate, vec!["老旧小区", "三无"]));
    let point = estate.point.unwrap();
    assert_eq!((point.lat_e7(), point.lon_e7(), point.accuracy_m()), (305_728_000, 1_040_668_000, 30));
    assert_eq!((estate.developer.as_deref(), estate.property_company.as_deref()), (Some("华润"), None));
    assert_eq!((building.line, building.estate.as_deref(), building.point), (3, Some("幸福里"), None));
}

#[test]
fn households_and_organisations_are_read() {
    let text = "楼栋,网格,门牌,户主,电话,备注,标签,居民\n3栋,第17网格,2单元301,张三,138-0000-0000,\"有狗，\n敲门\",独居,张三；李四、张三\n";
    let households = parse_households(text.as_bytes()).unwrap();
    let [household] = &households[..] else { panic!("{households:?}") };
    assert_eq!((household.place.as_str(), household.grid.as_str(), household.door.as_str()), ("3栋", "第17网格", "2单元301"));
    assert_eq!(household.phone.as_ref().unwrap().reveal().as_str(), "13800000000");
    assert_eq!(household.remark.as_ref().unwrap().reveal(), "有狗，\n敲门");
    assert_eq!(household.residents.iter().map(|name| name.reveal().as_str()).collect::<Vec<_>>(), ["张三", "李四"]);

    let text = "名称,网格,行业,统一社会信用代码\n老王面馆,第17网格,餐饮,92510100MA6XXXXX1X\n";
    let organisations = parse_organisations(text.as_bytes()).unwrap();
    assert_eq!(organisations[0].trade.as_deref(), Some("餐饮"));
    assert_eq!((organisations[0].credit_code.as_deref(), &organisations[0].contact), (Some("92510100MA6XXXXX1X"), &None));
}

#[test]
fn every_bad_row_is_reported_by_its_line_and_nothing_is_taken() {
    let text = "place,grid,door,phone,remark,tags\r\n\
        3栋,一,301,,\"two\r\nlines\",\r\n\
        3栋,一,302,1.38E+10,,\r\n\
        \r\n\
        ,一,303,13800000000,,\r\n\
        3栋,一,301,,,这是一个远远超过二十四个字的标签所以它不应该被接受才对呀\r\n\
        3栋,一,304,,,,多出来\r\n";
    let report = parse_households(text.as_bytes()).unwrap_err();
    let wanted = [
        (4, "phone", "is not a number of 5 to 15 digits"),
        (6, "place", "is empty"),
        (7, "door", "is that of line 2, at the same place"),
        (7, "tags", "is longer than 24 characters"),
        (8, "column 7", "has a value but no name in the header"),
    ];
    assert_eq!(faults(&report), wanted);
    assert_eq!((report.bad_rows, &report.file), (4, &None));
}

#[test]
fn a_report_never_holds_a_value_of_the_file() {
    let files: [&str; 6] = [
        "张三,13800001234,3栋\n李四,13800001235,3栋\n",
        "place,grid,door,phone\n张三,一,13800001234,13800001234x\n张三,一,13800001234,\n",
        "place,grid,door,张三,张三\n3栋,一,1,,\n",
        "place,grid,door\n\"张三\"13800001234,一,1\n张三,一,\"13800001234\n",
        "place,grid,door,tags,residents\n3栋,一,1,13800001234张三13800001234张三,张\u{7}三\n",
        "place,grid,door,contact\n3栋,一,1,张\u{0}三13800001234\n",
    ];
    for text in files {
        let report = parse_households(text.as_bytes()).unwrap_err();
        let shown = format!("{report} {report:?} {}", serde_json::to_string(&report).unwrap());
        assert!(!shown.contains('张') && !shown.contains("1380000"), "{shown}");
    }
}

#[test]
fn a_header_that_misses_doubles_or_invents_a_column_is_refused() {
    let report = parse_places("名称,名称,层数,网格\n".as_bytes()).unwrap_err();
    let wanted = [
        (1, "name", "stands there twice"),
        (1, "column 3", "has a name that is none of this kind of file"),
        (1, "kind", "(类型) is missing in the header"),
    ];
    assert_eq!(faults(&report), wanted);
}

#[test]
fn points_are_whole_and_on_the_globe() {
    let file = |latitude: &str, longitude: &str| format!("name,kind,grid,latitude,longitude\na,yard,一,{latitude},{longitude}\n");
    for (latitude, longitude, column) in [
        ("30.5", "", "latitude"),
        ("", "104", "latitude"),
        ("91", "104", "latitude"),
        ("30", "181", "longitude"),
        ("NaN", "104", "latitude"),
    ] {
        let report = parse_places(file(latitude, longitude).as_bytes()).unwrap_err();
        assert_eq!(faults(&report).iter().map(|fault| fault.1).collect::<Vec<_>>(), [column], "{latitude},{longitude}");
    }
    let report = parse_places(file("north", "104").as_bytes()).unwrap_err();
    assert_eq!(faults(&report), [(2, "latitude", "is not a number of degrees such as 30.5728")]);
}

#[test]
fn an_unknown_kind_names_those_that_are_known() {
    let report = parse_places("name,kind,grid\na,塔,一\nb,,一\nc,小区,一\nc,小区,一\n".as_bytes()).unwrap_err();
    let wanted = [
        (2, "kind", "is none of: estate 小区, building 楼栋, alley 街巷, yard 院落"),
        (3, "kind", "is empty"),
        (5, "name", "is that of line 4, in the same grid and estate"),
    ];
    assert_eq!(faults(&report), wanted);
}

#[test]
fn limits_are_told_with_their_number() {
    let report = parse_places(&vec![b'a'; MOST_BYTES + 1]).unwrap_err();
    assert_eq!(report.file.as_deref(), Some("is larger than 50 MB; cut it into several"));

    let mut rows = "name,kind,grid\n".to_owned();
    (0..=MOST_ROWS).for_each(|number| rows.push_str(&format!("{number},yard,一\n")));
    let report = parse_places(rows.as_bytes()).unwrap_err();
    assert_eq!(report.file.as_deref(), Some("has more than 200000 rows; cut it into several"));
    let last = rows.trim_end().rfind('\n').unwrap();
    assert_eq!(parse_places(&rows.as_bytes()[..last]).unwrap().len(), MOST_ROWS);

    let cell = |length| format!("name,kind,grid\n{},yard,一\n", "字".repeat(length));
    assert!(parse_places(cell(MOST_CELL_CHARS).as_bytes()).is_ok());
    let report = parse_places(cell(MOST_CELL_CHARS + 1).as_bytes()).unwrap_err();
    assert_eq!(faults(&report), [(2, "name", "is longer than 2000 characters")]);
}

#[test]
fn a_report_lists_two_hundred_rows_and_counts_all() {
    let mut rows = "name,kind,grid\n".to_owned();
    (0..500).for_each(|_| rows.push_str(",,\"\" ,x\nx,yard,\n"));
    let report = parse_places(rows.as_bytes()).unwrap_err();
    assert_eq!((report.rows.len(), report.bad_rows), (200, 1000));
    assert!(report.to_string().ends_with("… and 800 more bad rows"));
}

#[test]
fn an_empty_file_and_a_file_of_no_text_are_refused_and_a_header_alone_is_not() {
    for (bytes, rule) in [(&b""[..], "is empty"), (b"\xEF\xBB\xBF", "is empty"), (b"\n , \n", "is empty")] {
        assert_eq!(parse_places(bytes).unwrap_err().file.as_deref(), Some(rule));
    }
    assert!(parse_places(b"\xFF\xFF").unwrap_err().file.unwrap().contains("neither"));
    assert_eq!(parse_places("名称,类型,网格\n".as_bytes()).unwrap(), []);
}

#[test]
fn one_file_reads_the_same_in_every_encoding() {
    let text = "名称,类型,网格,标签\n3栋,楼栋,第17网格,独居、低保\n㐀巷,街巷,第17网格,\n𠮷家院,院落,第17网格,\n";
    let (gb, ..) = GB18030.encode(text);
    let marked = ["\u{FEFF}", text].concat();
    let rows = parse_places(text.as_bytes()).unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(parse_places(marked.as_bytes()).unwrap(), rows);
    assert_eq!(parse_places(&gb).unwrap(), rows);
}

/// Every cell, quoted or not, is cut as the `csv` crate cuts it.
#[test]
fn rows_are_cut_as_the_csv_crate_cuts_them() {
    let cells = ["", "a", "三栋", "a,b", "a\"b", "\"", "a\nb", "\n", " a ", "'", ";", "\"\"", "a\"\"", ",", "𠮷"];
    for quoting in [csv::QuoteStyle::Necessary, csv::QuoteStyle::Always, csv::QuoteStyle::NonNumeric] {
        for end in [csv::Terminator::CRLF, csv::Terminator::Any(b'\n')] {
            let mut writer = csv::WriterBuilder::new().quote_style(quoting).terminator(end).from_writer(Vec::new());
            for one in cells {
                cells.iter().for_each(|two| writer.write_record([one, two, "x"]).unwrap());
            }
            let bytes = writer.into_inner().unwrap();
            let theirs = csv::ReaderBuilder::new().has_headers(false).from_reader(&*bytes).into_records();
            let mut ours = Table::new(std::str::from_utf8(&bytes).unwrap());
            let mut count = 0;
            for record in theirs {
                let record = record.unwrap();
                assert_eq!(ours.next_filled().unwrap().unwrap().cells, record.iter().collect::<Vec<_>>());
                count += 1;
            }
            assert_eq!((count, ours.next_filled()), (cells.len() * cells.len(), None));
        }
    }
}
