//! What stories cannot say: requests that are broken below the level of fields. Each gets an answer in the caller's
//! format, and none of them harms the next request.

use crate::support::app::{App, COLUMNS, Shop, WORLD, fields};
use crate::support::client::{Encoding, Reply, exchange, request, try_exchange};
use crate::support::engine::Engine;
use crate::support::on_both_engines;

/// A raw POST of a body.
fn raw(content_type: &str, query: &str, body: &[u8]) -> Vec<u8> {
    let mut out = format!(
        "POST /api.php?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    out.extend_from_slice(body);
    out
}

fn still_works(shop: &Shop<'_>) {
    assert!(shop.lines("P|12121|N|1||").body.contains("all_imported"));
}

fn error(reply: &Reply) -> String {
    let json: serde_json::Value = serde_json::from_str(&reply.body).expect(&reply.body);
    assert_eq!(json["status"], "error");
    assert_eq!(json["errors"][0], json["error"]);
    json["error"].as_str().unwrap().to_owned()
}

on_both_engines! {
    fn a_truncated_multipart_body_is_an_error_in_the_format_that_was_asked_for(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let mut all = fields(&[("output", "JSON")]);
        all.extend(shop.common());
        all.extend(fields(&COLUMNS));
        all.push(("Visits_Data".to_owned(), "P|12121|N|1||".to_owned()));
        let whole = request("/", Encoding::Multipart, &[], &all);
        let text = String::from_utf8(whole).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let boundary = head.split_once("boundary=").unwrap().1.lines().next().unwrap();
        for cut in [body.len() - 4, body.len() - 30, body.len() / 2] {
            let reply = exchange(shop.app.address, &raw(&format!("multipart/form-data; boundary={boundary}"), "", &body.as_bytes()[..cut]));
            assert_eq!(reply.status, 200);
            assert!(error(&reply).starts_with("The multipart body cannot be read"), "{}", reply.body);
        }
        let reply = exchange(shop.app.address, &raw("multipart/form-data", "output=JSON", body.as_bytes()));
        assert!(error(&reply).starts_with("The multipart body cannot be read"), "{}", reply.body);
        assert_eq!(shop.counts(), (0, 0, 0));
        still_works(&shop);
    }

    fn undecodable_bytes_name_the_field(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let body = serde_urlencoded::to_string(shop.common()).unwrap() + "&delimiter=pipe&Visits_Data=P|caf%81|N|1";
        let reply = exchange(shop.app.address, &raw("application/x-www-form-urlencoded", "output=json", body.as_bytes()));
        assert_eq!(reply.status, 200);
        let text = error(&reply);
        assert!(text.to_lowercase().contains("the field \"visits_data\" is neither utf-8 nor windows-1252"), "{text}");
        assert!(text.contains("0x81"), "{text}");
        still_works(&shop);
    }

    fn windows_1252_is_read_as_such(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let columns: String = COLUMNS.iter().map(|(name, value)| format!("&{name}={value}")).collect();
        let body = format!("{}{columns}&Visits_Data=P|12121|N|1||caf%e9", serde_urlencoded::to_string(shop.common()).unwrap());
        let reply = exchange(shop.app.address, &raw("application/x-www-form-urlencoded", "", body.as_bytes()));
        assert!(reply.body.contains("all_imported"), "{}", reply.body);
        assert!(shop.entries().contains("authorization café"), "{}", shop.entries());
    }

    fn other_content_types_are_named(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let reply = exchange(shop.app.address, &raw("application/json", "output=JSON", b"{\"user_id\":1}"));
        assert_eq!(reply.status, 200);
        assert!(error(&reply).contains("\"application/json\""), "{}", reply.body);
    }

    fn an_accounts_secret_does_not_open_another_account(engine: Engine) {
        let app = App::shared(engine);
        let (mine, other) = (app.shop(WORLD), app.shop(WORLD));
        let with = |user: &str, account: &str| {
            let mut all = fields(&[("API", "1.5"), ("user_id", user), ("user_api_key", &mine.key), ("account_id", account), ("type", "batch_transactions")]);
            all.extend(fields(&COLUMNS));
            all.push(("Visits_Data".to_owned(), "P|12121|N|1||".to_owned()));
            mine.send(Encoding::Urlencoded, &[], &all)
        };
        let refused = with(&mine.user, &other.account);
        assert_eq!(refused.body, with(&other.user, &other.account).body);
        assert_eq!(refused.body, with(&mine.user, "nobody's").body);
        assert_eq!(refused.body, with("nobody", &mine.account).body);
        assert!(refused.body.contains("The user, the account or the key is wrong"), "{}", refused.body);
        assert!(with(&mine.user, &mine.account).body.contains("all_imported"));
        assert_eq!(other.counts(), (0, 0, 0));
    }

    fn another_accounts_campaigns_and_customers_look_like_unknown_ones(engine: Engine) {
        let app = App::shared(engine);
        let mine = app.shop(WORLD);
        let other = app.shop(&WORLD.replace("\"P\"", "\"THEIRS\"").replace("12122", "99122"));
        other.lines("THEIRS|99122|N|5||");
        let text = |line: &str, value: &str| mine.lines(line).body.replace(value, "VALUE");
        assert_eq!(text("THEIRS|12121|N|5||", "THEIRS"), text("NOBODYS|12121|N|5||", "NOBODYS"));
        assert_eq!(text("P|99122|N|5||", "99122"), text("P|99999|N|5||", "99999"));
    }

    fn nonsense_never_takes_the_server_down(engine: Engine) {
        let shop = App::shared(engine).shop(WORLD);
        let requests: [&[u8]; 8] = [
            b"\r\n\r\n",
            b"GET\r\n\r\n",
            b"POST /api.php HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
            b"POST /api.php HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=\r\nContent-Length: 2\r\n\r\n--",
            b"GET /?%00%ff=%&&&=&type HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            b"PUT /api.php HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ];
        for bytes in requests {
            if bytes.starts_with(b"\x16") || bytes.ends_with(b"zz\r\n") || bytes.len() < 10 {
                // No answer is owed to what is not HTTP; hang up.
                let mut stream = std::net::TcpStream::connect(shop.app.address).unwrap();
                std::io::Write::write_all(&mut stream, bytes).unwrap();
                drop(stream);
            } else {
                let reply = try_exchange(shop.app.address, bytes).expect("an answer");
                assert!([200, 400, 404, 405].contains(&reply.status), "{reply:?}");
            }
        }
        still_works(&shop);
    }

    fn a_body_over_the_limit_is_413_in_the_callers_format(engine: Engine) {
        let app = App::start(engine, &[("max_body_bytes", "20000")]);
        let shop = app.shop(WORLD);
        let send = |encoding, size: usize, output: &str| {
            let mut all = fields(&[("output", output)]);
            all.extend(shop.common());
            all.extend(fields(&COLUMNS));
            all.push(("Visits_Data".to_owned(), "P|12121|N|1||\n".repeat(size / 14)));
            exchange(app.address, &request("/", encoding, &[], &all))
        };
        for encoding in [Encoding::Urlencoded, Encoding::Multipart] {
            for size in [25_000, 60_000, 2_000_000] {
                let reply = send(encoding, size, "JSON");
                assert_eq!(reply.status, 413);
                assert_eq!(error(&reply), "The body is larger than 20000 bytes. Send the lines in several requests.");
            }
            let reply = send(encoding, 30_000, "XML");
            assert_eq!(reply.status, 413);
            assert!(reply.body.starts_with("<?xml"), "{}", reply.body);
        }
        still_works(&shop);
        drop(app.stop());
    }

    fn a_body_that_says_itself_that_it_is_too_large_is_answered_without_waiting_for_it(engine: Engine) {
        let app = App::shared(engine);
        let began = std::time::Instant::now();
        let reply = exchange(
            app.address,
            b"POST /?output=JSON HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\nuse",
        );
        assert_eq!(reply.status, 413);
        assert!(error(&reply).starts_with("The body is larger than"), "{}", reply.body);
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}", began.elapsed());
    }

    fn large_bodies_that_stall_do_not_keep_small_ones_out(engine: Engine) {
        let app = App::start(engine, &[("max_body_bytes", "100000"), ("queue_bytes", "200000")]);
        let shop = app.shop(WORLD);
        let stalled: Vec<_> = (0..4)
            .map(|_| {
                let mut stream = std::net::TcpStream::connect(app.address).unwrap();
                let mut bytes = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n".to_vec();
                bytes.resize(bytes.len() + 99_999, b'x');
                std::io::Write::write_all(&mut stream, &bytes).unwrap();
                stream
            })
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(300));
        still_works(&shop);
        drop(stalled);
        drop(app.stop());
    }

    fn limits_of_lines_refuse_the_whole_request(engine: Engine) {
        let app = App::start(engine, &[("max_lines", "3"), ("max_line_bytes", "256"), ("max_fields", "40"), ("max_open_faults", "2")]);
        let shop = app.shop(WORLD);
        assert!(shop.lines("P|12121|N|1||\n".repeat(4).as_str()).body.contains("has more than 3 lines"));
        let long = format!("P|12121|N|1||\n\nP|12121|N|1||{}", "x".repeat(300));
        assert!(shop.lines(&long).body.contains("Line 3 is longer than 256 bytes"));
        let many: Vec<(String, String)> = (0..50).map(|n| (format!("junk{n}"), String::new())).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert!(shop.post(&many).body.contains("more than 40 fields"));
        assert_eq!(shop.counts(), (0, 0, 0));
        assert!(shop.lines("X|12121|N|1||\nX|12121|N|1||\nP|12121|N|1||").body.contains("partially_imported"));
        assert!(shop.lines("P|12121|N|1||").body.contains("2 refused lines that wait"));
        assert_eq!(shop.counts(), (1, 1, 2));
        drop(app.stop());
    }
}
