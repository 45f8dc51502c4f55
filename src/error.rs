//! Every error a caller can meet, in one table: its code, its class, its sentence and its remedy.
//!
//! Belongs here: the table, and [`Problem`], one error with the field and value it is about.
//! Does not belong here: how an error looks on a wire (the dialects) or faults of the database ([`crate::store`]).

use crate::text;

/// What a refusal means for the one who sent the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// The request as a whole is refused; nothing is stored.
    Request,
    /// One line cannot be read or applied; it is kept and can be mended.
    Fault,
    /// One line was understood and refused because of the balance; it is kept as a record only.
    Decline,
}

impl Class {
    /// The word stored with a kept line.
    pub fn word(self) -> &'static str {
        match self {
            Class::Request => "request",
            Class::Fault => "fault",
            Class::Decline => "decline",
        }
    }
}

macro_rules! codes {
    ($($variant:ident $word:literal $class:ident $message:literal $remedy:literal)*) => {
        /// The code of an error. `docs/api-1.5.md` and the pages beside it, `docs/sync-data.md` or `docs/sales-v4.md` list each with an example.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Code {
            $(#[doc = $message] $variant,)*
        }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The code's name on the wire and in the database.
            pub fn word(self) -> &'static str {
                match self { $(Code::$variant => $word,)* }
            }

            /// The code with this word.
            pub fn from_word(word: &str) -> Option<Code> {
                Code::ALL.iter().copied().find(|code| code.word() == word)
            }

            /// What kind of refusal it is.
            pub fn class(self) -> Class {
                match self { $(Code::$variant => Class::$class,)* }
            }

            /// The sentence, with `{field}`, `{value}` and `{detail}` still to be filled in.
            pub fn message(self) -> &'static str {
                match self { $(Code::$variant => $message,)* }
            }

            /// What to do about it; empty where the sentence says it.
            pub fn remedy(self) -> &'static str {
                match self { $(Code::$variant => $remedy,)* }
            }
        }
    };
}

codes! {
    // The request as a whole.
    MissingField "missing_field" Request
        "Missing required field \"{field}\"" ""
    UnknownType "unknown_type" Request
        "Unknown request type \"{value}\"" ""
    BadCredentials "bad_credentials" Request
        "The user, the account or the key is wrong" "Check user_id, account_id and user_api_key (or the header api_access_key)."
    BadContentType "bad_content_type" Request
        "The body has the content type \"{value}\"" "Send application/x-www-form-urlencoded or multipart/form-data."
    BadMultipart "bad_multipart" Request
        "The multipart body cannot be read: {detail}" "Send it whole, each part closed by the boundary of the Content-Type header."
    BodyTooLarge "body_too_large" Request
        "The body is larger than {detail} bytes" "Send the lines in several requests."
    BodyCutShort "body_cut_short" Request
        "The body ended before it was complete" "Send it again."
    TooManyFields "too_many_fields" Request
        "The request has more than {detail} fields" "Leave out the fields that are not needed."
    Undecodable "undecodable" Request
        "The field \"{field}\" is neither UTF-8 nor Windows-1252: {detail}" "Send UTF-8."
    MisspeltField "misspelt_field" Request
        "The field \"{value}\" is not known, but looks like \"{field}\"" "Correct the name, or leave the field out."
    BadIdempotencyKey "bad_idempotency_key" Request
        "The idempotency_key is not 1 to 255 printable ASCII characters" "Send a key that is new for each new request, such as an order number or a UUID."
    IdempotencyKeyReused "idempotency_key_reused" Request
        "The idempotency_key \"{value}\" belongs to another request" "Repeat a request unchanged, or send a new key with a new request."
    BadFlag "bad_flag" Request
        "The field \"{field}\" has the value \"{value}\"" "Send yes or no."
    BadDetails "bad_details" Request
        "The field \"details\" has the value \"{value}\"" "Send lines, or leave the field out."
    BadOnError "bad_on_error" Request
        "The field \"on_error\" has the value \"{value}\"" "Send import_valid or reject_batch."
    BadOutput "bad_output" Request
        "The field \"output\" has the value \"{value}\"" "Send JSON or XML."
    BadCallback "bad_callback" Request
        "The field \"callback\" has the value \"{value}\"" "Send the name of a JavaScript function: identifiers joined by dots, at most 128 characters."
    BadDelimiter "bad_delimiter" Request
        "The field \"delimiter\" has the value \"{value}\"" "Send pipe, comma or tab."
    UnknownColumn "unknown_column" Request
        "The field \"{field}\" names the unknown column \"{value}\"" "Use campaign_id, code, card_number, redeemed, amount, date, authorization, promo_id, service_product, custom_field_1 to custom_field_99, or none."
    RepeatedColumn "repeated_column" Request
        "The field \"{field}\" names the column \"{value}\" a second time" "Name each column once; use none for a column to skip."
    MissingColumn "missing_column" Request
        "No visits_header field names the required column \"{value}\"" "Name it in one of visits_header_1, visits_header_2 and so on, numbered without a gap."
    GapInColumns "gap_in_columns" Request
        "The field \"{field}\" is given, but \"{value}\" is not" "Number the visits_header fields from 1 without a gap."
    NoLines "no_lines" Request
        "The field \"Visits_Data\" has no line that is not blank" "Send one transaction a line."
    TooManyLines "too_many_lines" Request
        "The field \"Visits_Data\" has more than {detail} lines" "Send them in several requests."
    LineTooLong "line_too_long" Request
        "Line {value} is longer than {detail} bytes" "Check that each line of Visits_Data ends with a line feed."
    TooManyOpenFaults "too_many_open_faults" Request
        "This account has {detail} refused lines that wait to be looked at" "The operator sees them with punchcard rejections list, and closes them with punchcard rejections dismiss."
    NotStored "not_stored" Request
        "This request could not be stored; nothing was posted (reference {detail})" "The reason is in the log, under that reference."
    Unavailable "unavailable" Request
        "The service cannot take the request now ({detail}); nothing was posted" "Send it again later."
    PostedBefore "posted_before" Request
        "This request was posted before as batch {value}; its outcome cannot be read now" "Send it again later."
    OutcomeUnknown "outcome_unknown" Request
        "The database was lost while the request was written: outcome unknown, reference {detail}" "Ask the operator for the commit with that reference before sending it again."

    // What calls other than batches ask for.
    NotPermitted "not_permitted" Request
        "This user may not {detail}" ""
    BadValue "bad_value" Request
        "The field \"{field}\" has the value \"{value}\"; it must be {detail}" ""
    NoSuchCustomer "no_such_customer" Request
        "No customer has the code or card number \"{value}\"" "Send a code or card number that a customer has."
    NoSuchReward "no_such_reward" Request
        "The campaign has no reward \"{value}\"" "campaign_rewards lists them."
    NoDollarRatio "no_dollar_ratio" Request
        "The campaign \"{value}\" redeems no money" "Redeem points or a reward."
    UnknownEntry "unknown_entry" Request
        "This customer has no transaction \"{value}\" in this campaign" "customer_balance lists them."
    AlreadyDeleted "already_deleted" Request
        "The transaction {value} was deleted before" ""
    EntryOfSale "entry_of_sale" Request
        "The transaction {value} belongs to a sale" "Change the sale."
    DeleteBelowZero "delete_below_zero" Request
        "{value} of it is already spent: the balance in the campaign \"{field}\" is {detail}" "Add what is missing first."
    AlreadyRegistered "already_registered" Request
        "The card \"{value}\" is registered already" ""
    UsernameTaken "username_taken" Request
        "The customer_username \"{value}\" is taken" "Choose another."
    ValueTaken "value_taken" Request
        "Another customer has the value \"{value}\" in the field \"{field}\"" ""
    CardHasTransactions "card_has_transactions" Request
        "The code or card number \"{value}\" belongs to a customer with transactions" "It cannot be taken over."
    BadPassword "bad_password" Request
        "The customer or the password is wrong" ""
    TooManyBadKeys "too_many_bad_keys" Request
        "The user, the account or the key is wrong" "Check user_id, account_id and user_api_key (or the header api_access_key)."
    TooManyPasswords "too_many_passwords" Request
        "More than {detail} lines have a password or PIN" "Send them in several requests."
    UndoExpired "undo_expired" Request
        "What the batch {value} changed is not kept any more" ""
    NothingKept "nothing_kept" Request
        "Of the batch {value} nothing was kept to undo it by: it was sent without allow_undo=yes (by the old generation, with no_undo=yes)" ""
    UserTaken "user_taken" Request
        "The user id \"{value}\" is taken" "Choose another."
    UnknownUser "unknown_user" Request
        "The account has no user \"{value}\"" "users_list lists them."
    OwnUser "own_user" Request
        "A user cannot delete itself" ""
    UnknownField "unknown_field" Request
        "The account has no field \"{value}\"" "manage_fields lists them."
    BadToken "bad_token" Request
        "The token is not valid" ""

    // What an operator asks for.
    NotOpen "not_open" Request
        "The rejection {value} is not open but {detail}" "Only open ones can be posted after all."
    UnknownBatch "unknown_batch" Request
        "The account has no batch {value}" "See punchcard batches list."
    EmptyBatch "empty_batch" Request
        "The batch {value} has no entry: there is nothing to undo" ""
    AlreadyUndone "already_undone" Request
        "The batch {value} is undone already" ""
    NotUndoable "not_undoable" Request
        "The batch {value} was not sent as one that can be undone (with allow-undo=yes, or, by the old generation, without no-undo=yes)" "Add --force to undo it all the same."
    AlreadySpent "already_spent" Request
        "{value} of it is already spent: the balance in the campaign \"{field}\" is {detail}" "Leave these customers out, or add what they lack first."

    // What sales v4 and its operator ask for.
    NotASale "not_a_sale" Request
        "The rejection {value} is not a sale that waits to be assigned" "See punchcard sales list."

    // What sync_data and its operator ask for.
    UnknownTransaction "unknown_transaction" Request
        "No purchase has the transaction code \"{value}\"" "Send the purchase together with its contacts first."
    ClaimLost "claim_lost" Request
        "The job {value} was taken by another worker; nothing was stored" ""
    CreditsBelowZero "credits_below_zero" Request
        "The account has {detail} credits, and {value} were to be taken" "Take at most as many as there are."
    UnlimitedCredits "unlimited_credits" Request
        "The account \"{value}\" has credits without limit" "Give it email_credits in the world file first."

    // One line of a batch: faults.
    UnknownCampaign "unknown_campaign" Fault
        "No campaign has the id \"{value}\"" "Send the id of one of the account's campaigns."
    InactiveCampaign "inactive_campaign" Fault
        "The campaign \"{value}\" is not active" "Send the id of an active campaign."
    MayNotPost "may_not_post" Fault
        "This user may not post transactions" "Ask whoever manages the account's users."
    MayNotRedeem "may_not_redeem" Fault
        "This user may not redeem" "Ask whoever manages the account's users."
    MissingItem "missing_item" Fault
        "The service_product is empty" "Send the id, the name or the description of one of the campaign's items."
    UnknownItem "unknown_item" Fault
        "The campaign has no item \"{value}\"" "Send the id, the name or the description of one of the campaign's items."
    UnknownCustomer "unknown_customer" Fault
        "No customer has the code or card number \"{value}\"" "Send an existing code, or create_new_customers=Y."
    MissingCode "missing_code" Fault
        "The code is empty" "Send a customer's code or card number."
    CustomersDiffer "customers_differ" Fault
        "The code and the card number \"{value}\" belong to different customers" "Send one of them, or two of the same customer."
    ReplacedCard "replaced_card" Fault
        "The card \"{value}\" was replaced" "Send the customer's new card number, or the code."
    KeyTaken "key_taken" Fault
        "The code or card number \"{value}\" is already held by another customer" "Send one that is free."
    ControlCharacter "control_character" Fault
        "The {field} \"{value}\" has a control character" "Send it without."
    BadRedeemed "bad_redeemed" Fault
        "The column redeemed has the value \"{value}\"" "Send N to add, Y to redeem."
    MissingAmount "missing_amount" Fault
        "The amount is empty" "Send an amount."
    BadAmount "bad_amount" Fault
        "The amount \"{value}\" is not a number: {detail}" "Send digits with at most one decimal mark, such as 14.95 or 14,95."
    TooManyDecimals "too_many_decimals" Fault
        "The amount \"{value}\" has more than {detail} decimals" "Send it with fewer; amounts are never rounded."
    OutOfRange "out_of_range" Fault
        "The amount \"{value}\" is out of range: {detail}" "Send a smaller amount."
    ZeroRedemption "zero_redemption" Fault
        "A redemption of \"{value}\" takes nothing" "Send an amount above zero."
    UnknownReward "unknown_reward" Fault
        "The campaign has no reward \"{value}\"" "With apply_ratio=yes the amount of a redemption is the id or the reward_id of a reward."
    UnknownPromotion "unknown_promotion" Fault
        "The campaign has no promotion \"{value}\"" "Send ids of the campaign's promotions, separated by commas."
    TooManyPromotions "too_many_promotions" Fault
        "The line names more than {detail} promotions" "Send fewer."
    BadDate "bad_date" Fault
        "The date \"{value}\" cannot be read: {detail}" "Send YYYY-MM-DD."
    DateOutOfRange "date_out_of_range" Fault
        "The date \"{value}\" is not between 1900-01-01 and tomorrow" "Send a date in that range."
    TooLong "too_long" Fault
        "The {field} \"{value}\" is longer than {detail} characters" "Send a shorter one."
    SurplusValue "surplus_value" Fault
        "The line has the value \"{value}\" beyond its last column" "Send one value for each visits_header field."

    AmbiguousContact "ambiguous_contact" Fault
        "Several customers have the {field} \"{value}\"" "Send the user_id of one of them."

    // One sale.
    BadEventTime "bad_event_time" Fault
        "The parsed event_time was invalid" "Send YYYY-MM-DD HH:MM:SS."
    BadSale "bad_sale" Fault
        "The {field} {detail}" "Correct it and send the sale again."
    SaleNotFound "sale_not_found" Fault
        "Userdata not found" "Assign it to a customer with punchcard sales assign, or send it again once the customer is known."
    SaleNotUnique "sale_not_unique" Fault
        "Can't resolve unique registry by attribution" "Send it again with the id of one of the customers, or assign it with punchcard sales assign."
    PointsOwed "points_owed" Fault
        "The entry {value} of a sale that has changed could not be taken back: {detail}" "Take the points back by hand when there are enough, and dismiss this."
    PointsNotGiven "points_not_given" Fault
        "The points of the sale {value} could not be given: {detail}" "Mend the cause, give them by hand, and dismiss this."

    BatchRejected "batch_rejected" Fault
        "The line was not imported, because another line of the batch was refused" "Mend that line, or send on_error=import_valid."

    // One line of a batch: declines.
    RewardExceedsPoints "reward_exceeds_points" Decline
        "The reward level selected exceeds the points available" ""
    AmountExceedsBalance "amount_exceeds_balance" Decline
        "The amount exceeds the balance available" ""
}

/// One error, with what it is about. Texts hold values cut at 64 characters with control characters escaped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Which error.
    pub code: Code,
    /// The field or column it is about.
    pub field: Option<String>,
    /// The value seen, as [`text::shown`] shows it.
    pub value: Option<String>,
    /// What the sentence's `{detail}` stands for: a limit, a reference.
    pub detail: Option<String>,
    /// The sentence as it was said when the error came about, where it is read from a row.
    pub said: Option<Box<str>>,
}

impl Problem {
    /// An error of which nothing more is known yet.
    pub fn new(code: Code) -> Problem {
        Problem {
            code,
            field: None,
            value: None,
            detail: None,
            said: None,
        }
    }

    /// Names the field or column.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Problem {
        self.field = Some(name.into());
        self
    }

    /// Names the value as the caller sent it; only its shown form is kept.
    #[must_use]
    pub fn value(mut self, sent: &str) -> Problem {
        self.value = Some(text::shown(sent));
        self
    }

    /// Fills in the sentence's `{detail}`.
    #[must_use]
    pub fn detail(mut self, detail: impl ToString) -> Problem {
        self.detail = Some(detail.to_string());
        self
    }

    /// What is wrong, without the remedy and without a full stop.
    pub fn message(&self) -> String {
        if let Some(said) = &self.said {
            return said.to_string();
        }
        let mut out = String::new();
        let mut rest = self.code.message();
        // One pass, so that a value that looks like a placeholder stays text.
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            let part = match name {
                "field" => &self.field,
                "value" => &self.value,
                _ => &self.detail,
            };
            out.push_str(part.as_deref().unwrap_or(""));
            rest = after;
        }
        out.push_str(rest);
        out
    }

    /// The whole text for a person: what is wrong, then the remedy.
    pub fn text(&self) -> String {
        let (message, remedy) = (self.message(), self.code.remedy());
        if remedy.is_empty() {
            message
        } else {
            format!("{message}. {remedy}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_have_unique_words_and_no_full_stop_of_their_own() {
        let words: HashSet<_> = Code::ALL.iter().map(|code| code.word()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!(!code.message().ends_with('.'), "{code:?}");
            assert!(
                code.remedy().is_empty() || code.remedy().ends_with('.'),
                "{code:?}"
            );
        }
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_stays_text() {
        let problem = Problem::new(Code::BadFlag)
            .field("apply_ratio")
            .value("{field}");
        assert_eq!(
            problem.text(),
            "The field \"apply_ratio\" has the value \"{field}\". Send yes or no."
        );
    }
}
