//! `generate_card_number`, `validate_customer_password`.
//!
//! Belongs here: these calls' fields. Does not belong here: how secrets are hashed ([`crate::secrets::passwords`]), where
//! they are set ([`super::record_customer`]), what drawn numbers look like ([`super::drawn`]).

use super::drawn::{self, CardForm};
use super::{Request, Row, Running};
use crate::api15::auth;
use crate::api15::render::Sink;
use crate::api15::reply::{Reply, Told};
use crate::error::{Code, Problem};
use crate::loyalty::customers::{Customer, Name};
use crate::posting::lookup::Ask;
use crate::secrets::throttle::Tried;
use crate::{phones, text};

/// The request types of this file.
pub const ROWS: &[Row] = &[
    Row::reading("generate_card_number", generate),
    Row::reading("validate_customer_password", validate),
];

struct CardNumber(String);

impl Told for CardNumber {
    fn write(&self, sink: &mut dyn Sink) {
        sink.object("customer");
        sink.text("card_number", &self.0);
        sink.end();
    }
}

fn generate<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let params = &request.params;
        let form = match CardForm::read(params, "how_many_digits")? {
            Some(form) => form,
            None => CardForm::of(params, drawn::DIGITS)?,
        };
        let account = request.account()?.number;
        for _ in 0..drawn::TRIES {
            let drawn = form.draw()?;
            let ask = Ask {
                account,
                code: drawn.as_str().into(),
                card: "".into(),
                campaign: None,
            };
            match request.service.poster.look(ask).await {
                Err(problem) if problem.code == Code::NoSuchCustomer => {
                    return Ok(Reply::told(CardNumber(drawn)));
                }
                // It is held, or was; another one.
                Ok(_) => {}
                Err(problem) if problem.code == Code::ReplacedCard => {}
                Err(problem) => return Err(problem),
            }
        }
        let why = "nearly all numbers that look like this are held";
        Err(Problem::new(Code::Unavailable).detail(why))
    })
}

/// That it was right, and nothing else.
struct Right;

impl Told for Right {
    fn write(&self, _: &mut dyn Sink) {}
}

fn validate<'a>(request: &'a mut Request<'_>) -> Running<'a> {
    Box::pin(async move {
        let text = |name| request.params.text(name).unwrap_or("");
        let (code, card) = (text("code"), text("card_number"));
        let username = text("customer_username");
        let name = [card, code, username]
            .into_iter()
            .find(|name| !name.is_empty());
        let missing = |name: &str| Problem::new(Code::MissingField).field(name);
        let name = name.ok_or_else(|| missing("card_number"))?;
        // One that is sent and empty is wrong, and not left out.
        let sent = |name| request.params.get(name).map(str::trim);
        let (password, pin) = (sent("customer_password"), sent("customer_pin"));
        if password.is_none() && pin.is_none() {
            return Err(missing("customer_password"));
        }
        let service = request.service;
        let account = request.account()?;
        let customer = find(request, code, card, username).await?;
        let person = match &customer {
            Some(customer) => format!("{}:{}", account.number, customer.person.customer),
            None => format!("{}:{name}", account.account_id),
        };
        let who = auth::who(service, Tried::Customer, &person, request.address);
        let profile = customer.as_ref().and_then(|one| one.profile.as_ref());
        let stored = [
            (password, profile.and_then(|one| one.password.as_deref())),
            (pin, profile.and_then(|one| one.pin.as_deref())),
        ];
        let phone = text("phone");
        let check = async {
            let mut right = customer
                .as_ref()
                .is_some_and(|customer| has_phone(customer, phone, account.country.as_deref()));
            for (sent, stored) in stored {
                if let Some(sent) = sent {
                    // Each is compared, so that none tells whether the other was right.
                    let matches = service.passwords.verify(sent, stored).await?;
                    right = right && matches && !sent.is_empty();
                }
            }
            Ok(right)
        };
        match service.throttle.tried(&who, check).await? {
            true => Ok(Reply::told(Right)),
            false => Err(Problem::new(Code::BadPassword)),
        }
    })
}

/// The customer that all given names mean; `None` where there is none, whatever the reason.
async fn find(
    request: &Request<'_>,
    code: &str,
    card: &str,
    username: &str,
) -> Result<Option<Customer>, Problem> {
    let (poster, account) = (&request.service.poster, request.account()?.number);
    if code.is_empty() && card.is_empty() {
        return poster.by_username(account, username).await;
    }
    let ask = Ask {
        account,
        code: code.into(),
        card: card.into(),
        campaign: None,
    };
    let found = match poster.look(ask).await {
        Ok(found) => found.customer,
        Err(problem) if problem.code == Code::Unavailable => return Err(problem),
        Err(_) => return Ok(None),
    };
    let customer = poster.customer(account, found).await?;
    Ok(customer.filter(|customer| {
        // A card that is nobody's, or was replaced, is not the customer's.
        let person = &customer.person;
        let keys = [person.code.as_deref(), person.card_number.as_deref()];
        if !card.is_empty() && !keys.contains(&Some(card)) {
            return false;
        }
        let own = customer.get(Name::Username).unwrap_or("");
        username.is_empty() || text::fold(own.trim()) == text::fold(username)
    }))
}

/// Whether the number sent may be the customer's; none sent is none asked for.
fn has_phone(customer: &Customer, sent: &str, country: Option<&str>) -> bool {
    if sent.is_empty() {
        return true;
    }
    let own = phones::forms(customer.get(Name::Phone).unwrap_or(""), country);
    let forms = phones::forms(sent, country);
    forms.iter().any(|form| own.contains(form))
}
