//! Where values wait for their reader. They may hold tokens, so on Unix they lie in pages of their own that core dumps leave
//! out, and everywhere they are wiped before they are used again or given back.

use secureapp_core::{Error, Kind, Result, Value};
use std::ptr::NonNull;

/// One encoded value at a time. Grows by taking new pages, never by moving bytes.
pub(crate) struct Pages {
    start: NonNull<u8>,
    capacity: usize,
    used: usize,
}

// SAFETY: the memory is this value's alone.
unsafe impl Send for Pages {}
// SAFETY: shared access only reads.
unsafe impl Sync for Pages {}

impl Pages {
    /// Nothing yet; the first value takes the first pages.
    pub(crate) const fn new() -> Self {
        Pages {
            start: NonNull::dangling(),
            capacity: 0,
            used: 0,
        }
    }

    /// What was written last.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the first `used` bytes were written; the memory is alive as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.used) }
    }

    /// Wipes what was there and writes `value`.
    pub(crate) fn write(&mut self, value: &Value) -> Result<&[u8]> {
        self.clear();
        let needed = value.encoded_len();
        if needed > self.capacity {
            self.grow(needed)?;
        }
        // SAFETY: all of the memory is mapped zeroed or was written, and `self` is borrowed for writing.
        let mut room = unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.capacity) };
        value.encode(&mut room);
        self.used = needed;
        Ok(self.bytes())
    }

    /// Wipes what was there.
    pub(crate) fn clear(&mut self) {
        // SAFETY: as in `bytes`, and `self` is borrowed for writing.
        let used = unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.used) };
        wipe(used);
        self.used = 0;
    }

    fn grow(&mut self, needed: usize) -> Result<()> {
        let capacity = needed
            .checked_next_power_of_two()
            .unwrap_or(needed)
            .max(memory::SMALLEST);
        let start = memory::take(capacity)
            .ok_or_else(|| Error::new(Kind::Internal, "there is no memory left").advise("Close other programs."))?;
        self.release();
        self.start = start;
        self.capacity = capacity;
        Ok(())
    }

    fn release(&mut self) {
        self.clear();
        if self.capacity > 0 {
            // SAFETY: taken with this size, and not used again.
            unsafe { memory::give_back(self.start, self.capacity) };
            self.start = NonNull::dangling();
            self.capacity = 0;
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.release();
    }
}

/// Overwrites with zeros, which the compiler must not leave out. Every record goes through here, and the C library does it
/// many bytes at a time.
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn wipe(bytes: &mut [u8]) {
    // SAFETY: exactly the bytes of a slice that is borrowed for writing.
    unsafe { libc::explicit_bzero(bytes.as_mut_ptr().cast(), bytes.len()) };
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
fn wipe(bytes: &mut [u8]) {
    zeroize::Zeroize::zeroize(bytes);
}

#[cfg(unix)]
mod memory {
    use std::ptr::{null_mut, NonNull};

    /// One page on most machines; the kernel rounds up where pages are larger.
    pub(super) const SMALLEST: usize = 4096;

    /// Zeroed pages of at least `size` bytes.
    pub(super) fn take(size: usize) -> Option<NonNull<u8>> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe { libc::mmap(null_mut(), size, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return None;
        }
        keep_out_of_dumps(start, size);
        NonNull::new(start.cast())
    }

    /// # Safety
    ///
    /// `start` came from `take(size)` and is not used again.
    pub(super) unsafe fn give_back(start: NonNull<u8>, size: usize) {
        // SAFETY: this mapping and no other, by contract.
        let _ = unsafe { libc::munmap(start.as_ptr().cast(), size) };
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn keep_out_of_dumps(start: *mut libc::c_void, size: usize) {
        // SAFETY: a mapping that was just made. Advice that is not taken changes nothing else.
        let _ = unsafe { libc::madvise(start, size, libc::MADV_DONTDUMP) };
    }

    #[cfg(target_os = "freebsd")]
    fn keep_out_of_dumps(start: *mut libc::c_void, size: usize) {
        // SAFETY: a mapping that was just made. Advice that is not taken changes nothing else.
        let _ = unsafe { libc::madvise(start, size, libc::MADV_NOCORE) };
    }

    /// Other systems have no such advice; wiping is all that can be done there.
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    fn keep_out_of_dumps(_start: *mut libc::c_void, _size: usize) {}
}

#[cfg(not(unix))]
mod memory {
    use std::alloc::{alloc_zeroed, dealloc, Layout};
    use std::ptr::NonNull;

    pub(super) const SMALLEST: usize = 4096;

    pub(super) fn take(size: usize) -> Option<NonNull<u8>> {
        let layout = Layout::array::<u8>(size).ok()?;
        // SAFETY: `size` is at least `SMALLEST`.
        NonNull::new(unsafe { alloc_zeroed(layout) })
    }

    /// # Safety
    ///
    /// `start` came from `take(size)` and is not used again.
    pub(super) unsafe fn give_back(start: NonNull<u8>, size: usize) {
        if let Ok(layout) = Layout::array::<u8>(size) {
            // SAFETY: allocated with the same layout, by contract.
            unsafe { dealloc(start.as_ptr(), layout) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_value_wipes_the_one_before() {
        let mut pages = Pages::new();
        let long = "secret".repeat(100);
        pages.write(&Value::from(long.as_str())).unwrap();
        let start = pages.start;
        pages.write(&Value::Null).unwrap();
        assert_eq!(pages.bytes(), [0]);
        // SAFETY: the same pages, still this test's.
        let all = unsafe { std::slice::from_raw_parts(start.as_ptr(), pages.capacity) };
        assert_eq!(pages.start, start);
        assert!(all.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn value_larger_than_the_pages_takes_new_ones() {
        let mut pages = Pages::new();
        for size in [1, 4096, 5000, 1 << 20, 3] {
            let value = Value::from("x".repeat(size));
            let mut expected = Vec::new();
            value.encode(&mut expected);
            assert_eq!(pages.write(&value).unwrap(), expected);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn pages_stay_out_of_core_dumps() {
        let mut pages = Pages::new();
        pages.write(&Value::from("secret")).unwrap();
        let start = format!("{:x}-", pages.start.as_ptr() as usize);
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        // The kernel may merge neighbours with the same flags, so the mapping that holds the address is looked for.
        let address = pages.start.as_ptr() as usize;
        let mut inside = false;
        let mut flags = None;
        for line in maps.lines() {
            if let Some((range, _)) = line.split_once(' ') {
                if let Some((from, to)) = range.split_once('-') {
                    if let (Ok(from), Ok(to)) = (usize::from_str_radix(from, 16), usize::from_str_radix(to, 16)) {
                        inside = (from..to).contains(&address);
                    }
                }
            }
            if inside && line.starts_with("VmFlags:") {
                flags = Some(line.to_owned());
            }
        }
        let flags = flags.unwrap_or_else(|| panic!("no mapping starts at {start}"));
        assert!(flags.split(' ').any(|flag| flag == "dd"), "{flags}");
    }
}
