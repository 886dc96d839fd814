//! Which of AWS's answers state that something is absent?
