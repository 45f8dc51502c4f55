<?php
// C5, the vendor's own kind of kiosk: ten seconds, `&` of every body escaped once more before it is parsed, an empty body
// taken for none, and the names of types of older times. A person logs in with a password and goes on with the key.
require 'common.php';

function submit(array $job, array $fields): SimpleXMLElement
{
    $fields += ['user_id' => $job['user'], 'user_password' => $job['key'], 'account_id' => $job['account']];
    $result = curl_array($job['url'], $fields, 10);
    if (empty($result)) {
        throw new RuntimeException('nothing came');
    }
    $xml = simplexml_load_string(str_replace('&', '&amp;', $result));
    if ($xml === false) {
        throw new RuntimeException('no XML');
    }
    return $xml;
}

function ask(array $job, array $fields): SimpleXMLElement
{
    $xml = submit($job, $fields);
    if ((string) $xml['status'] !== 'success') {
        throw new RuntimeException((string) $xml->error);
    }
    return $xml;
}

// A person of the store, and then the same with its key.
function login(array $job, array $with): array
{
    $fields = ['type' => 'user_login', 'user_id' => $with['user'], 'user_password' => $with['password']];
    $xml = simplexml_load_string(curl_array($job['url'], $fields, 10));
    return [(string) $xml->account->user_id, (string) $xml->account->user_api_key, (string) $xml->account->account_id];
}

run($job, [
    'login' => function ($with) use ($job) {
        [$user, $key, $account] = login($job, $with);
        $mine = ['user' => $user, 'key' => $key, 'account' => $account] + $job;
        $xml = ask($mine, ['type' => 'account_info']);
        return [$user === $with['user'], strlen($key), (string) $xml->account->biz_name];
    },
    'register' => function ($with) use ($job) {
        $xml = submit($job, ['type' => 'record_customer', 'customer_action' => 'register'] + $with);
        return (string) $xml['status'] === 'success' ? (string) $xml->customer->card_number : (string) $xml->error;
    },
    'create' => function ($with) use ($job) {
        $xml = submit($job, ['type' => 'record_customer', 'customer_action' => 'new', 'custom_date' => '0000-00-00'] + $with);
        return (string) $xml['status'] === 'success' ? (string) $xml->customer->code : 'Duplicate card';
    },
    // Sorted by itself: it knows no order of the service.
    'history' => function ($with) use ($job) {
        $xml = ask($job, ['type' => 'balance'] + $with);
        $rows = [];
        foreach ($xml->campaign->customer->transactions->transaction as $t) {
            $rows[$t->date . '-' . str_pad($t->id, 9, '0', STR_PAD_LEFT)] = (string) $t->amount;
        }
        krsort($rows);
        return [(string) $xml->campaign->customer->balance, array_values($rows)];
    },
    'find' => function ($with) use ($job) {
        $xml = submit($job, ['type' => 'find_customer'] + $with);
        $read = [];
        foreach ($xml->customer as $customer) {
            $read[] = html_entity_decode((string) $customer->last_name);
        }
        return $read;
    },
    'promotions' => function ($with) use ($job) {
        $xml = ask($job, ['type' => 'campaign_promos'] + $with);
        $read = [];
        foreach ($xml->promotions->promotion as $promotion) {
            $read[(string) $promotion->id] = $promotion->operand . $promotion->value;
        }
        return $read;
    },
    'receipt' => function ($with) use ($job) {
        $xml = ask($job, $with);
        return [(string) $xml->receipt->agency->name, (string) $xml->receipt->agency->email];
    },
    'fields' => function ($with) use ($job) {
        $xml = ask($job, ['type' => 'manage_fields', 'API' => '1.5', 'action' => 'list'] + $with);
        $read = [];
        foreach ($xml->account->fields->field as $field) {
            $read[(string) $field->name] = [(string) $field->label, (string) $field->type, count($field->choices->choice)];
        }
        return $read;
    },
    'colour' => function ($with) use ($job) {
        $xml = ask($job, ['type' => 'customer_info'] + $with);
        return (string) ($xml->customer->custom_field ?? $xml->customer->custom1);
    },
]);
