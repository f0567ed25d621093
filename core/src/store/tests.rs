//! All stores against the one list, and against a plain map under random work.

mod model;

mod memory {
    use std::sync::Arc;

    use crate::store::conformance::Subject;
    use crate::store::{MemoryStore, Store};

    /// One memory; opening it is a power cut and a start.
    #[derive(Default)]
    pub(super) struct Memory(Arc<MemoryStore>);

    impl Subject for Memory {
        fn open(&self) -> Arc<dyn Store> {
            self.0.restart();
            self.0.clone()
        }
    }

    crate::store_conformance!(Memory::default());
}

#[cfg(feature = "sled")]
mod simulated {
    use std::sync::Arc;

    use crate::store::conformance::Subject;
    use crate::store::simulated::tests::seeded;
    use crate::store::{SimulatedOptions, SimulatedStore, Store};

    /// One disk in memory; opening it is a power cut and a start.
    pub(super) struct Simulated(Arc<SimulatedStore>);

    impl Simulated {
        pub(super) fn new() -> Self {
            Self(Arc::new(SimulatedStore::new(SimulatedOptions::default(), seeded(1)).unwrap()))
        }
    }

    impl Subject for Simulated {
        fn open(&self) -> Arc<dyn Store> {
            self.0.restart(None).unwrap();
            self.0.clone()
        }
    }

    crate::store_conformance!(Simulated::new());
}

#[cfg(feature = "sled")]
mod sled {
    use std::sync::Arc;

    use crate::store::conformance::Subject;
    use crate::store::{SledOptions, SledStore, Store};

    /// A folder; at its end sled must have kept everything in its log.
    pub(super) struct Folder(tempfile::TempDir);

    impl Folder {
        pub(super) fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }
    }

    impl Subject for Folder {
        fn open(&self) -> Arc<dyn Store> {
            Arc::new(SledStore::open(&self.0.path().join("store"), SledOptions { cache_bytes: 1 << 20, ..SledOptions::default() }).unwrap())
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

    crate::store_conformance!(Folder::new());
}

/// Each of them under a seal.
#[cfg(feature = "sled")]
mod sealed {
    use std::sync::Arc;

    use crate::store::conformance::Subject;
    use crate::store::sealed::tests::{Seeded, key};
    use crate::store::{SealedStore, Store};

    /// A place where a sealed store lives. A new seed at each opening, as no process draws the nonces of another.
    pub(super) struct Sealed<S>(S, std::sync::atomic::AtomicU64);

    impl<S> Sealed<S> {
        pub(super) fn new(below: S) -> Self {
            Self(below, std::sync::atomic::AtomicU64::new(1))
        }
    }

    impl<S: Subject> Subject for Sealed<S> {
        fn open(&self) -> Arc<dyn Store> {
            let seed = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Arc::new(SealedStore::open(self.0.open(), &key(1), Box::new(Seeded::new(seed))).unwrap())
        }
    }

    mod over_memory {
        use super::Sealed;
        crate::store_conformance!(Sealed::new(crate::store::tests::memory::Memory::default()));
    }

    mod over_simulated {
        use super::Sealed;
        crate::store_conformance!(Sealed::new(crate::store::tests::simulated::Simulated::new()));
    }

    mod over_sled {
        use super::Sealed;
        crate::store_conformance!(Sealed::new(crate::store::tests::sled::Folder::new()));
    }
}
