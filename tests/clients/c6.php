<?php
// C6, a CakePHP application of clinics: some calls by GET with everything in the query, others by curl with an array and
// all the time in the world; `balance` for `customer_balance`, promotions without `API`.
require 'common.php';

function fields(array $job, array $fields): array
{
    return $fields + ['user_id' => $job['user'], 'user_password' => $job['key'], 'account_id' => $job['account']];
}

function parse(string $body): SimpleXMLElement
{
    $xml = simplexml_load_string(str_replace('&', '&amp;', $body));
    if ($xml === false || (string) $xml['status'] !== 'success') {
        throw new RuntimeException($xml === false ? 'no XML' : (string) $xml->error);
    }
    return $xml;
}

run($job, [
    // file_get_contents takes any status but 2xx for a failure.
    'history' => function ($with) use ($job) {
        $query = http_build_query(fields($job, ['type' => 'balance'] + $with));
        $customer = parse(file_get_contents($job['url'] . '?' . $query))->campaign->customer;
        $rows = [];
        foreach ($customer->transactions->transaction as $t) {
            $day = substr($t->record_timestamp, 0, 10) === (string) $t->date;
            $rows[] = [(string) $t->redeemed === 'Y' ? 'redeemed' : 'added', (string) $t->amount, $day];
        }
        return ["$customer->first_name $customer->last_name ($customer->card_number)", $rows];
    },
    'promotions' => function ($with) use ($job) {
        $xml = parse(curl_array($job['url'], fields($job, ['type' => 'campaign_promos'] + $with), 500));
        $read = [];
        foreach ($xml->promotions->promotion as $p) {
            $read[] = "$p->id: $p->operand$p->value, $p->description";
        }
        return $read;
    },
]);
