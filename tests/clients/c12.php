<?php
// C12, a resort's rewards, built on C3's class: it tells one customer from several by `[0]`, knows `no_match`, and reads
// what a promotion brought.
require_once 'c3.php';

$sticky = new Sticky($job);
run($job, [
    'check' => function ($with) use ($sticky) {
        $r = $sticky->send('customer_search', ['exact_match' => 'insensitive'] + $with);
        if ($r['@attributes']['status'] === 'no_match') {
            return 'nobody';
        }
        $customer = $r['customer'];
        return isset($customer[0]) ? 'several, first ' . $customer[0]['code'] : 'one, ' . $customer['code'];
    },
    'create' => function ($with) use ($sticky) {
        $r = $sticky->ask('record_customer', ['customer_action' => 'new'] + $with);
        return $r['customer']['code'];
    },
    'promotion' => function ($with) use ($sticky) {
        $r = $sticky->ask('record_activity', $with);
        return $r['receipt']['transaction']['promotion']['amount'];
    },
    'balances' => function ($with) use ($sticky) {
        $info = $sticky->ask('customer_info', $with);
        $read = [];
        foreach (Sticky::each($info['campaigns']['campaign']) as $campaign) {
            $read[$campaign['id']] = $campaign['balance'];
        }
        return $read;
    },
]);
