//! The five fields of crontab(5), read to the last number.
//!
//! *Invariant:* what it accepts, cron accepts; it never says when.

/// One field: what it is called, its numbers, its names.
struct Field {
    name: &'static str,
    least: u8,
    most: u8,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, names: &[] },
    Field { name: "hour", least: 0, most: 23, names: &[] },
    Field { name: "day of the month", least: 1, most: 31, names: &[] },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    // 0 and 7 are Sunday.
    Field { name: "day of the week", least: 0, most: 7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

/// What is wrong with five fields of crontab(5); `None` where nothing is.
pub(super) fn fault(text: &str) -> Option<String> {
    let fields: Vec<&str> = text.split(' ').filter(|field| !field.is_empty()).collect();
    if fields.len() != FIELDS.len() {
        return Some(format!("{} fields where cron has five: minute hour day month weekday", fields.len()));
    }
    let wrong = fields.iter().zip(&FIELDS).find(|(typed, field)| !typed.split(',').all(|part| field.takes(part)));
    wrong.map(|(_, field)| format!("the {} is none", field.name))
}

impl Field {
    /// `*`, `7`, `mon`, `1-5`, and a step behind a star or a range.
    fn takes(&self, part: &str) -> bool {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let stepped = step.is_none_or(|step| digits(step).is_some_and(|step| step >= 1 && step <= self.most));
        let ranged = match range.split_once('-') {
            Some((from, to)) => match (self.number(from), self.number(to)) {
                (Some(from), Some(to)) => from <= to,
                (None, _) | (_, None) => false,
            },
            // A step behind one number is an extension that not every cron has.
            None => range == "*" || step.is_none() && self.number(range).is_some(),
        };
        stepped && ranged
    }

    fn number(&self, text: &str) -> Option<u8> {
        let named = || self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let number = digits(text).or_else(|| Some(u8::try_from(named()?).ok()? + self.least))?;
        (self.least..=self.most).contains(&number).then_some(number)
    }
}

fn digits(text: &str) -> Option<u8> {
    let plain = matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_fields_of_crontab() {
        for right in ["* * * * *", "0 2 * * 1-5", "*/15 0-6/2 1,15 jan-mar mon,Wed,7", "59 23 31 12 0", "05 2  * * sun"]
        {
            assert_eq!(fault(right), None, "{right}");
        }
    }

    #[test]
    fn what_cron_would_not_take() {
        for (wrong, said) in [
            ("", "0 fields"),
            ("0 2 * *", "4 fields"),
            ("@daily", "1 fields"),
            ("60 2 * * *", "minute"),
            ("0 24 * * *", "hour"),
            ("0 2 0 * *", "day of the month"),
            ("0 2 * 13 *", "month"),
            ("0 2 * * 8", "week"),
            ("0 2 * * 5-1", "week"),
            ("0 2 * * mon-", "week"),
            ("*/0 * * * *", "minute"),
            ("5/10 * * * *", "minute"),
            ("1, * * * *", "minute"),
            ("001 * * * *", "minute"),
            ("-1 * * * *", "minute"),
            ("0 2 * * $(id)", "week"),
            ("0\t2 * * *", "4 fields"),
        ] {
            assert!(fault(wrong).is_some_and(|fault| fault.contains(said)), "{wrong}: {:?}", fault(wrong));
        }
    }
}
