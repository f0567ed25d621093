//! Doorstep's engine for Kotlin and Swift: a thin uniffi face over `doorstep_core::field`.
//!
//! Empty so far. What will cross the border is synchronous, short and thread-safe: commands that commit locally within milliseconds,
//! queries, and listeners; `suspend`, `async`, Flow and AsyncSequence are written in the languages, in `bindings/kotlin` and
//! `bindings/swift`.
