//! Identity keys and text for people: pure.

/// placeholder until the pure helpers land
pub fn shown(value: &str) -> String {
    value.chars().take(64).collect()
}
