//! A server's store is damaged while nobody serves it; phones hold what it held.

use std::fs;

use doorstep_tests::phone::Phone;
use doorstep_tests::process::{Options, ServerProcess, StartingServer};
use doorstep_tests::street::{SMALL, Street};

use super::file::{Harm, copy_folder, files};
use super::torture;

/// What can be damaged one after the other, with a whole server in between.
#[test]
fn a_server_whose_store_rots_comes_back_with_everything_that_phones_hold() {
    let (mut torture, rounds) = torture(5);
    let street = Street::build(SMALL);
    let server = street.serve();
    let phones: Vec<Phone> = ["one", "two"].map(|name| street.worker_phone(&server, name, 0)).into();
    drop(server);
    let store = street.data().join("store");
    let doors = phones[0].households();
    for round in 0..rounds {
        let server =
            ServerProcess::start(&street.data(), &Options { flags: vec!["--checkpoint-kilobytes=1".into()], ..Options::default() });
        for (number, phone) in phones.iter().enumerate() {
            phone.visit(doors[(round + number) % doors.len()], "损坏之后");
        }
        for phone in phones.iter().chain(&phones) {
            phone.sync(&server.transport());
        }
        server.kill();
        let (tree, journal) = (store.join("tree"), store.join("journal"));
        let victim = match torture.below(3) {
            0 => vec![tree.join("db")],
            1 => files(&tree, "snap.", ""),
            _ => [files(&journal, "", ".segment"), files(&journal, "", ".checkpoint")].concat(),
        };
        let Some(victim) = victim.get(torture.below(victim.len())) else { continue };
        let harm = Harm::ALL[torture.below(Harm::ALL.len())];
        println!("{harm:?} of {}", victim.file_name().unwrap().display());
        harm.befall(victim, &mut torture);
        street.behind_the_scenes(|hub| phones.iter().for_each(|phone| assert!(street.assert_same(hub, Some(&[0]), phone) > 20)));
    }
}

#[test]
fn a_server_of_which_neither_tree_nor_journal_is_whole_says_so_and_touches_nothing() {
    let street = Street::build(SMALL);
    let store = street.data().join("store");
    let before = tempfile::tempdir().unwrap();
    for file in [vec![store.join("tree").join("db")], files(&store.join("journal"), "", ".segment")].concat() {
        fs::write(&file, vec![0xa5; fs::metadata(&file).unwrap().len() as usize]).unwrap();
    }
    copy_folder(&store.join("journal"), before.path());
    let refused = StartingServer::begin(&street.data(), &Options::default()).wait_until_it_ends();
    assert!(refused.iter().any(|line| line.contains("is damaged") && line.contains("doorstep restore")), "{refused:?}");
    for file in files(before.path(), "", "") {
        assert_eq!(fs::read(&file).unwrap(), fs::read(store.join("journal").join(file.file_name().unwrap())).unwrap());
    }
    assert!(store.join("tree").join("db").exists());
}
