//! An HTTP server that does nothing: it reads the body and answers with a constant. `scripts/bench` measures with it
//! how fast HTTP alone is on a machine.
//!
//!     http_limit ADDRESS [WORKERS]

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Bytes, PayloadConfig};
use actix_web::{App, HttpResponse, HttpServer};

const BODY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<response status=\"success\"><batch status=\"all_imported\"><transactions>1</transactions></batch></response>";

async fn answer(body: Bytes) -> HttpResponse {
    std::hint::black_box(body.len());
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/xml; charset=UTF-8"))
        .body(BODY)
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let mut words = std::env::args().skip(1);
    let address = words.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let workers = words.next().and_then(|word| word.parse().ok()).unwrap_or(2);
    let server = HttpServer::new(|| {
        App::new()
            .app_data(PayloadConfig::new(64 << 20))
            .default_service(web::to(answer))
    });
    let server = server.workers(workers).bind(address)?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    server.run().await
}
