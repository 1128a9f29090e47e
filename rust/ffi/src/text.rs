//! Texts and bytes as pointer and length, in both directions.

use crate::handle::{null, Out};
use secureapp_core::{Error, Result, Secret};

/// The bytes of an input; a null pointer is an empty one if its length is 0.
///
/// # Safety
///
/// `pointer` is null or readable for `len` bytes that nobody changes during `'a`.
pub(crate) unsafe fn bytes<'a>(pointer: *const u8, len: usize, name: &str) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(null(name));
    }
    if isize::try_from(len).is_err() {
        return Err(Error::invalid(format!("the length of '{name}' is impossible")).advise("Pass the length in bytes."));
    }
    // SAFETY: non-null, readable and unchanging by contract; the length was checked.
    Ok(unsafe { std::slice::from_raw_parts(pointer, len) })
}

/// A UTF-8 input.
///
/// # Safety
///
/// As [`bytes`].
pub(crate) unsafe fn text<'a>(pointer: *const u8, len: usize, name: &str) -> Result<&'a str> {
    // SAFETY: passed on.
    let bytes = unsafe { bytes(pointer, len, name) }?;
    std::str::from_utf8(bytes)
        .map_err(|_| Error::invalid(format!("the text '{name}' is not UTF-8")).advise("Pass it encoded as UTF-8."))
}

/// A secret input, copied once.
///
/// # Safety
///
/// As [`bytes`].
pub(crate) unsafe fn secret(pointer: *const u8, len: usize, name: &str) -> Result<Secret> {
    // SAFETY: passed on.
    let text = unsafe { text(pointer, len, name) }?;
    Ok(Secret::from(text))
}

/// Lends `data` to the caller; nothing at all is lent as null.
pub(crate) fn lend(data: &[u8], pointer: &Out<*const u8>, len: &Out<usize>) {
    pointer.write(if data.is_empty() {
        std::ptr::null()
    } else {
        data.as_ptr()
    });
    len.write(data.len());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::null;

    #[test]
    fn empty_text_may_be_null() {
        // SAFETY: the length is 0.
        assert_eq!(unsafe { text(null(), 0, "key") }.unwrap(), "");
    }

    #[test]
    fn null_with_a_length_is_refused() {
        // SAFETY: null is allowed.
        let error = unsafe { text(null(), 1, "key") }.unwrap_err();
        assert!(error.message().contains("'key'"));
    }

    #[test]
    fn impossible_length_is_refused_before_anything_is_read() {
        let byte = 1u8;
        // SAFETY: refused by its length.
        assert!(unsafe { bytes(&byte, usize::MAX, "data") }.is_err());
    }

    #[test]
    fn invalid_utf8_is_refused_without_being_shown() {
        let input = b"hunter2\xff";
        // SAFETY: a local.
        let error = unsafe { secret(input.as_ptr(), input.len(), "value") }.unwrap_err();
        assert!(!error.message().contains("hunter2"));
    }
}
