//! Values as handles: the answer to a call, encoded.

use crate::guard::guard;
use crate::handle::{self, Boxed, ErrorOut, Handle, Out};
use crate::pages::Pages;
use crate::status::Status;
use crate::text::lend;
use secureapp_core::Result;

/// The first byte of an encoded value; what follows it is described with the interface's rules.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueTag {
    /// Nothing.
    Null = 0,
    /// False.
    False = 1,
    /// True.
    True = 2,
    /// A signed 64-bit integer.
    Int = 3,
    /// An IEEE 754 double.
    Float = 4,
    /// A UTF-8 text.
    Text = 5,
    /// Milliseconds since 1970-01-01 UTC, a signed 64-bit integer.
    Time = 6,
    /// A list of values.
    List = 7,
    /// A map from texts to values, in order.
    Map = 8,
    /// Bytes.
    Bytes = 9,
}

/// An answer. Wiped when it is freed.
pub struct Value(Pages);

impl Handle for Value {
    const NAME: &'static str = "value";
    type Owner = Boxed;
}

impl Value {
    pub(crate) fn new(value: &secureapp_core::Value) -> Result<Self> {
        let mut pages = Pages::new();
        pages.write(value)?;
        Ok(Value(pages))
    }
}

/// The encoded value.
///
/// Ownership: the bytes belong to `value` until it is freed.
/// Threads: any.
///
/// # Safety
///
/// - `value` is null or a live value.
/// - `data` and `len` are null or writable.
#[no_mangle]
pub unsafe extern "C" fn sa_value_data(value: *const Value, data: *mut *const u8, len: *mut usize) -> Status {
    guard(ErrorOut::none(), || {
        // SAFETY: null or writable by contract.
        let data = unsafe { Out::new(data, "data") }?;
        // SAFETY: null or writable by contract.
        let len = unsafe { Out::new(len, "len") }?;
        lend(&[], &data, &len);
        // SAFETY: null or live by contract.
        let value = unsafe { handle::borrow(value) }?;
        lend(value.0.bytes(), &data, &len);
        Ok(Status::Ok)
    })
}

/// Frees a value and wipes it; null is fine.
///
/// # Safety
///
/// - `value` is null or a live value that is not used again.
#[no_mangle]
pub unsafe extern "C" fn sa_value_free(value: *mut Value) {
    guard(ErrorOut::none(), || {
        // SAFETY: by contract.
        unsafe { handle::free(value) };
        Ok(Status::Ok)
    });
}
