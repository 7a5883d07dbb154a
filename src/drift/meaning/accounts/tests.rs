//! Sentences, from pairs as views give them.
