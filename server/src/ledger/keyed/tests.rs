//! The keyed ledger over both stores against the one list, and what only a store in memory can try.

mod damage;

mod memory {
    use std::sync::Arc;

    use doorstep_core::store::MemoryStore;

    use crate::ledger::conformance::{Subject, ledger_conformance};
    use crate::ledger::{KeyedLedger, Ledger};
    use crate::system::SystemEntropy;

    /// One memory; opening it is a power cut and a start.
    #[derive(Default)]
    struct Memory(Arc<MemoryStore>);

    impl Subject for Memory {
        fn open(&self) -> Arc<dyn Ledger> {
            self.0.restart();
            Arc::new(KeyedLedger::open(self.0.clone(), Box::new(SystemEntropy)).unwrap())
        }
    }

    ledger_conformance!(Memory::default());
}

mod sled {
    use std::sync::Arc;

    use doorstep_core::store::{SledOptions, SledStore};

    use crate::ledger::conformance::{Subject, ledger_conformance};
    use crate::ledger::{KeyedLedger, Ledger};
    use crate::system::SystemEntropy;

    /// A folder; at its end sled must have kept everything in its log.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }
    }

    impl Subject for Folder {
        fn open(&self) -> Arc<dyn Ledger> {
            let store =
                SledStore::open(&self.0.path().join("store"), SledOptions { cache_bytes: 8 << 20, ..SledOptions::default() }).unwrap();
            Arc::new(KeyedLedger::open(Arc::new(store), Box::new(SystemEntropy)).unwrap())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                let blobs = std::fs::read_dir(self.0.path().join("store").join("tree").join("blobs")).unwrap().count();
                assert_eq!(blobs, 0, "a value left the log");
            }
        }
    }

    ledger_conformance!(Folder::new());
}
