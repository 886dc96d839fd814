//! How does text that strangers wrote stand in a command to paste?

/// Text out of a policy or a name, safe to print.
pub(super) fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// One word to a shell, of which the shell reads nothing.
pub fn quoted(text: &str) -> String {
    format!("'{}'", shown(text).replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_nothing_of_a_quoted_word() {
        assert_eq!(quoted("a'; rm -rf $HOME \n`x`"), "'a'\\''; rm -rf $HOME \u{fffd}`x`'");
    }
}
