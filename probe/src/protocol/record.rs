//! The record: one subject and its attributes, in the one canonical encoding that is stored in memory, sent and hashed.
//!
//! *Invariant:* equal records have equal bytes, and no bytes are a record unless [`Record::parse`] accepted them.

use super::bytes::{Malformed, Reader, put_string, put_varint};
use super::coverage::Why;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The longest subject: a path of `PATH_MAX` bytes and its namespace.
pub const SUBJECT_MAX: usize = 4096 + 64;
/// The longest value: an extended attribute list may fill 64 KiB.
pub const VALUE_MAX: usize = 80 * 1024;

/// One comparable property. The number is the wire's and the order of the encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Attr {
    /// File type, one letter as in `find -type`.
    Kind = 1,
    /// Permission bits, 12 of them, little-endian u16.
    Mode = 2,
    /// Owner: a name of the tree's own passwd, else `#uid`.
    Owner = 3,
    /// Group: a name of the tree's own group file, else `#gid`.
    Group = 4,
    /// Bytes of a regular file, little-endian u64.
    Size = 5,
    /// SHA-256 of a regular file.
    Content = 6,
    /// Digest of a typed reading of a file, as [`super::view::Viewed`].
    View = 7,
    /// Where a symbolic link points.
    Target = 8,
    /// `major:minor` of a device.
    Device = 9,
    /// `security.capability`, hexadecimal.
    Capability = 10,
    /// POSIX ACLs in text form with names of the tree.
    Acl = 11,
    /// `user.*` attributes: name and SHA-256 of each value.
    Xattr = 12,
    /// `security.selinux`.
    Selinux = 13,
    /// `i` immutable, `a` append-only.
    Flags = 14,
    /// The first path, in byte order, of the hard links that a file has in scope.
    Link = 15,
    /// A package's version.
    Version = 16,
    /// A package's state, as its database writes it.
    State = 17,
    /// A fact's text.
    Text = 18,
    /// A mount's file system type.
    FsType = 19,
    /// A mount's protections: those of `ro nosuid nodev noexec` that hold.
    MountOptions = 20,
    /// What tells two builds of one version of a package apart, as its database writes it.
    Build = 21,
    /// The subject of the package that a path belongs to. Only baselines have it: it explains, and is never compared.
    Package = 22,
}

impl Attr {
    /// Every attribute in the order of the encoding.
    pub const ALL: [Self; 22] = [
        Self::Kind,
        Self::Mode,
        Self::Owner,
        Self::Group,
        Self::Size,
        Self::Content,
        Self::View,
        Self::Target,
        Self::Device,
        Self::Capability,
        Self::Acl,
        Self::Xattr,
        Self::Selinux,
        Self::Flags,
        Self::Link,
        Self::Version,
        Self::State,
        Self::Text,
        Self::FsType,
        Self::MountOptions,
        Self::Build,
        Self::Package,
    ];

    /// The attribute of a wire number.
    #[must_use]
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }
}

/// A set of attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Mask(pub u32);

impl Mask {
    /// Nothing: an ignored path.
    pub const NONE: Self = Self(0);
    /// Everything that can be compared, for packages, facts and mounts, and for a raw listing.
    pub const ALL: Self = Self(0x3f_fffe);
    /// That it exists with the right type.
    pub const PRESENCE: Self = Self(1 << Attr::Kind as u32);
    /// What `lstat` and extended attributes tell, without size and content.
    pub const METADATA: Self = Self(
        Self::PRESENCE.0
            | 1 << Attr::Mode as u32
            | 1 << Attr::Owner as u32
            | 1 << Attr::Group as u32
            | 1 << Attr::Target as u32
            | 1 << Attr::Device as u32
            | 1 << Attr::Capability as u32
            | 1 << Attr::Acl as u32
            | 1 << Attr::Xattr as u32
            | 1 << Attr::Flags as u32,
    );
    /// Everything of a path but `SELinux` labels, which relabelling changes on a whole fleet at once.
    pub const STRICT: Self =
        Self(Self::METADATA.0 | 1 << Attr::Size as u32 | 1 << Attr::Content as u32 | 1 << Attr::Link as u32);
    /// What is compared of a file that is read by a view; of anything else, its metadata.
    pub const VIEWED: Self = Self(Self::METADATA.0 | 1 << Attr::View as u32);
    /// What tells of a file's bytes as they are.
    pub const BYTES: Self = Self(1 << Attr::Size as u32 | 1 << Attr::Content as u32);
    /// The attributes that need a look at extended attributes.
    pub const XATTRS: Self = Self(
        1 << Attr::Capability as u32 | 1 << Attr::Acl as u32 | 1 << Attr::Xattr as u32 | 1 << Attr::Selinux as u32,
    );

    /// Whether the attribute is in the set.
    #[must_use]
    pub fn has(self, attr: Attr) -> bool {
        self.0 >> (attr as u32) & 1 == 1
    }

    /// Whether any of the other set is in this one.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// This set with an attribute more.
    #[must_use]
    pub fn with(self, attr: Attr) -> Self {
        Self(self.0 | 1 << attr as u32)
    }

    /// This set without the other one.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// File type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Regular file.
    File = b'f',
    /// Directory.
    Directory = b'd',
    /// Symbolic link.
    Symlink = b'l',
    /// Named pipe.
    Fifo = b'p',
    /// Unix socket.
    Socket = b's',
    /// Block device.
    Block = b'b',
    /// Character device.
    Char = b'c',
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::File, Self::Directory, Self::Symlink, Self::Fifo, Self::Socket, Self::Block, Self::Char];

    /// The kind of a letter.
    #[must_use]
    pub fn of(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == letter)
    }

    /// The bit of this kind in a rule's set of kinds.
    #[must_use]
    pub fn bit(self) -> u8 {
        match self {
            Self::File => 1,
            Self::Directory => 2,
            Self::Symlink => 4,
            Self::Fifo => 8,
            Self::Socket => 16,
            Self::Block => 32,
            Self::Char => 64,
        }
    }
}

/// What was learnt of an attribute that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// It was read.
    Present(&'a [u8]),
    /// The file is above the size cap, so its content was not read.
    Oversize,
    /// It could not be read.
    Unread(Why),
}

/// One subject with its attributes, owned; about a hundred bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Record(Box<[u8]>);

impl Record {
    /// Accepts the canonical encoding of one record and nothing else.
    ///
    /// # Errors
    /// When the bytes are not one whole record: unknown or repeated attributes, wrong widths, trailing bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        RecordRef::parse(bytes).map(RecordRef::to_owned)
    }

    /// The record without its owner.
    #[must_use]
    pub fn view(&self) -> RecordRef<'_> {
        RecordRef(&self.0)
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        self.view().subject()
    }
}

/// A record in somebody's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRef<'a>(&'a [u8]);

impl<'a> RecordRef<'a> {
    /// As [`Record::parse`], without a copy.
    ///
    /// # Errors
    /// The same.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let subject = reader.string(SUBJECT_MAX, "subject")?;
        if subject.is_empty() || subject.contains(&0) {
            return Err(Malformed("subject"));
        }
        let mut last = 0;
        while !reader.is_empty() {
            let (attr, value) = next_attr(&mut reader)?;
            if attr as u8 <= last {
                return Err(Malformed("order of attributes"));
            }
            last = attr as u8;
            width(attr, value)?;
        }
        Ok(Self(bytes))
    }

    /// A copy that lives on.
    #[must_use]
    pub fn to_owned(self) -> Record {
        Record(self.0.into())
    }

    /// The canonical encoding.
    #[must_use]
    pub fn encoded(self) -> &'a [u8] {
        self.0
    }

    /// What it is about: namespace, colon, name.
    #[must_use]
    pub fn subject(self) -> &'a [u8] {
        Reader::new(self.0).string(SUBJECT_MAX, "subject").unwrap_or_default()
    }

    /// The path, where the subject is in the file system's namespace.
    #[must_use]
    pub fn path(self) -> Option<&'a [u8]> {
        self.subject().strip_prefix(b"fs:")
    }

    /// The attributes in ascending order.
    pub fn attrs(self) -> impl Iterator<Item = (Attr, Value<'a>)> {
        let mut reader = Reader::new(self.0);
        let _ = reader.string(SUBJECT_MAX, "subject");
        // Parsed before, so the first error is the end.
        core::iter::from_fn(move || if reader.is_empty() { None } else { next_attr(&mut reader).ok() })
    }

    /// One attribute.
    #[must_use]
    pub fn attr(self, attr: Attr) -> Option<Value<'a>> {
        self.attrs().find(|(a, _)| *a == attr).map(|(_, value)| value)
    }

    /// One attribute's bytes, where it was read.
    #[must_use]
    pub fn present(self, attr: Attr) -> Option<&'a [u8]> {
        match self.attr(attr) {
            Some(Value::Present(bytes)) => Some(bytes),
            Some(Value::Oversize | Value::Unread(_)) | None => None,
        }
    }

    /// File type, where the subject has one.
    #[must_use]
    pub fn kind(self) -> Option<Kind> {
        self.present(Attr::Kind).and_then(|bytes| bytes.first().copied()).and_then(Kind::of)
    }

    /// Permission bits, where the subject has them.
    #[must_use]
    pub fn mode(self) -> Option<u16> {
        self.present(Attr::Mode).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes)
    }

    /// Bytes of a regular file.
    #[must_use]
    pub fn size(self) -> Option<u64> {
        self.present(Attr::Size).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes)
    }

    /// Which attributes it has.
    #[must_use]
    pub fn mask(self) -> Mask {
        self.attrs().fold(Mask::NONE, |mask, (attr, _)| mask.with(attr))
    }

    /// Appends the encoding with only the attributes of `mask`.
    pub fn project(self, mask: Mask, out: &mut Vec<u8>) {
        let mut writer = RecordWriter::new(out, self.subject());
        for (attr, value) in self.attrs() {
            if mask.has(attr) {
                writer.put(attr, value);
            }
        }
    }
}

fn next_attr<'a>(reader: &mut Reader<'a>) -> Result<(Attr, Value<'a>), Malformed> {
    let attr = Attr::of(reader.u8("attribute")?).ok_or(Malformed("attribute"))?;
    let head = reader.at_most(VALUE_MAX << 2 | 3, "value")?;
    let bytes = reader.take(head >> 2, "value")?;
    let value = match (head & 3, bytes) {
        (0, bytes) => Value::Present(bytes),
        (1, []) => Value::Oversize,
        (2, [why]) => Value::Unread(Why::of(*why).ok_or(Malformed("reason"))?),
        _ => return Err(Malformed("value")),
    };
    Ok((attr, value))
}

/// Holds each attribute to its type, so that no reader of a parsed record meets a surprise.
fn width(attr: Attr, value: Value<'_>) -> Result<(), Malformed> {
    let bytes = match value {
        Value::Present(bytes) => bytes,
        Value::Oversize if matches!(attr, Attr::Content | Attr::View) => return Ok(()),
        Value::Oversize => return Err(Malformed("oversize attribute")),
        Value::Unread(_) => return Ok(()),
    };
    let fits = match attr {
        Attr::Kind => bytes.len() == 1 && Kind::of(bytes[0]).is_some(),
        Attr::Mode => bytes.len() == 2 && bytes[1] < 0o20,
        Attr::Size => bytes.len() == 8,
        Attr::Content => bytes.len() == 32,
        Attr::Target | Attr::Link => !bytes.is_empty() && bytes.len() <= 4096 && !bytes.contains(&0),
        Attr::Owner
        | Attr::Group
        | Attr::View
        | Attr::Device
        | Attr::Capability
        | Attr::Flags
        | Attr::State
        | Attr::FsType
        | Attr::MountOptions
        | Attr::Selinux => bytes.len() <= 1024,
        Attr::Acl | Attr::Xattr | Attr::Text | Attr::Version | Attr::Build | Attr::Package => true,
    };
    if fits { Ok(()) } else { Err(Malformed("width of an attribute")) }
}

/// Appends one record to a buffer; attributes must come in ascending order.
#[derive(Debug)]
pub struct RecordWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> RecordWriter<'a> {
    /// Begins a record.
    pub fn new(out: &'a mut Vec<u8>, subject: &[u8]) -> Self {
        put_string(out, subject);
        Self { out }
    }

    /// Goes on with attributes alone, without a subject.
    pub fn resume(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Adds attributes that were encoded before.
    pub fn raw(&mut self, attrs: &[u8]) {
        self.out.extend_from_slice(attrs);
    }

    /// Adds an attribute.
    pub fn put(&mut self, attr: Attr, value: Value<'_>) {
        self.out.push(attr as u8);
        match value {
            Value::Present(bytes) => {
                put_varint(self.out, (bytes.len() as u64) << 2);
                self.out.extend_from_slice(bytes);
            }
            Value::Oversize => put_varint(self.out, 1),
            Value::Unread(why) => {
                put_varint(self.out, 1 << 2 | 2);
                self.out.push(why as u8);
            }
        }
    }

    /// Adds an attribute that was read.
    pub fn present(&mut self, attr: Attr, bytes: &[u8]) {
        self.put(attr, Value::Present(bytes));
    }
}
