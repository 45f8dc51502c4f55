use super::*;

#[tokio::test]
async fn contacts_are_read_in_their_order_also_when_they_are_many() {
    for count in [2, 400] {
        let pad = "x".repeat(1_000);
        let texts: Vec<String> = (0..count)
            .map(|number| format!("{{\"user_id\":\"{number}\",\"pad\":\"{pad}\"}}"))
            .collect();
        let raws: Vec<Box<str>> = texts.iter().map(|text| text.as_str().into()).collect();
        assert_eq!(raws.len() * 1_000 > READ_AT_ONCE_BYTES, count == 400);
        let sent = read(raws, Some("ES".to_owned())).await.unwrap();
        let read: Vec<&str> = sent.iter().map(|sent| &*sent.raw).collect();
        assert_eq!(read, texts);
    }
}

#[test]
fn what_is_no_contact_is_a_fault_of_its_own() {
    for raw in ["5", "null", "[]", "\"text\"", "{}"] {
        assert!(!one(raw.into(), None).faults.is_empty(), "{raw}");
    }
}

#[test]
fn items_get_codes_and_ids_of_their_own() {
    let sent: Vec<Sent> = (0..500)
        .map(|number| one(format!("{{\"user_id\":\"{number}\"}}").into(), None))
        .collect();
    let items = items(sent, vec![Mail::None; 500]).unwrap();
    assert_eq!(items.len(), 500);
    for item in &items {
        assert!(
            item.new_code.len() == 16 && item.new_code.bytes().all(|byte| byte.is_ascii_digit()),
            "{}",
            item.new_code
        );
        assert!(!item.new_code.starts_with('0'));
        assert!(
            item.new_id.len() == 24 && item.new_id.bytes().all(|byte| byte.is_ascii_hexdigit())
        );
    }
    let mut codes: Vec<&str> = items.iter().map(|item| item.new_code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 500);
    assert!(super::items(Vec::new(), Vec::new()).unwrap().is_empty());
}
