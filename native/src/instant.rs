//! A timestamp as the ten bytes that Python's `datetime` is made of.

const MICROS_A_SECOND: i64 = 1_000_000;
const SECONDS_A_DAY: i64 = 86_400;
/// 0001-01-01 and what follows 9999-12-31, in microseconds since 1970.
const FIRST: i64 = -62_135_596_800 * MICROS_A_SECOND;
const BEYOND: i64 = 253_402_300_800 * MICROS_A_SECOND;
/// What Python has a `datetime` for.
pub const YEARS: std::ops::Range<i64> = FIRST..BEYOND;
/// The days from 0000-03-01 to 1970-01-01, and of four hundred years: years that begin in March end with the leap day.
const DAYS_TO_1970: i64 = 719_468;
const DAYS_AN_ERA: i64 = 146_097;

/// The state that `datetime` pickles and is made from: year, month, day, hour, minute, second in a byte each (the year in
/// two), microseconds in three, highest first. None before the year 1 and beyond 9999.
pub fn state(micros: i64) -> Option<[u8; 10]> {
    if !YEARS.contains(&micros) {
        return None;
    }
    let seconds = micros.div_euclid(MICROS_A_SECOND);
    let second = seconds.rem_euclid(SECONDS_A_DAY);
    let (year, month, day) = date(seconds.div_euclid(SECONDS_A_DAY));
    let [.., year_high, year_low] = year.to_be_bytes();
    let [.., high, middle, low] = micros.rem_euclid(MICROS_A_SECOND).to_be_bytes();
    let [month, day, hour, minute, second] =
        [month, day, second / 3600, second / 60 % 60, second % 60].map(|part| part.to_le_bytes()[0]);
    Some([year_high, year_low, month, day, hour, minute, second, high, middle, low])
}

/// Year, month and day of a day since 1970.
#[expect(clippy::arithmetic_side_effects, reason = "called for days of the years 1 to 9999")]
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_1970;
    let era = days.div_euclid(DAYS_AN_ERA);
    let of_era = days.rem_euclid(DAYS_AN_ERA);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (era * 400 + year_of_era + i64::from(month < 3), month, day)
}

#[cfg(test)]
mod tests {
    use super::{date, state, BEYOND, FIRST};

    #[test]
    fn every_day_of_the_years_1_to_9999_follows_the_one_before() {
        let mut expected = (1, 1, 1);
        for days in -719_162..=2_932_896 {
            assert_eq!(date(days), expected);
            let (year, month, day) = expected;
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, day) if day == last => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
        assert_eq!(expected, (10_000, 1, 1));
    }

    #[test]
    fn what_python_has_no_datetime_for_is_none() {
        assert_eq!(state(FIRST), Some([0, 1, 1, 1, 0, 0, 0, 0, 0, 0]));
        assert_eq!(state(-1), Some([7, 177, 12, 31, 23, 59, 59, 15, 66, 63]));
        assert_eq!(state(BEYOND - 1), Some([39, 15, 12, 31, 23, 59, 59, 15, 66, 63]));
        assert_eq!(
            [state(FIRST - 1), state(BEYOND), state(i64::MIN), state(i64::MAX)],
            [None; 4]
        );
    }
}
