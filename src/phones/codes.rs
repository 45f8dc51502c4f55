//! The calling code and the trunk prefix of each country.
//!
//! Belongs here: what has to be known of a country to write its numbers internationally. Does not belong here: which
//! numbers a country has.
//!
//! A trunk prefix is what is dialled before a number inside its country and left out behind the calling code. Countries
//! without one keep all digits: in Italy and in Ivory Coast a leading zero belongs to the number.

use std::collections::HashMap;
use std::sync::LazyLock;

/// How the numbers behind a calling code are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The calling code.
    pub code: &'static str,
    /// The trunk prefix; empty if there is none.
    pub trunk: &'static str,
    /// How many digits a national number has with its trunk prefix, where the same digits may begin a number as well; 0
    /// where they cannot.
    pub whole: usize,
    /// The countries that share it, in two letters each.
    pub countries: &'static str,
}

impl Plan {
    /// A national number without its trunk prefix.
    pub fn without_trunk<'n>(&self, number: &'n str) -> &'n str {
        match number.strip_prefix(self.trunk) {
            Some(rest) if !rest.is_empty() && (self.whole == 0 || self.whole == number.len()) => {
                rest
            }
            _ => number,
        }
    }
}

const fn exact(
    code: &'static str,
    trunk: &'static str,
    whole: usize,
    countries: &'static str,
) -> Plan {
    Plan {
        code,
        trunk,
        whole,
        countries,
    }
}

const fn trunk(code: &'static str, trunk: &'static str, countries: &'static str) -> Plan {
    exact(code, trunk, 0, countries)
}

const fn plain(code: &'static str, countries: &'static str) -> Plan {
    exact(code, "", 0, countries)
}

/// All plans, sorted by their calling codes as texts.
const PLANS: [Plan; 206] = [
    exact(
        "1",
        "1",
        11,
        "AG AI AS BB BM BS CA DM DO GD GU JM KN KY LC MP MS PR SX TC TT UM US VC VG VI",
    ),
    trunk("20", "0", "EG"),
    trunk("211", "0", "SS"),
    trunk("212", "0", "MA EH"),
    trunk("213", "0", "DZ"),
    plain("216", "TN"),
    trunk("218", "0", "LY"),
    plain("220", "GM"),
    plain("221", "SN"),
    plain("222", "MR"),
    plain("223", "ML"),
    plain("224", "GN"),
    plain("225", "CI"),
    plain("226", "BF"),
    plain("227", "NE"),
    plain("228", "TG"),
    plain("229", "BJ"),
    plain("230", "MU"),
    trunk("231", "0", "LR"),
    trunk("232", "0", "SL"),
    trunk("233", "0", "GH"),
    trunk("234", "0", "NG"),
    plain("235", "TD"),
    plain("236", "CF"),
    plain("237", "CM"),
    plain("238", "CV"),
    plain("239", "ST"),
    plain("240", "GQ"),
    exact("241", "0", 9, "GA"),
    plain("242", "CG"),
    trunk("243", "0", "CD"),
    plain("244", "AO"),
    plain("245", "GW"),
    plain("246", "IO"),
    plain("247", "AC"),
    plain("248", "SC"),
    trunk("249", "0", "SD"),
    trunk("250", "0", "RW"),
    trunk("251", "0", "ET"),
    trunk("252", "0", "SO"),
    plain("253", "DJ"),
    trunk("254", "0", "KE"),
    trunk("255", "0", "TZ"),
    trunk("256", "0", "UG"),
    plain("257", "BI"),
    plain("258", "MZ"),
    trunk("260", "0", "ZM"),
    trunk("261", "0", "MG"),
    trunk("262", "0", "RE YT"),
    trunk("263", "0", "ZW"),
    trunk("264", "0", "NA"),
    trunk("265", "0", "MW"),
    plain("266", "LS"),
    plain("267", "BW"),
    plain("268", "SZ"),
    plain("269", "KM"),
    trunk("27", "0", "ZA"),
    plain("290", "SH TA"),
    trunk("291", "0", "ER"),
    plain("297", "AW"),
    plain("298", "FO"),
    plain("299", "GL"),
    plain("30", "GR"),
    trunk("31", "0", "NL"),
    trunk("32", "0", "BE"),
    trunk("33", "0", "FR"),
    plain("34", "ES"),
    plain("350", "GI"),
    plain("351", "PT"),
    plain("352", "LU"),
    trunk("353", "0", "IE"),
    plain("354", "IS"),
    trunk("355", "0", "AL"),
    plain("356", "MT"),
    plain("357", "CY"),
    trunk("358", "0", "FI AX"),
    trunk("359", "0", "BG"),
    trunk("36", "06", "HU"),
    trunk("370", "0", "LT"),
    plain("371", "LV"),
    plain("372", "EE"),
    trunk("373", "0", "MD"),
    trunk("374", "0", "AM"),
    trunk("375", "80", "BY"),
    plain("376", "AD"),
    trunk("377", "0", "MC"),
    plain("378", "SM"),
    trunk("380", "0", "UA"),
    trunk("381", "0", "RS"),
    trunk("382", "0", "ME"),
    trunk("383", "0", "XK"),
    trunk("385", "0", "HR"),
    trunk("386", "0", "SI"),
    trunk("387", "0", "BA"),
    trunk("389", "0", "MK"),
    plain("39", "IT VA"),
    trunk("40", "0", "RO"),
    trunk("41", "0", "CH"),
    plain("420", "CZ"),
    trunk("421", "0", "SK"),
    trunk("423", "0", "LI"),
    trunk("43", "0", "AT"),
    trunk("44", "0", "GB GG IM JE"),
    plain("45", "DK"),
    trunk("46", "0", "SE"),
    plain("47", "NO SJ BV"),
    plain("48", "PL"),
    trunk("49", "0", "DE"),
    plain("500", "FK GS"),
    plain("501", "BZ"),
    plain("502", "GT"),
    plain("503", "SV"),
    plain("504", "HN"),
    plain("505", "NI"),
    plain("506", "CR"),
    plain("507", "PA"),
    trunk("508", "0", "PM"),
    plain("509", "HT"),
    trunk("51", "0", "PE"),
    exact("52", "01", 12, "MX"),
    trunk("53", "0", "CU"),
    trunk("54", "0", "AR"),
    trunk("55", "0", "BR"),
    plain("56", "CL"),
    plain("57", "CO"),
    trunk("58", "0", "VE"),
    trunk("590", "0", "GP BL MF"),
    trunk("591", "0", "BO"),
    plain("592", "GY"),
    trunk("593", "0", "EC"),
    trunk("594", "0", "GF"),
    trunk("595", "0", "PY"),
    trunk("596", "0", "MQ"),
    plain("597", "SR"),
    trunk("598", "0", "UY"),
    plain("599", "CW BQ"),
    trunk("60", "0", "MY"),
    trunk("61", "0", "AU CC CX"),
    trunk("62", "0", "ID"),
    trunk("63", "0", "PH"),
    trunk("64", "0", "NZ PN"),
    plain("65", "SG"),
    trunk("66", "0", "TH"),
    plain("670", "TL"),
    plain("672", "NF AQ HM"),
    plain("673", "BN"),
    plain("674", "NR"),
    plain("675", "PG"),
    plain("676", "TO"),
    plain("677", "SB"),
    plain("678", "VU"),
    plain("679", "FJ"),
    plain("680", "PW"),
    plain("681", "WF"),
    plain("682", "CK"),
    plain("683", "NU"),
    plain("685", "WS"),
    trunk("686", "0", "KI"),
    plain("687", "NC"),
    plain("688", "TV"),
    plain("689", "PF"),
    plain("690", "TK"),
    plain("691", "FM"),
    plain("692", "MH"),
    exact("7", "8", 11, "RU KZ"),
    trunk("81", "0", "JP"),
    trunk("82", "0", "KR"),
    trunk("84", "0", "VN"),
    trunk("850", "0", "KP"),
    plain("852", "HK"),
    plain("853", "MO"),
    trunk("855", "0", "KH"),
    trunk("856", "0", "LA"),
    trunk("86", "0", "CN"),
    trunk("880", "0", "BD"),
    trunk("886", "0", "TW"),
    trunk("90", "0", "TR"),
    trunk("91", "0", "IN"),
    trunk("92", "0", "PK"),
    trunk("93", "0", "AF"),
    trunk("94", "0", "LK"),
    trunk("95", "0", "MM"),
    plain("960", "MV"),
    trunk("961", "0", "LB"),
    trunk("962", "0", "JO"),
    trunk("963", "0", "SY"),
    trunk("964", "0", "IQ"),
    plain("965", "KW"),
    trunk("966", "0", "SA"),
    trunk("967", "0", "YE"),
    plain("968", "OM"),
    trunk("970", "0", "PS"),
    trunk("971", "0", "AE"),
    trunk("972", "0", "IL"),
    plain("973", "BH"),
    plain("974", "QA"),
    plain("975", "BT"),
    trunk("976", "0", "MN"),
    trunk("977", "0", "NP"),
    trunk("98", "0", "IR"),
    plain("992", "TJ"),
    exact("993", "8", 9, "TM"),
    trunk("994", "0", "AZ"),
    trunk("995", "0", "GE"),
    trunk("996", "0", "KG"),
    plain("998", "UZ"),
];

static BY_COUNTRY: LazyLock<HashMap<&'static str, &'static Plan>> = LazyLock::new(|| {
    let all = PLANS.iter();
    all.flat_map(|plan| {
        plan.countries
            .split(' ')
            .map(move |country| (country, plan))
    })
    .collect()
});

/// The plan of a country, by its ISO 3166 code of two letters in any case.
pub fn of_country(country: &str) -> Option<&'static Plan> {
    if country.len() != 2 {
        return None;
    }
    BY_COUNTRY.get(country).copied().or_else(|| {
        BY_COUNTRY
            .get(country.to_ascii_uppercase().as_str())
            .copied()
    })
}

/// The plan of a calling code.
pub fn of_code(code: &str) -> Option<&'static Plan> {
    let at = PLANS.binary_search_by(|plan| plan.code.cmp(code)).ok()?;
    PLANS.get(at)
}

/// The plan of digits that begin with a calling code. No calling code is the beginning of another.
pub fn of_number(digits: &str) -> Option<&'static Plan> {
    (1..=3).find_map(|length| of_code(digits.get(..length)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_sorted_and_none_begins_another() {
        for pair in PLANS.windows(2) {
            assert!(pair[0].code < pair[1].code, "{}", pair[1].code);
            assert!(!pair[1].code.starts_with(pair[0].code), "{}", pair[1].code);
        }
        for plan in PLANS {
            assert!((1..=3).contains(&plan.code.len()));
            assert!(plan.code.bytes().all(|byte| byte.is_ascii_digit()));
            assert!(plan.trunk.bytes().all(|byte| byte.is_ascii_digit()));
        }
    }

    #[test]
    fn countries_are_there_once() {
        let mut seen = HashSet::new();
        for plan in PLANS {
            for country in plan.countries.split(' ') {
                assert!(country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()));
                assert!(seen.insert(country), "{country}");
                assert_eq!(of_country(country).map(|found| found.code), Some(plan.code));
                assert_eq!(of_country(&country.to_lowercase()), of_country(country));
            }
        }
        assert!(seen.len() > 230);
        assert_eq!(of_country("XX"), None);
        assert_eq!(of_country("Spain"), None);
        assert_eq!(of_country(""), None);
    }

    #[test]
    fn codes_are_found_in_numbers() {
        for (digits, code) in [
            ("34600123456", Some("34")),
            ("15550109999", Some("1")),
            ("3780549882000", Some("378")),
            ("79161234567", Some("7")),
            ("210", None),
            ("3", None),
            ("", None),
        ] {
            assert_eq!(of_number(digits).map(|plan| plan.code), code, "{digits}");
        }
    }

    #[test]
    fn trunk_prefixes_are_left_out_only_where_they_are_some() {
        for (country, number, expected) in [
            ("GB", "07700900123", "7700900123"),
            ("GB", "0", "0"),
            ("ES", "0600", "0600"),
            ("RU", "89161234567", "9161234567"),
            ("RU", "8001002030", "8001002030"),
            ("HU", "06301234567", "301234567"),
            ("BY", "80291234567", "291234567"),
            ("MX", "015512345678", "5512345678"),
            ("GA", "011123456", "11123456"),
        ] {
            let plan = of_country(country).unwrap();
            assert_eq!(plan.without_trunk(number), expected, "{country} {number}");
        }
    }
}
