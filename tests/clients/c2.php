<?php
// C2, a PHP application that reads JSON: it sends the secret in both fields, goes through lists without a look at what they
// are, and takes `status` for a member of the root.
require 'common.php';

function ask(array $job, array $fields): array
{
    $fields += [
        'user_id' => $job['user'],
        'user_password' => $job['key'],
        'user_api_key' => $job['key'],
        'account_id' => $job['account'],
        'output' => 'JSON',
    ];
    $curl = curl_init($job['url']);
    curl_setopt($curl, CURLOPT_POST, true);
    curl_setopt($curl, CURLOPT_POSTFIELDS, http_build_query($fields));
    curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
    return json_decode(curl_exec($curl), true, 512, JSON_THROW_ON_ERROR);
}

run($job, [
    'campaigns' => function ($with) use ($job) {
        $reply = ask($job, ['type' => 'campaigns_list'] + $with);
        if ($reply['status'] !== 'success') {
            throw new RuntimeException('no campaigns');
        }
        $read = [];
        foreach ($reply['campaigns'] as $campaign) {
            $read[$campaign['id']] = $campaign['name'] . ' (' . $campaign['type'] . ')';
        }
        return $read;
    },
    'balances' => function ($with) use ($job) {
        // What it does not need goes along.
        $reply = ask($job, $with + ['type' => 'customer_search', 'include_balances' => 'Y', 'exact_match' => 'insensitive',
            'campaign_id' => '', 'username' => '', 'customer_password' => '']);
        if ($reply['status'] !== 'success') {
            return null;
        }
        $read = [];
        foreach ($reply['customers'] as $customer) {
            foreach ($customer['campaigns'] as $campaign) {
                $read[$customer['card_number']][] = $campaign['balance'];
            }
        }
        return $read;
    },
    'history' => function ($with) use ($job) {
        $customer = ask($job, ['type' => 'customer_balance'] + $with)['campaign']['customer'];
        return ['balance' => $customer['balance'], 'transactions' => count($customer['transactions'])];
    },
    'password' => function ($with) use ($job) {
        $reply = ask($job, ['type' => 'validate_customer_password'] + $with);
        return $reply['status'] === 'success';
    },
]);
