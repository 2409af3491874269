//! Methods that are the wrapped type's own.

/// Each method calls the one of the same name on `self.inner`.
macro_rules! forward {
    () => {};
    (
        $(#[$attribute:meta])*
        pub fn $name:ident(&mut $this:ident $(, $argument:ident: $type:ty)*) $(-> $output:ty)?;
        $($rest:tt)*
    ) => {
        $(#[$attribute])*
        pub fn $name(&mut $this $(, $argument: $type)*) $(-> $output)? {
            $this.inner.$name($($argument),*)
        }
        $crate::tokio::sync::forward::forward!($($rest)*);
    };
    (
        $(#[$attribute:meta])*
        pub fn $name:ident(&$this:ident $(, $argument:ident: $type:ty)*) $(-> $output:ty)?;
        $($rest:tt)*
    ) => {
        $(#[$attribute])*
        pub fn $name(&$this $(, $argument: $type)*) $(-> $output)? {
            $this.inner.$name($($argument),*)
        }
        $crate::tokio::sync::forward::forward!($($rest)*);
    };
}

/// Formatted as the wrapped type.
macro_rules! formatted_as_inner {
    ($name:ident<T> $(where T: $bound:path)?) => {
        impl<T $(: $bound)?> std::fmt::Debug for $name<T> {
            /// As tokio's own.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

pub(crate) use {formatted_as_inner, forward};
