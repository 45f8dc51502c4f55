<?php
// C1, a PHP application on the Zend framework: urlencoded POST, JSON, one token in whichever field the call wants. It takes
// any status but 2xx for a crash, and looks at nothing of a batch but that status. Its builder of fields adds `code`,
// `authorization` and `output` to everything, and it calls `customer_action` `action`.
require 'common.php';

function send(array $job, array $fields): string
{
    $fields += [
        'user_id' => $job['user'],
        'user_password' => $job['key'],
        'account_id' => $job['account'],
        'code' => '',
        'authorization' => null,
        'output' => 'JSON',
    ];
    if ($fields['type'] === 'batch_transactions') {
        $fields['user_api_key'] = $fields['user_password'];
        unset($fields['user_password']);
    }
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => 'Content-Type: application/x-www-form-urlencoded',
        'content' => http_build_query($fields),
        'ignore_errors' => true,
        'timeout' => 60,
    ]]);
    $body = file_get_contents($job['url'], false, $context);
    $status = (int) explode(' ', $http_response_header[0])[1];
    if ($status < 200 || $status > 299) {
        throw new RuntimeException("the service answers $status: $body");
    }
    return $body;
}

function ask(array $job, array $fields): array
{
    return json_decode(send($job, $fields), true, 512, JSON_THROW_ON_ERROR);
}

run($job, [
    'create' => function ($with) use ($job) {
        $reply = ask($job, ['type' => 'record_customer', 'action' => 'new'] + $with);
        return ['done' => $reply['status'] === 'success'];
    },
    'redeem' => function ($with) use ($job) {
        $reply = ask($job, ['type' => 'redeem'] + $with);
        return ['done' => $reply['status'] === 'success'];
    },
    // Six columns are declared, and a seventh value is sent.
    'add_points' => function ($with) use ($job) {
        $fields = ['type' => 'batch_transactions', 'API' => '1.5', 'delimiter' => 'pipe'];
        foreach (['campaign_id', 'code', 'redeemed', 'amount', 'date', 'authorization'] as $at => $name) {
            $fields['visits_header_' . ($at + 1)] = $name;
        }
        $fields['Visits_Data'] = "{$with['campaign']}|{$with['code']}|N|{$with['amount']}|||{$with['promotion']}";
        $fields['code'] = $with['code'];
        send($job, $fields);
        return ['done' => true];
    },
]);
