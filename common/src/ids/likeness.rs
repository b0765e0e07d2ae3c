//! What a name looks like. Names that people take for each other have one likeness.

/// Characters that are taken for others, and what they are taken for: the pairs of Unicode's list of confusables (UTS #39,
/// `confusables.txt`) both sides of which names may have. The list goes from `0` to a capital `O`, which is a small one here; `i`
/// and `l` are no pair in it, and to most eyes they are none.
const CONFUSABLES: [(char, &str); 3] = [('0', "o"), ('1', "l"), ('m', "rn")];

/// The likeness of a text: small letters without hyphens, of characters that are taken for each other always the same one.
#[must_use]
pub fn likeness(text: &str) -> String {
    let mut likeness = String::with_capacity(text.len());
    for c in text.chars().filter(|c| *c != '-').flat_map(char::to_lowercase) {
        match CONFUSABLES.iter().find(|(confused, _)| *confused == c) {
            Some((_, with)) => likeness.push_str(with),
            None => likeness.push(c),
        }
    }
    likeness
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_is_alike() {
        for alike in
            [["google", "g00gle"], ["lodash", "1odash"], ["modern", "rnodern"], ["my-scope", "MYSC0PE"], ["commander", "cornrnander"]]
        {
            assert_eq!(likeness(alike[0]), likeness(alike[1]), "{alike:?}");
        }
        for other in [["mail", "mall"], ["io", "lo"], ["std", "stb"], ["v1", "v2"], ["ab", "ba"]] {
            assert_ne!(likeness(other[0]), likeness(other[1]), "{other:?}");
        }
    }
}
