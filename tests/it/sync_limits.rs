//! `sync_data` where a request is refused for what is around it: no room, a secret that everybody knows.

use crate::support::app::App;
use crate::support::client;
use crate::support::engine::Engine;
use crate::support::on_both_engines;
use crate::sync_stories::Hotel;
use punchcard::secrets::PUBLISHED_SAMPLES;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

const ROOM: usize = 256 * 1024;
const BODY: usize = 240 * 1024;

on_both_engines! {
    fn a_body_without_room_is_503_and_may_come_again(engine: Engine) {
        let room = ROOM.to_string();
        let app = App::start(engine, &[("max_body_bytes", &room), ("queue_bytes", &room)]);
        let hotel = Hotel::on(&app);
        let body = "{\"origin\":\"PMS\",\"contacts\":[{\"user_id\":\"a\"}]}";
        let body = format!("{body}{}", " ".repeat(BODY - body.len()));
        // One body has come, but for its last byte.
        let mut waiting = TcpStream::connect(app.address).unwrap();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: {}\r\nContent-Type: application/json\r\nContent-Length: {BODY}\r\n\r\n",
            hotel.path(),
            hotel.token()
        );
        waiting.write_all(head.as_bytes()).unwrap();
        waiting.write_all(&body.as_bytes()[..BODY - 1]).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let refused = hotel.post(&body);
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{}", refused.body);
        assert_eq!(refused.header("content-type"), Some("application/json; charset=utf-8"));
        assert!(refused.body.contains("too many large requests are arriving"), "{}", refused.body);
        // A small one needs no room.
        assert_eq!(hotel.post("{\"origin\":\"PMS\",\"contacts\":[{\"user_id\":\"b\"}]}").status, 201);
        // The first one is none the worse, and then there is room again.
        let reply = client::exchange_on(waiting, &body.as_bytes()[BODY - 1..]).unwrap();
        assert_eq!(reply.status, 201, "{}", reply.body);
        assert_eq!(hotel.post(&body).status, 201);
        drop(app.stop());
    }

    fn a_request_that_fills_a_text_of_statements_is_stored(engine: Engine) {
        // On MySQL its parts alone are more than one text takes, so that the next statement begins with a flush.
        let hotel = Hotel::on(App::shared(engine));
        let note = "n".repeat(700);
        let contacts: Vec<String> = (0..1000).map(|n| format!("{{\"user_id\":\"u{n}\",\"note\":\"{note}\"}}")).collect();
        let view = hotel.sync(&format!("{{\"origin\":\"PMS\",\"contacts\":[{}]}}", contacts.join(",")));
        assert_eq!(view["contacts_valid_count"], 1000, "{}", view["results"][0]);
    }

    fn a_published_sample_leads_in_on_loopback_only(engine: Engine) {
        for (listen, status) in [("127.0.0.1:0", 201), ("0.0.0.0:0", 401)] {
            let app = App::start(engine, &[("listen", listen)]);
            for sample in PUBLISHED_SAMPLES {
                let mut hotel = Hotel::on(&app);
                hotel.shop.apply(&format!(
                    "[[account]]\nid = \"{{account}}\"\nname = \"Hotel\"\ncurrency = \"USD\"\ntimezone = \"UTC\"\nsecret = \"{sample}\"\n"
                ));
                let body = "{\"origin\":\"PMS\",\"contacts\":[{\"user_id\":\"a\"}]}";
                // Its old secret is known for a moment more.
                while hotel.post(body).status != 401 {
                    std::thread::sleep(Duration::from_millis(20));
                }
                hotel.secret = (*sample).to_owned();
                let reply = hotel.post(body);
                assert_eq!(reply.status, status, "{sample}: {}", reply.body);
            }
            drop(app.stop());
        }
    }
}
