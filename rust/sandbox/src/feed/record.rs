//! Makes audit records: the bytes of any one, from its number alone.

use openssl::sha::sha256;

use crate::clock::iso_seconds;
use crate::random::{guid_text, Random};

use super::plan::{ContentType, Entry, Plan};
use super::sample::{self, Sample, Slot};
use super::templates::{self, Template};

/// What all records of a tenant share.
pub(crate) struct Writer<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) tenant_id: &'a str,
    pub(crate) domain: &'a str,
    pub(crate) late: f64,
    pub(crate) longest_delay_ms: u64,
    pub(crate) without_id: f64,
    pub(crate) conflicts: f64,
}

/// What a record is, before its text.
struct Head {
    shape: Shape,
    event_ms: i64,
    arrived_ms: i64,
    /// Empty for the few records without one.
    id: String,
    random: Random,
}

enum Shape {
    Generated(&'static Template),
    Real(&'static Sample),
}

impl Shape {
    fn record_type(&self) -> u32 {
        match self {
            Shape::Generated(template) => template.record_type,
            Shape::Real(sample) => sample.record_type,
        }
    }
}

/// The share of real records per content type, in hundredths: as many as there are to choose from.
fn real_share(content: ContentType) -> u64 {
    match content {
        ContentType::Exchange => 40,
        ContentType::SharePoint => 30,
        ContentType::AzureActiveDirectory | ContentType::General => 4,
        ContentType::Dlp => 0,
    }
}

impl Writer<'_> {
    fn head(&self, record: u64) -> Head {
        let mut random = Random::at(self.plan.key, "record", record);
        let samples = sample::of(self.plan.content);
        let shape = if !samples.is_empty() && random.below(100) < real_share(self.plan.content) {
            Shape::Real(random.pick(samples))
        } else {
            Shape::Generated(choose(templates::of(self.plan.content), &mut random))
        };
        let own = self.plan.blob_of(record);
        let created = match self.plan.repeated_in(record, own) {
            // An event is over before its first delivery.
            Some(other) if other < own => self.plan.created(other),
            _ => self.plan.created(own),
        };
        // Most events take five minutes or more to arrive, some take days.
        let delay = if random.chance(self.late) {
            86_400_000 + random.below(4 * 86_400_000)
        } else {
            300_000 + random.below(self.longest_delay_ms.saturating_sub(300_000).max(1))
        };
        let event_ms = created - delay as i64;
        let (high, low) = (random.next(), random.next());
        let id = if random.chance(self.without_id) {
            String::new()
        } else {
            identifier(shape.record_type(), high, low, event_ms)
        };
        Head {
            shape,
            event_ms,
            arrived_ms: created,
            id,
            random,
        }
    }

    /// The number of its record type, when the event happened and when it was first published, in milliseconds since 1970.
    pub(crate) fn outline(&self, record: u64) -> (u32, i64, i64) {
        let head = self.head(record);
        (head.shape.record_type(), head.event_ms, head.arrived_ms)
    }

    /// What a client is to know the record by: its `Id`; `sha256:` and the digest of its bytes when it has none.
    pub(crate) fn key(&self, record: u64) -> String {
        let head = self.head(record);
        if !head.id.is_empty() {
            return head.id;
        }
        let mut text = Vec::new();
        self.write(Entry { record, again: false }, &mut text);
        let digest: String = sha256(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{digest}")
    }

    /// Appends the record's JSON.
    pub(crate) fn write(&self, entry: Entry, out: &mut Vec<u8>) {
        let Head {
            shape,
            event_ms,
            id,
            random,
            ..
        } = self.head(entry.record);
        let start = out.len();
        let time = iso_seconds(event_ms.div_euclid(1000));
        match shape {
            Shape::Real(sample) => {
                for (piece, slot) in &sample.pieces {
                    out.extend_from_slice(piece.as_bytes());
                    out.extend_from_slice(match slot {
                        Slot::Id => id.as_bytes(),
                        Slot::Organization => self.tenant_id.as_bytes(),
                        Slot::Time => time.as_bytes(),
                        Slot::End => b"",
                    });
                }
            }
            Shape::Generated(template) => self.fill(template.text, &id, &time, random, out),
        }
        if id.is_empty() {
            remove(out, start, b"\"Id\":\"\",");
            remove(out, start, b"\"Id\": \"\", ");
        }
        let again = entry.again && self.conflicts > 0.0;
        if again && Random::at(self.plan.key, "conflict", entry.record).chance(self.conflicts) {
            // The same record with other bytes, still valid JSON.
            out.insert(start + 1, b' ');
        }
    }

    fn fill(&self, template: &str, id: &str, time: &str, mut random: Random, out: &mut Vec<u8>) {
        const ALIASES: [&str; 12] = [
            "adele.vance",
            "alex.wilber",
            "diego.siciliani",
            "grady.archie",
            "henrietta.mueller",
            "isaiah.langer",
            "johanna.lorenz",
            "joni.sherman",
            "lee.gu",
            "lidia.holloway",
            "megan.bowen",
            "nestor.wilke",
        ];
        const NAMES: [&str; 12] = [
            "Adele Vance",
            "Alex Wilber",
            "Diego Siciliani",
            "Grady Archie",
            "Henrietta Müller",
            "Isaiah Langer",
            "Johanna Lorenz",
            "Joni Sherman",
            "Lee Gu",
            "Lidia Holloway",
            "Megan Bowen",
            "Nestor Wilke",
        ];
        const FILES: [&str; 6] = [
            "Marketing Plan.docx",
            "Q3 Büdget – final.docx",
            "Contract (signed) & annex.docx",
            "日本語の資料.docx",
            "Price list 'new'.docx",
            "Onboarding #1.docx",
        ];
        const AGENTS: [&str; 4] = [
            "Mozilla\\/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit\\/537.36 (KHTML, like Gecko) Chrome\\/124.0.0.0 Safari\\/537.36 Edg\\/124.0.0.0",
            "Mozilla\\/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit\\/605.1.15 (KHTML, like Gecko) Version\\/17.4 Safari\\/605.1.15",
            "Microsoft Office\\/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17425; Pro)",
            "MSWAC",
        ];
        let user = random.below(ALIASES.len() as u64) as usize;
        let mut person = Random::at(self.plan.key, "person", user as u64);
        let (object_id, puid) = (person.guid(), person.next());
        let (file, agent) = (*random.pick(&FILES), *random.pick(&AGENTS));
        let site = self.domain.split('.').next().unwrap_or_default();
        let address = random.next();
        let mut rest = template;
        while let Some(at) = rest.find('%') {
            out.extend_from_slice(&rest.as_bytes()[..at]);
            let letter = rest.as_bytes().get(at + 1).copied().unwrap_or_default();
            rest = rest.get(at + 2..).unwrap_or_default();
            match letter {
                b'i' => out.extend_from_slice(id.as_bytes()),
                b't' => out.extend_from_slice(time.as_bytes()),
                b'o' => out.extend_from_slice(self.tenant_id.as_bytes()),
                b'd' => out.extend_from_slice(self.domain.as_bytes()),
                b's' => out.extend_from_slice(site.as_bytes()),
                b'u' => {
                    out.extend_from_slice(ALIASES[user].as_bytes());
                    out.push(b'@');
                    out.extend_from_slice(self.domain.as_bytes());
                }
                b'n' => out.extend_from_slice(ALIASES[user].as_bytes()),
                b'N' => out.extend_from_slice(NAMES[user].as_bytes()),
                b'h' => out.extend_from_slice(object_id.as_bytes()),
                b'k' => out.extend_from_slice(format!("1003{:012X}", puid >> 16).as_bytes()),
                b'f' => out.extend_from_slice(file.as_bytes()),
                b'U' => out.extend_from_slice(agent.as_bytes()),
                b'v' => out.extend_from_slice(
                    format!(
                        "DB6PR04MB{} (15.20.{}.0{})",
                        address % 10_000,
                        address % 9_000,
                        address % 90 + 10
                    )
                    .as_bytes(),
                ),
                // One address in four is an IPv6 one, some in brackets; all from the ranges for documentation.
                b'a' => {
                    let text = match address & 7 {
                        0 => format!(
                            "2001:db8:{:x}:{:x}::{:x}",
                            address >> 48,
                            (address >> 32) & 0xffff,
                            address >> 56
                        ),
                        1 => format!("[2001:db8:{:x}::{:x}]", address >> 48, (address >> 32) & 0xffff),
                        _ => format!("203.0.113.{}", (address >> 8) & 0xff),
                    };
                    out.extend_from_slice(text.as_bytes());
                }
                b'g' => out.extend_from_slice(random.guid().as_bytes()),
                b'x' => out.extend_from_slice(format!("{:016X}", random.next()).as_bytes()),
                b'b' => out.extend_from_slice(random.text(48).as_bytes()),
                b'c' => out.extend_from_slice((1000 + random.below(98_999)).to_string().as_bytes()),
                other => out.push(other),
            }
        }
        out.extend_from_slice(rest.as_bytes());
    }
}

fn choose(templates: &'static [Template], random: &mut Random) -> &'static Template {
    let mut place = random.below(templates.iter().map(|t| t.weight).sum());
    for template in templates {
        if place < template.weight {
            return template;
        }
        place -= template.weight;
    }
    &templates[0]
}

/// The identifier of a record. In those of Exchange, SharePoint and alerts the last twelve digits are the upper 48 bits of
/// the event's time in ticks of 100 ns since the year 1, a property seen in published records; others are random.
fn identifier(record_type: u32, high: u64, low: u64, event_ms: i64) -> String {
    let plain = guid_text(high, low);
    match record_type {
        1 | 2 | 3 | 4 | 6 | 14 | 36 | 40 | 52 | 56 => {
            let ticks = (event_ms as i128 * 10_000 + 621_355_968_000_000_000).max(0) as u128;
            format!("{}{:012x}", &plain[..24], (ticks >> 16) & 0xffff_ffff_ffff)
        }
        _ => plain,
    }
}

fn remove(out: &mut Vec<u8>, start: usize, part: &[u8]) {
    if let Some(at) = out[start..].windows(part.len()).position(|window| window == part) {
        out.drain(start + at..start + at + part.len());
    }
}
