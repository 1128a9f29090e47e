//! Handles and output parameters: the pointers of the interface as types that can only be used one way.
//!
//! A handle type says who owns it: [`Boxed`] has one user at a time, [`Shared`] is counted, so that a call which waits keeps
//! what it works on alive. The compiler refuses to free one as the other.

use crate::error::Error;
use secureapp_core::Result;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;

/// A type that crosses the interface as an opaque pointer.
pub(crate) trait Handle: Sized {
    /// What its parameter is called.
    const NAME: &'static str;
    type Owner: Owner<Self>;
}

/// How a handle's memory is owned.
pub(crate) trait Owner<T> {
    fn into_raw(value: T) -> *mut T;
    /// # Safety
    ///
    /// `pointer` came from `into_raw` and is not used again.
    unsafe fn drop_raw(pointer: *mut T);
}

pub(crate) struct Boxed;
pub(crate) struct Shared;

impl<T> Owner<T> for Boxed {
    fn into_raw(value: T) -> *mut T {
        Box::into_raw(Box::new(value))
    }

    unsafe fn drop_raw(pointer: *mut T) {
        // SAFETY: made by `into_raw`, by contract.
        drop(unsafe { Box::from_raw(pointer) });
    }
}

impl<T> Owner<T> for Shared {
    fn into_raw(value: T) -> *mut T {
        Arc::into_raw(Arc::new(value)).cast_mut()
    }

    unsafe fn drop_raw(pointer: *mut T) {
        // SAFETY: made by `into_raw`, by contract.
        drop(unsafe { Arc::from_raw(pointer) });
    }
}

/// The value behind a handle.
///
/// # Safety
///
/// `pointer` is null or a live handle that no other thread frees or changes during `'a`.
pub(crate) unsafe fn borrow<'a, T: Handle>(pointer: *const T) -> Result<&'a T> {
    // SAFETY: null or live by contract.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(T::NAME))
}

/// The value behind a handle that has one user at a time.
///
/// # Safety
///
/// `pointer` is null or a live handle that no other thread uses during `'a`.
pub(crate) unsafe fn borrow_mut<'a, T: Handle<Owner = Boxed>>(pointer: *mut T) -> Result<&'a mut T> {
    // SAFETY: null or live and unshared by contract.
    unsafe { pointer.as_mut() }.ok_or_else(|| null(T::NAME))
}

/// A share of a counted handle: it stays alive while the share does, even if the handle is freed meanwhile.
///
/// # Safety
///
/// `pointer` is null or a live handle when the call begins.
pub(crate) unsafe fn share<T: Handle<Owner = Shared>>(pointer: *const T) -> Result<Arc<T>> {
    if pointer.is_null() {
        return Err(null(T::NAME));
    }
    // SAFETY: live by contract and, being `Shared`, made by `Arc::into_raw`.
    unsafe { Arc::increment_strong_count(pointer) };
    // SAFETY: this takes the count that was just added.
    Ok(unsafe { Arc::from_raw(pointer) })
}

/// Frees a handle; null is fine.
///
/// # Safety
///
/// `pointer` is null or a live handle that is not used again.
pub(crate) unsafe fn free<T: Handle>(pointer: *mut T) {
    if !pointer.is_null() {
        // SAFETY: every handle is made by its owner's `into_raw` (see `Out::give`).
        unsafe { T::Owner::drop_raw(pointer) };
    }
}

/// An output parameter.
pub(crate) struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// # Safety
    ///
    /// `pointer` is null or writable until the call returns.
    pub(crate) unsafe fn new(pointer: *mut T, name: &str) -> Result<Self> {
        NonNull::new(pointer).map(Out).ok_or_else(|| null(name))
    }

    pub(crate) fn write(&self, value: T) {
        // SAFETY: non-null and writable by the contract of `new`; what was there is not dropped, it may be uninitialized.
        unsafe { self.0.write(value) };
    }
}

impl<T: Handle> Out<*mut T> {
    /// Moves `value` into a new handle for the caller.
    pub(crate) fn give(&self, value: T) {
        self.write(T::Owner::into_raw(value));
    }

    /// An output for a handle, null until one is given.
    ///
    /// # Safety
    ///
    /// `pointer` is null or writable until the call returns.
    pub(crate) unsafe fn handle(pointer: *mut *mut T) -> Result<Self> {
        // SAFETY: passed on.
        let out = unsafe { Out::new(pointer, "out") }?;
        out.write(std::ptr::null_mut());
        Ok(out)
    }
}

/// The last parameter of a function that can fail. It may be absent.
pub(crate) struct ErrorOut(Option<Out<*mut Error>>, PhantomData<*mut Error>);

impl ErrorOut {
    /// Takes the parameter and sets it to null.
    ///
    /// # Safety
    ///
    /// `pointer` is null or writable until the call returns.
    pub(crate) unsafe fn new(pointer: *mut *mut Error) -> Self {
        let out = NonNull::new(pointer).map(Out);
        if let Some(out) = &out {
            out.write(std::ptr::null_mut());
        }
        ErrorOut(out, PhantomData)
    }

    /// For functions without one.
    pub(crate) fn none() -> Self {
        ErrorOut(None, PhantomData)
    }

    pub(crate) fn write(self, error: Error) {
        if let Some(out) = self.0 {
            out.give(error);
        }
    }
}

#[cold]
pub(crate) fn null(name: &str) -> secureapp_core::Error {
    secureapp_core::Error::invalid(format!("the argument '{name}' is null")).advise("Pass a valid pointer.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::{null, null_mut};
    use std::sync::atomic::{AtomicUsize, Ordering};

    static DROPS: AtomicUsize = AtomicUsize::new(0);

    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Ordering::SeqCst);
        }
    }
    impl Handle for Counted {
        const NAME: &'static str = "counted";
        type Owner = Shared;
    }

    struct Single(u8);
    impl Handle for Single {
        const NAME: &'static str = "single";
        type Owner = Boxed;
    }

    #[test]
    fn share_outlives_the_free_of_its_handle() {
        let mut pointer = null_mut();
        // SAFETY: a local.
        unsafe { Out::handle(&mut pointer) }.unwrap().give(Counted);
        // SAFETY: just made.
        let held = unsafe { share(pointer.cast_const()) }.unwrap();
        // SAFETY: just made, not used again.
        unsafe { free(pointer) };
        assert_eq!(DROPS.load(Ordering::SeqCst), 0);
        drop(held);
        assert_eq!(DROPS.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn boxed_handle_is_changed_in_place() {
        let mut pointer = null_mut();
        // SAFETY: a local.
        unsafe { Out::handle(&mut pointer) }.unwrap().give(Single(1));
        // SAFETY: live, one thread.
        unsafe { borrow_mut(pointer) }.unwrap().0 = 2;
        // SAFETY: live, one thread.
        assert_eq!(unsafe { borrow(pointer.cast_const()) }.unwrap().0, 2);
        // SAFETY: not used again.
        unsafe { free(pointer) };
    }

    #[test]
    fn null_is_named() {
        // SAFETY: null is allowed.
        let error = unsafe { borrow::<Single>(null()) }.err().unwrap();
        assert!(error.message().contains("'single'"));
        // SAFETY: null is allowed.
        unsafe { free::<Single>(null_mut()) };
    }
}
