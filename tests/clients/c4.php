<?php
// C4, a WordPress plugin: five seconds, XML; one customer of a search stands right below the root. It sends `--` for a date
// that is not set, and compares the type of a campaign to know whether a balance is money.
require 'common.php';

function ask(array $job, array $fields): array
{
    $fields += ['user_id' => $job['user'], 'user_password' => $job['key'], 'account_id' => $job['account']];
    return xml_array(curl_array($job['url'], $fields, 5));
}

run($job, [
    'first_name' => function ($with) use ($job) {
        $r = ask($job, ['type' => 'customer_search', 'exact_match' => 'insensitive'] + $with);
        return $r['customer']['first_name'];
    },
    'enter' => function ($with) use ($job) {
        $r = ask($job, ['type' => 'validate_customer_password'] + $with);
        return $r['@attributes']['status'] === 'success' ? true : $r['error'];
    },
    'change' => function ($with) use ($job) {
        $r = ask($job, ['type' => 'record_customer', 'customer_action' => 'edit', 'custom_date' => '--'] + $with);
        return $r['@attributes']['status'] === 'success' ? true : $r['error'];
    },
    'history' => function ($with) use ($job) {
        $campaign = ask($job, ['type' => 'customer_balance'] + $with)['campaign'];
        $money = in_array($campaign['campaign_type'], ['giftcard', 'earned'], true);
        $list = $campaign['customer']['transactions']['transaction'];
        $rows = [];
        foreach (isset($list[0]) ? $list : [$list] as $t) {
            // What is empty became an empty array.
            $note = is_array($t['authorization']) ? '' : $t['authorization'];
            $by = is_array($t['user_name']) ? '' : $t['user_name'];
            $rows[] = [$t['amount'], $note, $by !== '', $t['date'] !== ''];
        }
        return [$money, $campaign['customer']['balance'], $rows];
    },
]);
